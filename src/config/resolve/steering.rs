//! Steered names: which pools they follow and which regions they may lead to.

use std::sync::Arc;

use super::{
    names::Names,
    node::region_id,
    records::{Records, owner},
    routes::{ByHost, pool_id},
    twice::duplicate,
    zones::Owners,
};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, Written},
        resolved::{Branch, Policy, PolicyKind, Steered},
    },
    fleet::{DnsName, PolicyId, PoolId, RegionId},
};

/// The weight of a region that is not listed.
const DEFAULT_WEIGHT: u32 = 1;

pub(super) fn resolve(
    apex: &DnsName,
    zone: &document::Zone,
    regions: &Names<'_>,
    pools: &Names<'_>,
    by_host: &ByHost<'_>,
    records: &Records,
    policies: &mut Vec<Arc<Policy>>,
    problems: &mut Diagnostics,
) -> Vec<Steered> {
    let mut owners = Owners::new();
    let mut steered = Vec::with_capacity(zone.steer.len());
    for entry in zone.steer.iter() {
        let Some(owner) = owner(&entry.name, entry.place, apex, problems) else { continue };
        if let Some(first) = owners.insert(owner.clone(), entry.place) {
            problems.push(duplicate(Code::DuplicateName, format!("`{owner}` is steered twice"), entry.place, first));
            continue;
        }
        if let Some(place) = records.addressed.get(&owner) {
            let message = format!("`{owner}` is steered and has addresses or a CNAME of its own");
            let error = Diagnostic::error(Code::RecordConflict, message).at(entry.place, "steered here");
            problems.push(error.at(*place, "its records").hint("keep one of them".to_owned()));
        }
        let pools = followed(&owner, entry.place, &entry.value, pools, by_host, problems);
        let weights = weights(&owner, entry.place, &entry.value, regions, problems);
        // The only policy there is so far; another one is a variant here and in `resolved`.
        match entry.value.policy.value {
            document::Policy::Weighted => {
                let permitted = weights.iter().map(|(region, _)| *region).collect();
                let branches = weights.into_iter().map(|(region, weight)| (Branch::Region(region), weight)).collect();
                let policy = Policy { name: "weighted".into(), kind: PolicyKind::Weighted { branches } };
                let position = policies.iter().position(|one| **one == policy).unwrap_or_else(|| {
                    policies.push(Arc::new(policy));
                    policies.len() - 1
                });
                let policy = PolicyId(u16::try_from(position).unwrap_or(u16::MAX));
                let ttl = entry.value.ttl.0;
                steered.push(Steered { owner, pools, policy, permitted, ttl, min_ttl: ttl.min(5), https: None });
            }
        }
    }
    steered
}

fn followed(
    owner: &DnsName,
    place: Option<Place>,
    steer: &document::Steer,
    pools: &Names<'_>,
    by_host: &ByHost<'_>,
    problems: &mut Diagnostics,
) -> Vec<PoolId> {
    let (found, label_at) = match steer.pools.as_ref() {
        Some(written) => {
            let mut found: Vec<_> = written
                .items
                .iter()
                .filter_map(|name: &Written<_>| pools.find(name, name.place, problems).map(pool_id))
                .collect();
            found.sort_unstable();
            found.dedup();
            if !written.items.is_empty() || written.is_broken {
                return found;
            }
            (found, written.place)
        }
        None => (by_host.pools_of(owner), place),
    };
    // Without a list of its own it follows routes, and one of those may be what is wrong.
    let is_read = steer.pools.as_ref().is_some() || (by_host.is_complete && !steer.pools.is_unreadable());
    if found.is_empty() && is_read {
        let message = format!("`{owner}` has no pool to follow");
        let hint = format!("add `pools = [\"...\"]`, or a route whose host is `{owner}`");
        let error = Diagnostic::error(Code::NothingToSteer, message);
        problems.push(error.at(label_at, "which pools must a region be able to serve?").hint(hint));
    }
    found
}

fn weights(
    owner: &DnsName,
    place: Option<Place>,
    steer: &document::Steer,
    regions: &Names<'_>,
    problems: &mut Diagnostics,
) -> Vec<(RegionId, u32)> {
    let mut weights = vec![DEFAULT_WEIGHT; regions.len()];
    for entry in steer.weights.iter() {
        if let Some(position) = regions.find(&entry.name, entry.place, problems) {
            weights[position] = entry.value;
        }
    }
    let chosen: Vec<_> = weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight > 0)
        .map(|(at, weight)| (region_id(at), *weight))
        .collect();
    if chosen.is_empty() && regions.len() > 0 {
        let error = Diagnostic::error(Code::NothingToSteer, format!("`{owner}` has no region with weight above zero"));
        problems.push(error.at(steer.weights.place.or(place), "all are 0"));
    }
    chosen
}
