//! What is prepared for one pool when it changes: what each tier of each region is chosen by, and the origins' loads.

use std::{
    collections::{HashMap, HashSet},
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
    load::{InFlight, Load, SEATS, Seat},
    maglev::{Claimant, Maglev},
    round_robin::Schedule,
};
use crate::{
    config::Balancing,
    fleet::{Address, Balance},
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
    /// The seat's, where it is read at once.
    load: Load,
    seat: Arc<Seat>,
    tier: u32,
}

/// The origins of a region that are asked at the same time.
#[derive(Debug)]
pub(super) struct Tier {
    /// Positions among the pool's origins.
    pub(super) members: Range<usize>,
    /// The sum of their configured weights.
    pub(super) weight: u64,
    /// For draws by weight; nothing where nobody has weight.
    pub(super) alias: Option<Alias>,
    /// For round robin.
    pub(super) schedule: Option<Schedule>,
    /// For the hash.
    pub(super) maglev: Option<Maglev>,
    /// The same, where there are too many to be added up: requests under way at all of them.
    total: Option<Arc<Seat>>,
}

impl Selector {
    /// The load of the origin at this position.
    pub fn load(&self, position: usize) -> Option<Load> {
        self.members.get(position).map(|member| member.load)
    }

    /// Counts a request at the origin at this position, as far as the pool's method wants to know of it.
    pub fn begin(&self, position: usize, settings: &Balancing, now: Duration) -> Option<InFlight> {
        let member = self.members.get(position)?;
        let in_flight = member.load.begin();
        Some(match (self.method, &self.tiers[member.tier as usize].total) {
            (_, Some(total)) => in_flight.among(total.load),
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
    pub(super) fn load_at(&self, position: usize) -> Load {
        self.members[position].load
    }

    /// Of those that stand one after the other.
    #[inline]
    pub(super) fn loads(&self, positions: Range<usize>) -> impl Iterator<Item = Load> {
        self.members[positions].iter().map(|member| member.load)
    }

    /// Requests under way at all origins of a tier.
    pub(super) fn under_way(&self, tier: &Tier) -> u32 {
        match &tier.total {
            Some(total) => total.load.in_flight(),
            None => self.loads(tier.members.clone()).map(Load::in_flight).sum(),
        }
    }
}

/// Prepares a pool whose origins are grouped by region and tier. Origins that were there before keep their load.
pub fn build(method: Balance, origins: &[Origin], previous: Option<&Pool>) -> crate::table::Selector {
    /// The first one is 1, so that a worker's empty memory is of none.
    static SERIAL: AtomicU64 = AtomicU64::new(1);

    let before = previous.and_then(|pool| Some((pool, pool.selector::<Selector>()?)));
    let members_before: HashMap<&Address, &Member> = before
        .iter()
        .flat_map(|(pool, selector)| pool.origins().iter().zip(&selector.members))
        .map(|(origin, member)| (&origin.address, member))
        .collect();
    let mut members = Vec::with_capacity(origins.len());
    let (mut tiers, mut regions, mut inherited) = (Vec::new(), Vec::new(), HashSet::new());
    for region in origins.chunk_by(|left, right| left.region == right.region) {
        let first = tiers.len();
        for tier in region.chunk_by(|left, right| left.tier == right.tier) {
            let at = u32::try_from(tiers.len()).unwrap_or(u32::MAX);
            let start = members.len();
            let kept: Vec<_> = tier.iter().map(|origin| members_before.get(&origin.address).copied()).collect();
            // Requests that are under way go on counting where they began to.
            let total = kept.iter().flatten().next().zip(before).and_then(|(member, (_, selector))| {
                let total = &selector.tiers[member.tier as usize].total;
                // Where a tier is split, only one goes on with its count.
                if inherited.insert(member.tier) { total.clone() } else { None }
            });
            let mut new = Seat::take(kept.iter().filter(|member| member.is_none()).count()).into_iter();
            members.extend(kept.into_iter().filter_map(|member| {
                let seat = member.map_or_else(|| new.next(), |member| Some(Arc::clone(&member.seat)))?;
                Some(Member { load: seat.load, seat, tier: at })
            }));
            tiers.push(Tier::new(method, tier, start, total));
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
    /// Of these origins, the first of which stands at `start`; `total` where they were counted before.
    fn new(method: Balance, origins: &[Origin], start: usize, total: Option<Arc<Seat>>) -> Self {
        let weights: Vec<u16> = origins.iter().map(|origin| origin.weight).collect();
        let claimant = |origin: &Origin| Claimant {
            identity: key_of(origin.address.to_string().as_bytes()),
            weight: origin.weight,
        };
        let claimants = || origins.iter().map(claimant).collect::<Vec<_>>();
        let is_counted = method == Balance::Hash && origins.len() > SEATS;
        Self {
            members: start..start + origins.len(),
            weight: weights.iter().copied().map(u64::from).sum(),
            alias: Alias::new(&weights),
            schedule: if method == Balance::RoundRobin { Schedule::new(&weights) } else { None },
            maglev: if method == Balance::Hash { Maglev::new(&claimants()) } else { None },
            total: if is_counted { total.or_else(|| Seat::take(1).pop()) } else { None },
        }
    }
}
