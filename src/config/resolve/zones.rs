//! Zones: their names, that they do not overlap, and what is in them.

use std::{collections::HashMap, sync::Arc};

use super::{names::Names, records, routes::ByHost, steering, twice::duplicate};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, Document},
        resolved::{Policy, RecordSet, Route, Soa, Steered, Zone},
    },
    fleet::DnsName,
};

/// Names in a zone that were seen, in wire form so that spelling does not matter.
pub(super) type Owners = HashMap<DnsName, Option<Place>>;

pub(super) fn resolve(
    document: &Document,
    regions: &Names<'_>,
    pools: &Names<'_>,
    routes: &[Route],
    policies: &mut Vec<Arc<Policy>>,
    problems: &mut Diagnostics,
) -> Vec<Arc<Zone>> {
    let written = &document.routes;
    let is_complete = !written.is_stand_in && !written.is_broken && routes.len() == written.items.len();
    let by_host = ByHost::new(routes, is_complete);
    let mut apexes = HashMap::new();
    let mut zones = Vec::with_capacity(document.zones.len());
    for entry in document.zones.iter() {
        let Some(apex) = apex(&entry.name, entry.place, problems) else { continue };
        if let Some(first) = apexes.insert(apex.clone(), entry.place) {
            let message = format!("zone `{apex}` is defined twice");
            problems.push(duplicate(Code::OverlappingZone, message, entry.place, first));
            continue;
        }
        let records = records::resolve(&apex, &entry.value, problems);
        let steered = steering::resolve(&apex, &entry.value, regions, pools, &by_host, &records, policies, problems);
        zones.push(Arc::new(settle(apex, &entry.value, records.sets, steered, problems)));
    }
    report_overlaps(&zones, &apexes, problems);
    zones.sort_by_cached_key(|zone| zone.name.to_string());
    zones
}

fn apex(name: &str, place: Option<Place>, problems: &mut Diagnostics) -> Option<DnsName> {
    let error = match name.parse::<DnsName>() {
        Ok(name) if name == DnsName::root() => "the root cannot be served from here".to_owned(),
        Ok(_) if name.contains('*') => "a zone's name has no `*`".to_owned(),
        Ok(apex) => return Some(apex),
        Err(error) => error.to_string(),
    };
    let message = format!("`{}` cannot be the name of a zone", name.escape_debug());
    problems.push(Diagnostic::error(Code::BadName, message).at(place, error));
    None
}

fn settle(
    apex: DnsName,
    zone: &document::Zone,
    records: Vec<RecordSet>,
    steered: Vec<Steered>,
    problems: &mut Diagnostics,
) -> Zone {
    let nameservers = nameservers(&apex, zone, &records, &steered, problems);
    let contact = zone.contact.as_ref().map(|contact| contact.0.clone());
    // Only a zone name of nearly 255 bytes has no room for it; then the zone's own name stands in.
    let contact = contact.or_else(|| DnsName::below("hostmaster", &apex).ok()).unwrap_or_else(|| apex.clone());
    let soa = Soa { contact, refresh: 3600, retry: 600, expire: 604_800, negative_ttl: zone.negative_ttl.0 };
    Zone { name: apex, nameservers, soa, ttl: zone.ttl.0, client_subnet: true, records, aliases: Vec::new(), steered }
}

fn nameservers(
    apex: &DnsName,
    zone: &document::Zone,
    records: &[RecordSet],
    steered: &[Steered],
    problems: &mut Diagnostics,
) -> Vec<DnsName> {
    let Some(written) = &zone.nameservers else { return Vec::new() };
    if written.items.is_empty() && !written.is_broken {
        let error = Diagnostic::error(Code::MissingKey, format!("zone `{apex}` has no name server"));
        let hint = "name the nodes that answer for it, as the parent zone does".to_owned();
        problems.push(error.at(written.place, "at least one name is needed").hint(hint));
    }
    let has_address = |name: &DnsName| {
        let is_address = |set: &&RecordSet| [1, 28].contains(&set.kind);
        records.iter().filter(is_address).any(|set| set.owner == *name) || steered.iter().any(|one| one.owner == *name)
    };
    let mut seen = HashMap::new();
    for name in &written.items {
        if let Some(first) = seen.insert(&name.value, name.place) {
            let message = format!("name server `{}` is named twice", name.value);
            problems.push(duplicate(Code::DuplicateName, message, name.place, first));
        } else if name.is_within(apex) && !has_address(&name.value) {
            let message = format!("name server `{}` lies in zone `{apex}`, but has no address there", name.value);
            let hint = "add `A` or `AAAA` records for it: without them nobody finds it".to_owned();
            let warning = Diagnostic::warning(Code::NameserverWithoutAddress, message).at(name.place, "no address");
            problems.push(warning.hint(hint));
        }
    }
    written.items.iter().map(|name| name.value.clone()).collect()
}

/// Zones cannot lie inside each other: nothing could say where the outer one ends.
fn report_overlaps(zones: &[Arc<Zone>], apexes: &Owners, problems: &mut Diagnostics) {
    for inner in zones {
        let text = inner.name.to_string();
        let outer = text.match_indices('.').find_map(|(dot, _)| {
            let parent = text[dot + 1..].parse::<DnsName>().ok()?;
            apexes.get_key_value(&parent)
        });
        if let Some((outer, place)) = outer {
            let message = format!("zone `{}` lies inside zone `{outer}`", inner.name);
            let hint = format!("write its names into `[zones.\"{outer}\".records]` and remove this zone");
            problems.push(
                Diagnostic::error(Code::OverlappingZone, message)
                    .at(apexes.get(&inner.name).copied().flatten(), "the inner zone")
                    .at(*place, "the outer zone")
                    .hint(hint),
            );
        }
    }
}
