//! All steered names of a config, ready for use. Names that are steered alike share one entry.

use std::{collections::HashMap, sync::Arc};

use super::answers::Answers;
use crate::{
    config::{self, Branch, Config, Policy, PolicyKind, WhenAllDown},
    dns::wire::kind,
    fleet::{PolicyId, PoolId, RegionId},
    geo::{Chart, Charts},
};

/// Everything that choosing needs of a config.
#[derive(Debug)]
pub(in crate::dns) struct Compass {
    pub(super) policies: Vec<Arc<Policy>>,
    pub(super) names: Vec<Steer>,
    pub(super) answers: Answers,
    /// A number for each region that is the same on all nodes.
    pub(super) marks: Box<[u64]>,
    charts: HashMap<PolicyId, Arc<Chart>>,
    known: HashMap<Alike, u32>,
}

/// How names are steered.
#[derive(Debug)]
pub(in crate::dns) struct Steer {
    pub(super) policy: PolicyId,
    /// Each with its last resort.
    pub(super) pools: Box<[(PoolId, Option<PoolId>)]>,
    pub(super) has_last_resort: bool,
    pub(super) permitted: Box<[RegionId]>,
    /// By region.
    pub(super) is_permitted: Box<[bool]>,
    pub(super) ttl: u32,
    pub(super) min_ttl: u32,
    pub(super) https: Option<usize>,
    pub(super) opens_when_all_down: bool,
    pub(super) chart: Option<Arc<Chart>>,
    /// The longest networks that a `hash` policy of the tree looks at: of IPv4 and of IPv6.
    pub(super) networks: (u8, u8),
}

/// What makes two names alike.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Alike {
    policy: PolicyId,
    pools: Vec<PoolId>,
    permitted: Vec<RegionId>,
    ttls: (u32, u32),
    https: Option<usize>,
}

impl Compass {
    pub(in crate::dns) fn build(config: &Config, charts: &Charts) -> Self {
        let used = config.zones.iter().flat_map(|zone| &zone.steered).map(|steered| steered.policy);
        let charts = used.filter_map(|policy| Some((policy, Arc::clone(charts.of(policy)?))));
        Self {
            policies: config.policies.clone(),
            names: Vec::new(),
            answers: Answers::build(config),
            marks: config.regions.iter().map(|region| mark(&region.name)).collect(),
            charts: charts.collect(),
            known: HashMap::new(),
        }
    }

    /// The position of how a name is steered.
    pub(in crate::dns) fn add(&mut self, config: &Config, steered: &config::Steered) -> u32 {
        let https = steered.https.as_ref().map(|https| self.answers.https(config, https));
        let alike = Alike {
            policy: steered.policy,
            pools: steered.pools.clone(),
            permitted: steered.permitted.clone(),
            ttls: (steered.ttl, steered.min_ttl),
            https,
        };
        if let Some(position) = self.known.get(&alike) {
            return *position;
        }
        let position = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let resort = |pool: &PoolId| config.pools[pool.index()].last_resort;
        let opens = |pool: &PoolId| config.pools[pool.index()].when_all_down == WhenAllDown::Open;
        let mut is_permitted = vec![false; config.regions.len()];
        for region in &steered.permitted {
            is_permitted[region.index()] = true;
        }
        self.names.push(Steer {
            policy: steered.policy,
            pools: steered.pools.iter().map(|pool| (*pool, resort(pool))).collect(),
            has_last_resort: steered.pools.iter().any(|pool| resort(pool).is_some()),
            permitted: steered.permitted.as_slice().into(),
            is_permitted: is_permitted.into(),
            ttl: steered.ttl,
            min_ttl: steered.min_ttl.min(steered.ttl),
            https,
            opens_when_all_down: steered.pools.iter().all(opens),
            chart: self.charts.get(&steered.policy).cloned(),
            networks: networks(&config.policies, steered.policy),
        });
        self.known.insert(alike, position);
        position
    }

    /// How a name is steered.
    pub(in crate::dns) fn steer(&self, position: u32) -> Option<&Steer> {
        self.names.get(position as usize)
    }

    /// Whether any region that a name permits has something to say about a type.
    pub(in crate::dns) fn has(&self, steer: &Steer, kind: u16) -> bool {
        let is_address = matches!(kind, kind::A | kind::AAAA | kind::HTTPS);
        is_address
            && steer.permitted.iter().any(|region| self.answers.of(*region, kind, steer.https).records().count > 0)
    }
}

/// The longest networks that `hash` policies below one look at.
fn networks(policies: &[Arc<Policy>], id: PolicyId) -> (u8, u8) {
    let Some(policy) = policies.get(id.index()) else { return (0, 0) };
    let below = |branch: &Branch| match branch {
        Branch::Region(_) => (0, 0),
        Branch::Policy(id) => networks(policies, *id),
    };
    let longest = |all: &mut dyn Iterator<Item = (u8, u8)>| {
        all.fold((0, 0), |most: (u8, u8), one| (most.0.max(one.0), most.1.max(one.1)))
    };
    match &policy.kind {
        PolicyKind::Hash { v4_prefix, v6_prefix, .. } => (*v4_prefix, *v6_prefix),
        PolicyKind::Geo { networks, areas, default } => {
            let branches = networks.iter().map(|(_, branch)| branch).chain(areas.iter().map(|(_, branch)| branch));
            longest(&mut branches.chain([default]).map(below))
        }
        PolicyKind::Weighted { branches } => longest(&mut branches.iter().map(|(branch, _)| below(branch))),
        PolicyKind::Failover { branches, .. } => longest(&mut branches.iter().map(below)),
        PolicyKind::Nearest { .. } | PolicyKind::Latency { .. } | PolicyKind::Multivalue { .. } => (0, 0),
    }
}

/// FNV-1a of a region's name: every node has to come to the same, whatever it was built with.
fn mark(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |mark, byte| (mark ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
