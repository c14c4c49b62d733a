//! Static records: whose they are, and what can stand beside what.

use std::collections::{HashMap, HashSet};

use super::{twice::duplicate, zones::Owners};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, RecordData, Written, encode},
        resolved::RecordSet,
    },
    fleet::DnsName,
};

/// Records of one type that one name may have.
const MAX_RECORDS: usize = 500;
/// Bytes that a set may take: a message over TCP has 65,535, and its header, question and OPT take the rest.
const MAX_SET_SIZE: usize = 65_000;

/// The records of a zone, and what steering must know of them.
pub(super) struct Records {
    pub(super) sets: Vec<RecordSet>,
    /// Names with addresses or an alias, which cannot be steered, and where they are written.
    pub(super) addressed: HashMap<DnsName, Option<Place>>,
}

pub(super) fn resolve(apex: &DnsName, zone: &document::Zone, problems: &mut Diagnostics) -> Records {
    let mut owners = Owners::new();
    let mut resolved = Records { sets: Vec::new(), addressed: HashMap::new() };
    for entry in zone.records.iter() {
        let Some(owner) = owner(&entry.name, entry.place, apex, problems) else { continue };
        if let Some(first) = owners.insert(owner.clone(), entry.place) {
            problems.push(duplicate(Code::DuplicateName, format!("`{owner}` is written twice"), entry.place, first));
            continue;
        }
        let records = &entry.value;
        let ttl = records.ttl.as_ref().map_or(zone.ttl.0, |ttl| ttl.0);
        let sets = sets_of(records, problems);
        check_alias(&owner, apex, records, &sets, problems);
        let is_address =
            |set: &[RecordData]| matches!(set[0], RecordData::A(_) | RecordData::Aaaa(_) | RecordData::Cname(_));
        if sets.iter().any(|set| is_address(set)) {
            resolved.addressed.insert(owner.clone(), entry.place);
        }
        resolved.sets.extend(sets.iter().map(|data| {
            let encoded: Vec<_> = data.iter().map(encode).collect();
            let kind = encoded.first().map_or(0, |(kind, _)| *kind);
            RecordSet {
                owner: owner.clone(),
                kind,
                ttl,
                data: encoded.into_iter().map(|(_, data)| data.into()).collect(),
            }
        }));
    }
    resolved
}

/// The absolute name of an owner, which is written relative to its zone.
pub(super) fn owner(text: &str, place: Option<Place>, apex: &DnsName, problems: &mut Diagnostics) -> Option<DnsName> {
    let as_absolute = text.parse::<DnsName>().ok().filter(|_| !text.is_empty());
    let is_absolute = text.ends_with('.');
    if let Some(absolute) = as_absolute.filter(|name| is_absolute || name.is_within(apex)) {
        problems.push(outside(text, &absolute, apex, place));
        return None;
    }
    let has_inner_star = text.split('.').skip(1).any(|label| label == "*");
    let error = match DnsName::below(text, apex) {
        Ok(_) if has_inner_star => "`*` can only be the first label".to_owned(),
        Ok(name) => return Some(name),
        Err(error) => error.to_string(),
    };
    let message = format!("`{}` cannot be a name in zone `{apex}`", text.escape_debug());
    problems.push(Diagnostic::error(Code::BadName, message).at(place, error));
    None
}

fn outside(text: &str, absolute: &DnsName, apex: &DnsName, place: Option<Place>) -> Diagnostic {
    if !absolute.is_within(apex) {
        return Diagnostic::error(Code::NameOutsideZone, format!("`{text}` lies outside zone `{apex}`"))
            .at(place, "not in this zone")
            .hint(format!("a zone of its own would be `[zones.\"{absolute}\"]`"));
    }
    let (absolute, zone) = (absolute.to_string(), apex.to_string());
    let relative = absolute.strip_suffix(&zone).map_or("", |rest| rest.trim_end_matches('.'));
    let relative = if relative.is_empty() { "@" } else { relative };
    Diagnostic::error(Code::NameOutsideZone, format!("`{text}` would be `{absolute}.{zone}`"))
        .at(place, "owners are relative to their zone")
        .hint(format!("write `{relative}`"))
}

type WithPlace = (RecordData, Option<Place>);

/// One set per type that has records.
fn sets_of(records: &document::Records, problems: &mut Diagnostics) -> Vec<Vec<RecordData>> {
    let cname = records.cname.as_ref().map(|name| (RecordData::Cname(name.value.clone()), name.place));
    let sets: [(&str, Vec<WithPlace>); 7] = [
        ("A", data(&records.a.items, |address| RecordData::A(*address))),
        ("AAAA", data(&records.aaaa.items, |address| RecordData::Aaaa(*address))),
        ("CNAME", cname.into_iter().collect()),
        ("TXT", data(&records.txt.items, |texts| RecordData::Txt(texts.0.clone()))),
        ("MX", data(&records.mx.items, |mx| mx.0.clone())),
        ("SRV", data(&records.srv.items, |srv| srv.0.clone())),
        ("CAA", data(&records.caa.items, |caa| caa.0.clone())),
    ];
    let mut kept = Vec::new();
    for (kind, set) in sets.into_iter().filter(|(_, set)| !set.is_empty()) {
        if set.len() > MAX_RECORDS {
            let message = format!("there are {} {kind} records of one name, and at most {MAX_RECORDS} fit", set.len());
            problems.push(Diagnostic::error(Code::TooMany, message).at(set[MAX_RECORDS].1, "the first too many"));
            continue;
        }
        let mut seen = HashSet::new();
        for (_, place) in set.iter().filter(|(record, _)| !seen.insert(record)) {
            let message = format!("the same {kind} record is written twice");
            problems.push(Diagnostic::error(Code::DuplicateKey, message).at(*place, "again here"));
        }
        // Each record has its owner as a pointer, type, class, TTL and length before its data.
        let size: usize = set.iter().map(|(record, _)| 12 + record.wire_length()).sum();
        if size > MAX_SET_SIZE {
            let message =
                format!("the {kind} records of one name take {size} bytes, and at most {MAX_SET_SIZE} fit an answer");
            problems.push(Diagnostic::error(Code::TooMany, message).at(set[0].1, "these together"));
            continue;
        }
        kept.push(set.into_iter().map(|(record, _)| record).collect());
    }
    kept
}

fn data<T>(items: &[Written<T>], record: impl Fn(&T) -> RecordData) -> Vec<WithPlace> {
    items.iter().map(|item| (record(&item.value), item.place)).collect()
}

/// An alias stands alone (RFC 1034, section 3.6.2), and never at the apex, which has an SOA.
fn check_alias(
    owner: &DnsName,
    apex: &DnsName,
    records: &document::Records,
    sets: &[Vec<RecordData>],
    problems: &mut Diagnostics,
) {
    let Some(cname) = records.cname.as_ref() else { return };
    let message = if owner == apex {
        format!("`{owner}` cannot have a CNAME: a zone's own name has other records, too")
    } else if sets.len() > 1 {
        format!("`{owner}` cannot have a CNAME and other records")
    } else if cname.value == *owner {
        format!("`{owner}` cannot be another name of itself")
    } else {
        return;
    };
    let hint = if owner == apex { "write addresses, or steer the name" } else { "keep the CNAME or the other records" };
    problems.push(Diagnostic::error(Code::RecordConflict, message).at(cname.place, "").hint(hint.to_owned()));
}
