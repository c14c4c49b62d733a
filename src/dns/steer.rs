//! Which region a steered name is answered with: drawn by weight among the regions that can serve it.
//!
//! A region can serve a name when its front door is up and each of the name's pools can be served there. A region that lost part of
//! its origins keeps as much of its weight as what is left can carry. The rungs below follow HTTP's ladder: without a verdict, then, where
//! every pool of the name opens when all is down, whatever no operator took out.
//!
//! Costs one pass over the name's regions per rung, with a row read per pool; nothing is allocated.

use std::net::IpAddr;

use crate::{
    clock::Random,
    config::{self, Branch, Config, PolicyKind, WhenAllDown},
    dns::wire::{self, kind},
    fleet::{BasisPoints, Health, PoolId, RegionId},
    policy::carry,
    table::{RowState, Snapshot},
};

/// How a steered name came to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Steering {
    /// By regions known to be good.
    Healthy,
    /// Without a verdict on any better one.
    Unproven,
    /// All is down, and open.
    Open,
    /// Nothing can serve it.
    Closed,
}

impl Steering {
    pub(super) const ALL: [Self; 4] = [Self::Healthy, Self::Unproven, Self::Open, Self::Closed];

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unproven => "unproven",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// One steered name, ready for use.
#[derive(Debug)]
pub(super) struct Steer {
    pools: Box<[PoolId]>,
    choices: Box<[Choice]>,
    opens_when_all_down: bool,
}

/// One region it may be answered with.
#[derive(Debug)]
struct Choice {
    region: RegionId,
    weight: u32,
    /// Records in wire form, without owner.
    v4: Vec<Box<[u8]>>,
    v6: Vec<Box<[u8]>>,
}

impl Choice {
    fn records(&self, kind: u16) -> &[Box<[u8]>] {
        if kind == kind::AAAA { &self.v6 } else { &self.v4 }
    }
}

impl Steer {
    pub(super) fn build(config: &Config, steered: &config::Steered) -> Self {
        let PolicyKind::Weighted { branches } = &config.policies[steered.policy.index()].kind else { unreachable!() };
        let weights: Vec<(RegionId, u32)> = branches
            .iter()
            .filter_map(|(branch, weight)| match branch {
                Branch::Region(region) => Some((*region, *weight)),
                Branch::Policy(_) => None,
            })
            .collect();
        let choice = |&(region, weight): &(RegionId, u32)| {
            let (mut v4, mut v6) = (Vec::new(), Vec::new());
            for address in &config.regions[region.index()].addresses {
                match address {
                    IpAddr::V4(address) => v4.extend(wire::record(kind::A, steered.ttl, &address.octets())),
                    IpAddr::V6(address) => v6.extend(wire::record(kind::AAAA, steered.ttl, &address.octets())),
                }
            }
            Choice { region, weight, v4, v6 }
        };
        let opens = |pool: &PoolId| config.pools[pool.index()].when_all_down == WhenAllDown::Open;
        Self {
            pools: steered.pools.as_slice().into(),
            choices: weights.iter().map(choice).collect(),
            opens_when_all_down: steered.pools.iter().all(opens),
        }
    }

    /// Whether any region has such addresses. `kind` is A or AAAA.
    pub(super) fn has(&self, kind: u16) -> bool {
        self.choices.iter().any(|choice| !choice.records(kind).is_empty())
    }

    /// The records of one region, or none. Regions without such an address are not drawn.
    pub(super) fn choose(&self, kind: u16, snapshot: Snapshot<'_>, random: &mut Random) -> (Steering, &[Box<[u8]>]) {
        let rungs = [Steering::Healthy, Steering::Unproven, Steering::Open];
        for rung in rungs.into_iter().filter(|rung| *rung != Steering::Open || self.opens_when_all_down) {
            if let Some(choice) = self.draw(kind, rung, snapshot, random) {
                return (rung, choice.records(kind));
            }
        }
        (Steering::Closed, &[])
    }

    /// Draws by weight in one pass: each choice takes the place of the one before with its share of the weight so far.
    fn draw(&self, kind: u16, rung: Steering, snapshot: Snapshot<'_>, random: &mut Random) -> Option<&Choice> {
        let (mut total, mut drawn) = (0, None);
        for choice in self.choices.iter().filter(|choice| !choice.records(kind).is_empty()) {
            let share = self.share(choice.region, rung, snapshot);
            let weight = u64::from(choice.weight) * u64::from(share.get());
            if weight == 0 {
                continue;
            }
            total += weight;
            if random.u64(..total) < weight {
                drawn = Some(choice);
            }
        }
        drawn
    }

    /// How much of its weight a region keeps on a rung: the least that any of the name's pools leaves it.
    fn share(&self, region: RegionId, rung: Steering, snapshot: Snapshot<'_>) -> BasisPoints {
        let Some(door) = snapshot.generation.region(region).map(|region| region.front_door.read(snapshot.now)) else {
            return BasisPoints::ZERO;
        };
        let pool_share = |id: &PoolId| {
            let entry = snapshot.generation.pool(*id).and_then(|pool| pool.region(region));
            entry.map_or(BasisPoints::ZERO, |entry| match row_share(entry.row.read(snapshot.now), rung) {
                // What is left of a pool carries more than its share; a front door's weight is an operator's word.
                share if rung == Steering::Healthy => carry(share),
                share => share,
            })
        };
        // A name without pools follows the front door alone.
        let least = self.pools.iter().map(pool_share).min().unwrap_or(BasisPoints::FULL);
        least.min(row_share(door, rung))
    }
}

/// How much of its weight a row leaves a region on a rung.
fn row_share(row: RowState, rung: Steering) -> BasisPoints {
    match rung {
        Steering::Healthy if row.is_usable() => row.weight,
        Steering::Unproven if row.health != Health::Down && row.takes_new_work() => BasisPoints::FULL,
        Steering::Open if !row.is_withheld() => BasisPoints::FULL,
        _ => BasisPoints::ZERO,
    }
}
