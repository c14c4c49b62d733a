//! Policies, by name. One that a steered name made up is told with the name.

use std::{fmt::Display, sync::Arc};

use super::{
    change::Changes,
    fields::{self, region_name},
};
use crate::{
    config::{Area, Branch, Config, Policy, PolicyKind},
    fleet::{PolicyId, RegionId},
};

/// Bytes of a policy's description that are told; of a longer one it is said that it changed.
const MAX_TOLD: usize = 300;

pub(super) fn compare(old: &Config, new: &Config, changes: &mut Changes) {
    let (before, after) = (named(old), named(new));
    let name = |(policy, _): &(Arc<Policy>, String)| Arc::clone(&policy.name);
    for (name, (_, before), (_, after)) in changes.members(&before, &after, name, |name| format!("policy `{name}`")) {
        if before.len().max(after.len()) > MAX_TOLD {
            changes.plain(&format!("policy `{name}`"), "what it does", before, after);
        } else {
            changes.field(&format!("policy `{name}`"), "what it does", before, after);
        }
    }
}

/// Those with a name, with what they do.
fn named(config: &Config) -> Vec<(Arc<Policy>, String)> {
    let named = config.policies.iter().filter(|policy| policy.is_named());
    named.map(|policy| (Arc::clone(policy), describe(config, &policy.kind))).collect()
}

/// The policy of a steered name: its name, or what it does.
pub(super) fn called(config: &Config, id: PolicyId) -> String {
    let policy = &config.policies[id.index()];
    if policy.is_named() { format!("`{}`", policy.name) } else { describe(config, &policy.kind) }
}

fn describe(config: &Config, kind: &PolicyKind) -> String {
    let region = |region: &RegionId| region_name(config, *region).to_owned();
    let branch = |branch: &Branch| match branch {
        Branch::Region(id) => region_name(config, *id).to_owned(),
        Branch::Policy(id) => called(config, *id),
    };
    let weighed = |name: String, weight: u32| format!("{name} {weight}");
    match kind {
        PolicyKind::Geo { networks, areas, default } => {
            let mut places: Vec<_> = networks.iter().map(|(network, to)| format!("{network} {}", branch(to))).collect();
            places.sort_unstable();
            places.extend(areas.iter().map(|(area, to)| format!("{} {}", area_name(*area), branch(to))));
            format!("geo {}, else {}", fields::list(&places), branch(default))
        }
        PolicyKind::Nearest { regions } => {
            let biased =
                |(id, bias): &(RegionId, i8)| if *bias == 0 { region(id) } else { format!("{} {bias:+}", region(id)) };
            format!("nearest {}", list(regions.iter().map(biased)))
        }
        PolicyKind::Latency { regions, table } => {
            format!("latency by `{}` {}", table.display(), list(regions.iter().map(region)))
        }
        PolicyKind::Weighted { branches } => {
            format!("weighted {}", list(branches.iter().map(|(to, weight)| weighed(branch(to), *weight))))
        }
        PolicyKind::Failover { branches, trickle } => {
            let trickle = match *trickle {
                0 => String::new(),
                points => format!(", trickle {}.{:02} %", points / 100, points % 100),
            };
            format!("failover {}{trickle}", list(branches.iter().map(branch)))
        }
        PolicyKind::Multivalue { regions, max } => {
            format!("multivalue {}, at most {max}", list(regions.iter().map(region)))
        }
        PolicyKind::Hash { regions, v4_prefix, v6_prefix } => {
            let weighed = list(regions.iter().map(|(id, weight)| weighed(region(id), *weight)));
            format!("hash {weighed} by /{v4_prefix} and /{v6_prefix}")
        }
    }
}

fn list<T: Display>(items: impl Iterator<Item = T>) -> String {
    fields::list(&items.collect::<Vec<_>>())
}

fn area_name(area: Area) -> String {
    match area {
        Area::Continent(continent) => continent.as_str().to_owned(),
        Area::Country(country) => country.to_string(),
        Area::Subdivision(subdivision) => subdivision.to_string(),
    }
}
