//! Regions and their front doors.

use std::sync::Arc;

use super::{
    change::Changes,
    fields::{self, region_name},
    tls,
};
use crate::config::{Config, Region};

pub(super) fn compare(old: &Config, new: &Config, changes: &mut Changes) {
    let name = |region: &Arc<Region>| Arc::clone(&region.name);
    let both = changes.members(&old.regions, &new.regions, name, |name| format!("region `{name}`"));
    for (name, before, after) in both {
        let subject = format!("region `{name}`");
        changes.field(&subject, "front door", &fields::list(&before.addresses), &fields::list(&after.addresses));
        changes.field(&subject, "way to the front door", &way(before), &way(after));
        changes.field(&subject, "location", &location(before), &location(after));
        let jurisdiction = |region: &Region| region.jurisdiction.as_deref().unwrap_or("none").to_owned();
        changes.field(&subject, "jurisdiction", &jurisdiction(before), &jurisdiction(after));
        changes.field(&subject, "capacity", &capacity(before), &capacity(after));
        fields::checks(&subject, &before.check, &after.check, changes);
        // A region that came or went is in every order; that is not worth a line for each.
        if order(old, before, new) != order(new, after, old) {
            changes.add(format!("{subject}: the order of the other regions changed"));
        }
    }
}

/// How other regions speak with it.
fn way(region: &Region) -> String {
    format!("port {}, TLS: {}", region.front_door.port, tls::of_origins(region.front_door.tls.as_ref()))
}

fn location(region: &Region) -> String {
    region.location.map_or("unknown".to_owned(), |point| format!("{}, {}", point.latitude, point.longitude))
}

fn capacity(region: &Region) -> String {
    match region.capacity_per_second {
        0 => "unknown".to_owned(),
        rate => format!("{rate}/s"),
    }
}

/// The other regions in their order, as far as `among` has them, too.
fn order<'a>(config: &'a Config, region: &Region, among: &Config) -> Vec<&'a str> {
    let has = |name: &str| among.regions.binary_search_by(|region| (*region.name).cmp(name)).is_ok();
    region.neighbours.iter().map(|id| region_name(config, *id)).filter(|name| has(name)).collect()
}
