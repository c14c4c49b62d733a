//! Where a request goes: pure, from what it is and one snapshot. `explain` calls the same.
//!
//! Not here: what a request is (`route`).

use std::time::Duration;

use super::{
    Refusal,
    route::{Fence, Routing},
};
use crate::{
    balance::{self, Ask, InFlight, Selector, Shown, Standard, Turns},
    clock::{Random, seeded},
    config::{Balancing, WhenAllDown},
    fleet::{PoolId, RegionId},
    policy::{self, Climb, Rung},
    table::Snapshot,
};

/// What a request is that goes to an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Case {
    /// Position of the route.
    pub(super) route: usize,
    /// Whose origins answer.
    pub(super) pool: PoolId,
    /// Whether it came through another region, and so has to stay in this one.
    pub(super) is_passed_on: bool,
    /// What it has in common with others that go to the same origin.
    pub(super) key: Option<u64>,
    /// What its client showed of the origin that it had; nothing where the pool gives no cookies.
    pub(super) sticky: Option<Shown>,
    /// Where it may be answered at all, as far as that matters.
    pub(super) fence: Option<Fence>,
    /// Its client, where that comes back to the origin that it had: so that it is led elsewhere once, and not with every request anew.
    pub(super) client: Option<u64>,
    /// Whether its client came by TLS.
    pub(super) is_secure: bool,
}

/// Where one try goes.
#[derive(Debug)]
pub(super) struct Plan {
    /// Whose origin: the case's, or its last resort.
    pub(super) pool: PoolId,
    /// Where it stands.
    pub(super) region: RegionId,
    /// Position among the pool's origins.
    pub(super) origin: usize,
    /// On which rung of the ladder it was found.
    pub(super) rung: Rung,
    /// Counts the request as the origin's load until it ends.
    pub(super) in_flight: Option<InFlight>,
}

/// What picking needs besides the case: one worker's turns and randomness.
#[derive(Debug)]
pub(super) struct Picker {
    pub(super) turns: Turns,
    pub(super) random: Random,
}

impl Picker {
    /// Chooses from a snapshot taken now: a pool, where one has nobody left; a region by the ladder; an origin by balance. `tried` origins of
    /// the case's own pool are left out.
    pub(super) fn pick(
        &mut self,
        case: &Case,
        routing: &Routing,
        snapshot: Snapshot<'_>,
        tried: &[usize],
        now: Duration,
    ) -> Result<Plan, Refusal> {
        let settings = &routing.pool(case.pool).line.settings;
        let last = |picker: &mut Self| picker.climb(case, routing, snapshot, tried, settings.when_all_down, now);
        let Some(resort) = settings.last_resort else { return last(self) };
        let other = Case { pool: resort, sticky: None, ..*case };
        self.climb(case, routing, snapshot, tried, WhenAllDown::Closed, now)
            .or_else(|_| {
                let plan = self.climb(&other, routing, snapshot, &[], WhenAllDown::Closed, now)?;
                Ok(Plan { rung: Rung::LastResort, ..plan })
            })
            .or_else(|_: Refusal| last(self))
    }

    fn climb(
        &mut self,
        case: &Case,
        routing: &Routing,
        snapshot: Snapshot<'_>,
        tried: &[usize],
        when_all_down: WhenAllDown,
        now: Duration,
    ) -> Result<Plan, Refusal> {
        let pool = snapshot.generation.pool(case.pool).ok_or(Refusal::NoHealthyOrigin)?;
        let plan = routing.pool(case.pool);
        let fenced = case.fence.map(|fence| routing.fences.keep(fence, &plan.regions));
        let permitted = fenced.as_deref().unwrap_or(&plan.regions);
        // Home stands first, where it has origins at all.
        let here = permitted.split_at_checked(1).map_or(&[][..], |(first, _)| first);
        let is_home = |regions: &[RegionId]| regions == [routing.home];
        let mut regions: &[RegionId] = match case.is_passed_on {
            true if is_home(here) => here,
            true => &[],
            false => permitted,
        };
        let settings = &plan.line.settings.balancing;
        let whole = Climb {
            pool: (case.pool, pool),
            regions: &[],
            home: routing.home,
            by_door: !plan.doors.is_empty(),
            tried,
            when_all_down,
            snapshot,
            flow: &routing.flow,
            now,
        };
        if let Some(kept) = self.kept(case, &Climb { regions, ..whole }, settings, tried) {
            return Ok(kept);
        }
        let mut left: Vec<RegionId>;
        loop {
            let with = Climb { regions, ..whole };
            // The same for the same key or client, as far as what is left is the same.
            let mut of_key = case.key.or(case.client).map(seeded);
            let random = of_key.as_mut().unwrap_or(&mut self.random);
            let (rung, region) = policy::climb(&with, random).ok_or(Refusal::NoHealthyOrigin)?;
            let standard = standard(rung);
            let ask = Ask { pool: whole.pool, settings, region, standard, key: case.key, tried, now: snapshot.now };
            if let Some(origin) = balance::pick(&ask, &mut self.turns, &mut self.random) {
                let selector = pool.selector::<Selector>();
                let in_flight = selector.and_then(|selector| selector.begin(origin, settings, now));
                return Ok(Plan { pool: case.pool, region, origin, rung, in_flight });
            }
            // All origins there were tried, or turned down between two reads: ask the regions that are left.
            left = regions.iter().copied().filter(|other| *other != region).collect();
            regions = &left;
        }
    }

    /// The origin that the client had, where it may stay: it is as good as those that others are sent to, and its region takes this client.
    fn kept(&mut self, case: &Case, with: &Climb<'_>, settings: &Balancing, tried: &[usize]) -> Option<Plan> {
        let (origin, pool) = (case.sticky?.origin?, with.pool.1);
        let region = pool.origins().get(origin)?.region;
        if !with.may_stay_in(region, &mut seeded(case.client?)) {
            return None;
        }
        let (standard, now) = (Standard::Proven, with.snapshot.now);
        let ask = Ask { pool: with.pool, settings, region, standard, key: None, tried, now };
        if !balance::keeps(&ask, origin, &mut self.turns, &mut self.random) {
            return None;
        }
        let rung = if region == with.home { Rung::Home } else { Rung::Neighbour };
        let in_flight = pool.selector::<Selector>()?.begin(origin, settings, with.now);
        Some(Plan { pool: case.pool, region, origin, rung, in_flight })
    }
}

/// How good an origin has to be on a rung.
pub(super) fn standard(rung: Rung) -> Standard {
    match rung {
        Rung::Home | Rung::Neighbour | Rung::OverCapacity | Rung::Drained => Standard::Proven,
        Rung::Unproven | Rung::LastResort => Standard::Unproven,
        Rung::Open => Standard::Any,
    }
}
