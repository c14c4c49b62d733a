//! What is prepared for one pool when it changes: what each tier of each region is chosen by, and the origins' loads.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    alias::Alias,
    key::key_of,
    load::{InFlight, Load, Total},
    maglev::{Claimant, Maglev},
    round_robin::Schedule,
};
use crate::{
    config::Balancing,
    fleet::{Address, Balance, RegionId},
    table::{Origin, Pool},
};

/// Prepared for one pool; found through `Pool::selector`.
#[derive(Debug)]
pub struct Selector {
    /// Tells it from all others.
    serial: u64,
    method: Balance,
    members: Box<[Member]>,
    /// By region, in the order of `Pool::regions`, and in regions by tier.
    tiers: Box<[Tier]>,
    /// Which of the tiers are a region's.
    regions: Box<[Range<usize>]>,
}

/// One origin, by position among the pool's.
#[derive(Debug)]
struct Member {
    load: Arc<Load>,
    tier: u32,
}

/// The origins of a region that are asked at the same time.
#[derive(Debug)]
pub(super) struct Tier {
    region: RegionId,
    number: u8,
    /// Positions among the pool's origins.
    pub(super) members: Range<usize>,
    /// The sum of their configured weights.
    pub(super) weight: u64,
    /// For draws by weight; nothing where nobody has weight.
    pub(super) alias: Option<Alias>,
    /// For round robin.
    pub(super) schedule: Option<Schedule>,
    /// For the hash, both.
    pub(super) maglev: Option<Maglev>,
    pub(super) total: Option<Arc<Total>>,
}

impl Selector {
    /// The load of the origin at this position.
    pub fn load(&self, position: usize) -> Option<&Arc<Load>> {
        self.members.get(position).map(|member| &member.load)
    }

    /// Counts a request at the origin at this position, as far as the pool's method wants to know of it.
    pub fn begin(&self, position: usize, settings: &Balancing, now: Duration) -> Option<InFlight> {
        let member = self.members.get(position)?;
        let in_flight = member.load.begin();
        Some(match (self.method, &self.tiers[member.tier as usize].total) {
            (_, Some(total)) => in_flight.among(total),
            (Balance::PeakEwma, None) => in_flight.timed(&settings.peak_ewma, now),
            _ => in_flight,
        })
    }

    /// Requests under way at all of them.
    pub fn in_flight(&self) -> u64 {
        self.members.iter().map(|member| u64::from(member.load.in_flight())).sum()
    }

    pub(super) fn method(&self) -> Balance {
        self.method
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    /// Of all regions.
    pub(super) fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// Positions of a region's tiers.
    pub(super) fn tiers_in(&self, region: usize) -> Range<usize> {
        self.regions.get(region).cloned().unwrap_or_default()
    }

    pub(super) fn tier_of(&self, position: usize) -> usize {
        self.members[position].tier as usize
    }

    /// Of one that is there.
    #[inline]
    pub(super) fn load_at(&self, position: usize) -> &Load {
        &self.members[position].load
    }
}

/// Prepares a pool whose origins are grouped by region and tier. Origins that were there before keep their load.
pub fn build(method: Balance, origins: &[Origin], previous: Option<&Pool>) -> crate::table::Selector {
    /// The first one is 1, so that a worker's empty memory is of none.
    static SERIAL: AtomicU64 = AtomicU64::new(1);

    let before = previous.and_then(|pool| Some((pool, pool.selector::<Selector>()?)));
    let loads: HashMap<&Address, &Arc<Load>> = before
        .iter()
        .flat_map(|(pool, selector)| pool.origins().iter().zip(&selector.members))
        .map(|(origin, member)| (&origin.address, &member.load))
        .collect();
    let mut members = Vec::with_capacity(origins.len());
    let (mut tiers, mut regions) = (Vec::new(), Vec::new());
    for region in origins.chunk_by(|left, right| left.region == right.region) {
        let first = tiers.len();
        for tier in region.chunk_by(|left, right| left.tier == right.tier) {
            let at = u32::try_from(tiers.len()).unwrap_or(u32::MAX);
            let start = members.len();
            members.extend(tier.iter().map(|origin| {
                let load = loads.get(&origin.address).map_or_else(Arc::default, |load| Arc::clone(load));
                Member { load, tier: at }
            }));
            tiers.push(Tier::new(method, tier, start, before.map(|(_, selector)| selector)));
        }
        regions.push(first..tiers.len());
    }
    Arc::new(Selector {
        serial: SERIAL.fetch_add(1, Ordering::Relaxed),
        method,
        members: members.into(),
        tiers: tiers.into(),
        regions: regions.into(),
    })
}

impl Tier {
    /// Of these origins, the first of which stands at `start`.
    fn new(method: Balance, origins: &[Origin], start: usize, before: Option<&Selector>) -> Self {
        let (region, number) = (origins[0].region, origins[0].tier);
        let weights: Vec<u16> = origins.iter().map(|origin| origin.weight).collect();
        let claimant = |origin: &Origin| Claimant {
            identity: key_of(origin.address.to_string().as_bytes()),
            weight: origin.weight,
        };
        let claimants = || origins.iter().map(claimant).collect::<Vec<_>>();
        // Requests that are under way go on counting where they began to.
        let total = || {
            let tiers = before.map_or(&[][..], |selector| &selector.tiers);
            let same = tiers.iter().find(|tier| (tier.region, tier.number) == (region, number));
            same.and_then(|tier| tier.total.clone()).unwrap_or_default()
        };
        Self {
            region,
            number,
            members: start..start + origins.len(),
            weight: weights.iter().copied().map(u64::from).sum(),
            alias: Alias::new(&weights),
            schedule: if method == Balance::RoundRobin { Schedule::new(&weights) } else { None },
            maglev: if method == Balance::Hash { Maglev::new(&claimants()) } else { None },
            total: (method == Balance::Hash).then(total),
        }
    }
}
