//! One query's way through the tree of policies.

use std::net::IpAddr;

use super::{
    Steering,
    answers::Hand,
    compass::{Compass, Steer},
    shares::Shares,
};
use crate::{
    clock::Random,
    config::{Branch, PolicyKind},
    fleet::{BasisPoints, PolicyId, RegionId},
    geo::View,
    table::Snapshot,
};

/// Regions that one answer can name.
pub(super) const MOST_REGIONS: usize = 8;

/// How often the tree is climbed, at most, and for whom.
const RUNGS: [Steering; 6] = [
    Steering::Preferred,
    Steering::OverCapacity,
    Steering::Unproven,
    Steering::LastResort,
    Steering::Drained,
    Steering::Open,
];

/// What is asked of a steered name.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) struct Asking<'a> {
    /// A, AAAA or HTTPS.
    pub(in crate::dns) kind: u16,
    /// Whoever is to be served, as far as it is known.
    pub(in crate::dns) client: IpAddr,
    pub(in crate::dns) snapshot: Snapshot<'a>,
}

/// What it comes to.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) struct Settled {
    pub(in crate::dns) steering: Steering,
    /// The regions whose records are the answer; none where it is closed.
    regions: [RegionId; MOST_REGIONS],
    count: usize,
    /// Addresses that are answered at most.
    pub(in crate::dns) most: u16,
    /// How long it may be kept, in seconds.
    pub(in crate::dns) ttl: u32,
    /// How much of the client's address mattered, in bits, whoever is up or down.
    pub(in crate::dns) scope: u8,
    /// Whether what it rests on is old.
    pub(in crate::dns) is_stale: bool,
}

impl Settled {
    /// The regions whose records are the answer.
    pub(in crate::dns) fn regions(&self) -> &[RegionId] {
        &self.regions[..self.count]
    }
}

/// Whom a policy chose.
#[derive(Clone, Copy, Debug)]
struct Picked {
    regions: [RegionId; MOST_REGIONS],
    count: usize,
    most: u16,
}

impl Picked {
    fn one(region: RegionId) -> Self {
        Self { regions: [region; MOST_REGIONS], count: 1, most: u16::MAX }
    }
}

impl Compass {
    /// Chooses for one client. With `told`, every step is written down.
    pub(in crate::dns) fn choose(
        &self,
        steer: &Steer,
        asking: &Asking<'_>,
        random: &mut Random,
        told: Option<&mut Vec<String>>,
    ) -> Settled {
        let spot = steer.chart.as_ref().map(|chart| chart.find(asking.client));
        let of_network = if asking.client.is_ipv4() { steer.networks.0 } else { steer.networks.1 };
        let mut course = Course {
            compass: self,
            steer,
            view: spot.as_ref().map(|spot| spot.view),
            asking,
            shares: Shares::new(steer, asking.snapshot),
            rung: Steering::Preferred,
            has_skipped: false,
            is_spill: false,
            is_crowded: false,
            random,
            told,
        };
        let (steering, picked) = course.settle();
        let ttl = match steering {
            Steering::Preferred | Steering::Next | Steering::OverCapacity => course.shares.ttl(),
            // Better ones may come back any moment.
            Steering::Unproven | Steering::LastResort | Steering::Drained | Steering::Open | Steering::Closed => {
                steer.min_ttl
            }
        };
        let none = Picked { regions: [RegionId(0); MOST_REGIONS], count: 0, most: 0 };
        let Picked { regions, count, most } = picked.unwrap_or(none);
        let scope = spot.map_or(0, |spot| spot.scope).max(of_network);
        Settled { steering, regions, count, most, ttl, scope, is_stale: course.shares.is_stale() }
    }

    /// The records of a region for a name that is steered so.
    pub(in crate::dns) fn hand(&self, steer: &Steer, region: RegionId, kind: u16) -> Hand<'_> {
        self.answers.of(region, kind, steer.https)
    }
}

struct Course<'a> {
    compass: &'a Compass,
    steer: &'a Steer,
    view: Option<&'a View>,
    asking: &'a Asking<'a>,
    shares: Shares<'a>,
    rung: Steering,
    /// Whether anybody better was passed over.
    has_skipped: bool,
    /// Whether whoever is looked at gets others' clients.
    is_spill: bool,
    /// Whether anybody was passed over for want of room.
    is_crowded: bool,
    random: &'a mut Random,
    told: Option<&'a mut Vec<String>>,
}

impl Course<'_> {
    fn settle(&mut self) -> (Steering, Option<Picked>) {
        for rung in RUNGS {
            match rung {
                Steering::OverCapacity if !self.is_crowded => continue,
                Steering::LastResort if !self.steer.has_last_resort => continue,
                Steering::Drained if !self.steer.opens_when_all_down => continue,
                Steering::Open if !self.steer.opens_when_all_down => {
                    self.tell(|| "all is down, and a pool of the name closes then".to_owned());
                    continue;
                }
                _ => {}
            }
            (self.rung, self.has_skipped, self.is_spill) = (rung, false, false);
            self.tell(|| format!("rung `{}`", rung.as_str()));
            if let Some(picked) = self.policy(self.steer.policy).or_else(|| self.anybody()) {
                let is_next = rung == Steering::Preferred && self.has_skipped;
                return (if is_next { Steering::Next } else { rung }, Some(picked));
            }
        }
        (Steering::Closed, None)
    }

    /// Whoever the name permits, when its policy has nobody left for this client.
    fn anybody(&mut self) -> Option<Picked> {
        (self.has_skipped, self.is_spill) = (true, true);
        self.tell(|| "the policy has nobody left for this client: anybody whom the name permits".to_owned());
        let steer = self.steer;
        steer.permitted.iter().copied().find(|region| self.share(*region) > BasisPoints::ZERO).map(Picked::one)
    }

    fn policy(&mut self, id: PolicyId) -> Option<Picked> {
        let compass = self.compass;
        let policy = compass.policies.get(id.index())?;
        self.tell(|| format!("policy `{}`", policy.name));
        match &policy.kind {
            PolicyKind::Geo { default, .. } => {
                let branch = self.view.and_then(|view| view.branch(id)).unwrap_or(*default);
                let default = Some(*default).filter(|default| *default != branch);
                self.in_order([branch].into_iter().chain(default), 0)
            }
            PolicyKind::Nearest { .. } | PolicyKind::Latency { .. } => {
                let order = self.view.map(|view| view.order(id)).unwrap_or_default();
                self.in_order(order.iter().map(|region| Branch::Region(*region)), 0)
            }
            PolicyKind::Failover { branches, trickle } => self.in_order(branches.iter().copied(), *trickle),
            PolicyKind::Weighted { branches } => self.drawn(branches),
            PolicyKind::Multivalue { regions, max } => self.several(regions, *max),
            PolicyKind::Hash { regions, v4_prefix, v6_prefix } => self.by_network(regions, *v4_prefix, *v6_prefix),
        }
    }

    /// What a branch that takes something leads to.
    fn branch(&mut self, branch: Branch) -> Option<Picked> {
        match branch {
            Branch::Region(region) => Some(Picked::one(region)),
            Branch::Policy(id) => self.policy(id),
        }
    }

    /// What a region takes now: nothing where it has no address of the kind that is asked for, nor of others' clients where it has no room.
    fn share(&mut self, region: RegionId) -> BasisPoints {
        let records = self.compass.answers.of(region, self.asking.kind, self.steer.https).records();
        let share = if records.count > 0 { self.shares.of(region, self.rung) } else { BasisPoints::ZERO };
        let is_choosy = self.is_spill && self.rung == Steering::Preferred;
        // Who cannot keep all of its own clients has no room for others'.
        let has_room = || share == BasisPoints::FULL && self.shares.has_room(region);
        let is_full = is_choosy && share > BasisPoints::ZERO && !has_room();
        self.is_crowded |= is_full;
        if let Some(told) = &mut self.told {
            let room = if is_full { ", and has no room for others' clients" } else { "" };
            let why = match records.count {
                0 => ", having no such address".to_owned(),
                _ => self.shares.why(region, self.rung).map_or_else(String::new, |why| format!(": {why}")),
            };
            let percent = f64::from(share.get()) / 100.0;
            told.push(format!("region `{}` takes {percent} %{why}{room}", self.shares.name(region)));
        }
        if is_full { BasisPoints::ZERO } else { share }
    }

    /// Whether a region could be the answer if all were well.
    fn could(&self, region: RegionId) -> bool {
        let records = self.compass.answers.of(region, self.asking.kind, self.steer.https).records();
        records.count > 0 && self.steer.is_permitted.get(region.index()).copied().unwrap_or_default()
    }

    /// What a branch takes: a policy all, as long as it has anybody.
    fn share_of(&mut self, branch: Branch) -> BasisPoints {
        match branch {
            Branch::Region(region) => self.share(region),
            Branch::Policy(id) if self.is_alive(id) => BasisPoints::FULL,
            Branch::Policy(_) => BasisPoints::ZERO,
        }
    }

    /// Whether a policy has anybody for this client.
    fn is_alive(&mut self, id: PolicyId) -> bool {
        let compass = self.compass;
        let Some(policy) = compass.policies.get(id.index()) else { return false };
        let mut has = |branch: Branch| self.share_of(branch) > BasisPoints::ZERO;
        match &policy.kind {
            PolicyKind::Geo { default, .. } => {
                let branch = self.view.and_then(|view| view.branch(id)).unwrap_or(*default);
                self.share_of(branch) > BasisPoints::ZERO || self.share_of(*default) > BasisPoints::ZERO
            }
            PolicyKind::Weighted { branches } => branches.iter().any(|(branch, _)| has(*branch)),
            PolicyKind::Failover { branches, .. } => branches.iter().any(|branch| has(*branch)),
            PolicyKind::Nearest { regions } => regions.iter().any(|(region, _)| has(Branch::Region(*region))),
            PolicyKind::Latency { regions, .. } | PolicyKind::Multivalue { regions, .. } => {
                regions.iter().any(|region| has(Branch::Region(*region)))
            }
            PolicyKind::Hash { regions, .. } => regions.iter().any(|(region, _)| has(Branch::Region(*region))),
        }
    }

    /// The first who keeps this client. What the first cannot carry goes to the next that has room; where none has, to the first after all.
    fn in_order(&mut self, branches: impl Iterator<Item = Branch>, trickle: u16) -> Option<Picked> {
        let (was_spill, had_skipped) = (self.is_spill, self.has_skipped);
        let (mut best, mut is_first) = (None, true);
        for branch in branches {
            if let Branch::Region(region) = branch
                && !self.could(region)
            {
                self.tell_of(region);
                continue;
            }
            let is_second = !std::mem::take(&mut is_first);
            self.is_spill = was_spill || is_second;
            let trickles = trickle > 0 && self.random.u16(..10_000) < trickle;
            let picked = match branch {
                // A policy takes all, as long as it has anybody: whom it picks says so.
                Branch::Policy(id) if !trickles => self.policy(id),
                _ => {
                    let share = self.share_of(branch);
                    let keeps = share > BasisPoints::ZERO && self.chance(share) && !trickles;
                    if share > BasisPoints::ZERO && !keeps {
                        self.tell(|| "this one goes on".to_owned());
                        best.get_or_insert((branch, is_second));
                    }
                    if keeps { self.branch(branch) } else { None }
                }
            };
            if picked.is_some() {
                self.is_spill = was_spill;
                return picked;
            }
            self.has_skipped = true;
        }
        let picked = best.and_then(|(branch, is_second)| {
            (self.is_spill, self.has_skipped) = (was_spill || is_second, had_skipped || is_second);
            self.branch(branch)
        });
        self.is_spill = was_spill;
        picked
    }

    /// Draws by weight in one pass: each takes the place of the one before with its share of the weight so far.
    fn drawn(&mut self, branches: &[(Branch, u32)]) -> Option<Picked> {
        let (mut total, mut drawn) = (0, None);
        for (branch, weight) in branches {
            let weight = u64::from(*weight) * u64::from(self.share_of(*branch).get());
            if weight == 0 {
                continue;
            }
            total += weight;
            if self.random.u64(..total) < weight {
                drawn = Some(*branch);
            }
        }
        self.branch(drawn?)
    }

    /// As many regions as fit, beginning with another one each time.
    fn several(&mut self, regions: &[RegionId], max: u8) -> Option<Picked> {
        let mut picked = Picked { regions: [RegionId(0); MOST_REGIONS], count: 0, most: u16::from(max) };
        let start = if regions.is_empty() { 0 } else { self.random.usize(..regions.len()) };
        let (before, after) = regions.split_at(start);
        let mut weakened = None;
        for region in after.iter().chain(before) {
            let share = self.share(*region);
            if share == BasisPoints::ZERO || picked.count == MOST_REGIONS.min(usize::from(max)) {
                continue;
            }
            if self.chance(share) {
                picked.regions[picked.count] = *region;
                picked.count += 1;
            } else {
                weakened.get_or_insert(*region);
            }
        }
        if picked.count > 0 { Some(picked) } else { weakened.map(Picked::one) }
    }

    /// Weighted rendezvous: a region that goes takes only its own clients along.
    fn by_network(&mut self, regions: &[(RegionId, u32)], v4_prefix: u8, v6_prefix: u8) -> Option<Picked> {
        let network = network(self.asking.client, v4_prefix, v6_prefix);
        let mut best: Option<(f64, RegionId)> = None;
        for (region, weight) in regions {
            let weight = f64::from(*weight) * f64::from(self.share(*region).get());
            if weight <= 0.0 {
                continue;
            }
            let mark = self.compass.marks.get(region.index()).copied().unwrap_or_default();
            let score = -unit(mixed(network ^ mixed(mark))).ln() / weight;
            if best.is_none_or(|(least, _)| score < least) {
                best = Some((score, *region));
            }
        }
        best.map(|(_, region)| Picked::one(region))
    }

    fn chance(&mut self, share: BasisPoints) -> bool {
        share == BasisPoints::FULL || self.random.u16(..BasisPoints::FULL.get()) < share.get()
    }

    /// Why a region is not even looked at.
    fn tell_of(&mut self, region: RegionId) {
        if self.told.is_some() {
            self.share(region);
        }
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(what());
        }
    }
}

fn network(client: IpAddr, v4_prefix: u8, v6_prefix: u8) -> u64 {
    match client {
        IpAddr::V4(address) => {
            u64::from(address.to_bits().checked_shr(32 - u32::from(v4_prefix.min(32))).unwrap_or(0)) << 1
        }
        IpAddr::V6(address) => {
            let upper = u64::try_from(address.to_bits() >> 64).unwrap_or_default();
            upper.checked_shr(64 - u32::from(v6_prefix.min(64))).unwrap_or(0) << 1 | 1
        }
    }
}

/// `SplitMix64`: the same on every node.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Between 0 and 1, and neither.
#[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
fn unit(value: u64) -> f64 {
    ((value >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}
