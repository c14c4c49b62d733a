//! What a zone says of itself: its name servers and its SOA.

use std::collections::HashMap;

use super::{draft::Draft, gather::DEFAULT_TTL};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document,
        resolve::twice::duplicate,
        resolved::Soa,
        zonefile::Record,
    },
    fleet::DnsName,
};

/// How long a negative answer may be kept, where nobody says.
const NEGATIVE_TTL: u32 = 30;
/// How long it may be kept at most: what a name has may change at any time.
const MAX_NEGATIVE_TTL: u32 = 300;

/// The name servers of a zone, as the config or its files have them.
pub(super) fn nameservers(
    apex: &DnsName,
    place: Option<Place>,
    zone: &document::Zone,
    in_files: &[Record],
    is_complete: bool,
    problems: &mut Diagnostics,
) -> Vec<(DnsName, Option<Place>)> {
    let from_files = in_files.iter().filter_map(|record| Some((DnsName::from_wire(&record.data)?, record.place)));
    let from_files: Vec<_> = from_files.collect();
    let Some(written) = zone.nameservers.as_ref() else {
        if from_files.is_empty() && is_complete && !zone.nameservers.is_unreadable() {
            problems.push(nobody(apex, place));
        }
        return from_files;
    };
    if written.items.is_empty() && !written.is_broken {
        problems.push(nobody(apex, written.place));
    }
    let mut seen = HashMap::new();
    for name in &written.items {
        if let Some(first) = seen.insert(&name.value, name.place) {
            let message = format!("name server `{}` is named twice", name.value);
            problems.push(duplicate(Code::DuplicateName, message, name.place, first));
        }
    }
    let missing = from_files.iter().find(|(name, _)| !seen.contains_key(name));
    if let Some((name, in_file)) = missing.filter(|_| !written.is_broken) {
        let message = format!("name server `{name}` stands in a zone file, and not in `nameservers`");
        let error = Diagnostic::error(Code::Contradiction, message).at(*in_file, "in the file");
        problems.push(
            error.at(written.place, "not here").hint("write the same in both, or remove `nameservers`".to_owned()),
        );
    }
    written.items.iter().map(|name| (name.value.clone(), name.place)).collect()
}

fn nobody(apex: &DnsName, place: Option<Place>) -> Diagnostic {
    let hint = "name the nodes that answer for it, as the parent zone does: `nameservers = [\"ns1.shop.example\"]`";
    Diagnostic::error(Code::MissingKey, format!("zone `{apex}` has no name server"))
        .at(place, "at least one name is needed")
        .hint(hint.to_owned())
}

/// The SOA: what the config says beats what the files say.
pub(super) fn soa(zone: &Draft<'_>) -> Soa {
    let (apex, file) = (&zone.apex, zone.soa.as_ref());
    let contact = zone.written.contact.as_ref().map(|contact| contact.0.clone());
    let contact = contact.or_else(|| file.map(|soa| soa.contact.clone()));
    let primary = file.map(|soa| soa.primary.clone()).filter(|_| zone.written.nameservers.as_ref().is_none());
    let primary = primary.or_else(|| zone.nameservers.first().map(|(name, _)| name.clone()));
    let negative_ttl = zone.written.negative_ttl.as_ref().map(|ttl| ttl.0);
    Soa {
        primary: primary.unwrap_or_else(|| apex.clone()),
        // Only a zone name of nearly 255 bytes has no room for it; then the zone's own name stands in.
        contact: contact.or_else(|| DnsName::below("hostmaster", apex).ok()).unwrap_or_else(|| apex.clone()),
        refresh: file.map_or(3600, |soa| soa.refresh),
        retry: file.map_or(600, |soa| soa.retry),
        expire: file.map_or(604_800, |soa| soa.expire),
        negative_ttl: negative_ttl
            .unwrap_or_else(|| file.map_or(NEGATIVE_TTL, |soa| soa.minimum.min(MAX_NEGATIVE_TTL))),
    }
}

/// How long the SOA and the name servers may be kept.
pub(super) fn ttl(zone: &Draft<'_>) -> u32 {
    let in_files = zone.soa.as_ref().map(|soa| soa.ttl).into_iter().chain(zone.nameserver_ttl).min();
    zone.written.ttl.as_ref().map(|ttl| ttl.0).or(in_files).unwrap_or(DEFAULT_TTL)
}
