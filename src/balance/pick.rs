//! The pick: which tier, and whom of it.
//!
//! Tiers stand for each other: the first takes everything as long as its usable weight × 1.4 carries it, which it does down to 71.4 % of its
//! configured weight, and then as much as it does carry; the excess goes to the second, and so on. How much is everything the first tier's
//! configured weight says, without those who join: nothing was lost with them. Who is found nowhere there is looked for in the tiers that are left, from the first.
//!
//! Pure but for the worker's memory and its randomness.

use std::ops::Range;

use super::{
    choose::Choice,
    selector::Selector,
    standard::Standard,
    turns::{Desk, Moment, Turns},
};
use crate::{
    clock::{Random, Ticks},
    config::Balancing,
    fleet::{BasisPoints, PoolId, RegionId},
    table::Pool,
};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Whose origins.
    pub pool: (PoolId, &'a Pool),
    /// How they share requests.
    pub settings: &'a Balancing,
    /// Where they stand.
    pub region: RegionId,
    /// How good one has to be.
    pub standard: Standard,
    /// What the request has in common with others that go to the same origin; nothing where it has nothing.
    pub key: Option<u64>,
    /// Those that are left out, as positions among the pool's origins.
    pub tried: &'a [usize],
    /// The time that rows are read at.
    pub now: Ticks,
}

/// The origin, as a position among the pool's, that takes the next request in a region.
pub fn pick(ask: &Ask<'_>, turns: &mut Turns, random: &mut Random) -> Option<usize> {
    let (id, pool) = ask.pool;
    let selector = pool.selector::<Selector>()?;
    let region = pool.regions().binary_search_by_key(&ask.region, |entry| entry.region).ok()?;
    let tiers = selector.tiers_in(region);
    let desk = turns.desk(id, selector, random);
    let moment = Moment { now: ask.now, measure: pool.regions()[region].row.measure(), standard: ask.standard };
    let mut choice = Choice { ask, selector, origins: pool.origins(), moment, desk, random };
    if tiers.len() == 1 {
        return choice.one_of(tiers.start);
    }
    let drawn = draw_tier(&mut choice, tiers.clone());
    choice.one_of(drawn).or_else(|| tiers.filter(|tier| *tier != drawn).find_map(|tier| choice.one_of(tier)))
}

/// Whether a client may stay with the origin that it had: it is as good as asked, was not tried, and its tier takes requests now.
pub fn keeps(ask: &Ask<'_>, position: usize, turns: &mut Turns, random: &mut Random) -> bool {
    let (id, pool) = ask.pool;
    let (Some(selector), Some(origin)) = (pool.selector::<Selector>(), pool.origins().get(position)) else {
        return false;
    };
    let share = ask.standard.share(origin.row.read(ask.now));
    if origin.weight == 0 || share == BasisPoints::ZERO || ask.tried.contains(&position) {
        return false;
    }
    let Ok(region) = pool.regions().binary_search_by_key(&origin.region, |entry| entry.region) else { return false };
    let (tiers, own) = (selector.tiers_in(region), selector.tier_of(position));
    if tiers.len() == 1 {
        return true;
    }
    let desk = turns.desk(id, selector, random);
    let moment = Moment { now: ask.now, measure: pool.regions()[region].row.measure(), standard: ask.standard };
    let mut loads = Loads::of(selector, tiers.clone(), pool, desk, moment);
    tiers.into_iter().any(|tier| {
        let load = loads.of_next(tier, selector, pool, desk, moment);
        tier == own && load > 0
    })
}

/// What the tiers of a region take, one after the other, of what there is to take.
struct Loads {
    /// In basis points of configured weight.
    left: u64,
}

impl Loads {
    fn of(selector: &Selector, tiers: Range<usize>, pool: &Pool, desk: &mut Desk, moment: Moment) -> Self {
        let first = tiers.clone().find(|tier| selector.tiers()[*tier].weight > 0);
        let whole = first.map(|tier| desk.weighed(tier, &selector.tiers()[tier], pool.origins(), moment).whole);
        Self { left: whole.unwrap_or_default() }
    }

    fn of_next(&mut self, tier: usize, selector: &Selector, pool: &Pool, desk: &mut Desk, moment: Moment) -> u64 {
        let usable = desk.weighed(tier, &selector.tiers()[tier], pool.origins(), moment).usable;
        // The headroom that regions are thought to have, too (`policy::carry`).
        let taken = (usable * 7 / 5).min(self.left);
        self.left -= taken;
        taken
    }
}

fn draw_tier(choice: &mut Choice<'_>, tiers: Range<usize>) -> usize {
    let (selector, (_, pool)) = (choice.selector, choice.ask.pool);
    let whole = Loads::of(selector, tiers.clone(), pool, choice.desk, choice.moment);
    let mut loads = Loads { ..whole };
    let first = loads.of_next(tiers.start, selector, pool, choice.desk, choice.moment);
    if loads.left == 0 && first > 0 {
        return tiers.start;
    }
    let rest = tiers.clone().skip(1);
    let total: u64 =
        first + rest.map(|tier| loads.of_next(tier, selector, pool, choice.desk, choice.moment)).sum::<u64>();
    if total == 0 {
        return tiers.start;
    }
    let (mut drawn, mut loads) = (choice.draw(total), whole);
    for tier in tiers.clone() {
        let taken = loads.of_next(tier, selector, pool, choice.desk, choice.moment);
        if drawn < taken {
            return tier;
        }
        drawn -= taken;
    }
    tiers.start
}
