//! Whom of one tier: each method, and what all of them fall back to.
//!
//! While all is well every method costs a few look-ups. An origin that must not be asked now costs a draw more and not a look at everybody:
//! drawing by configured weight, and accepting as its row says, is drawing by what rows leave of the weights. Only a tier where that came to
//! nothing so many times that hardly anybody can be left is looked through, and then exactly.

use std::ops::Range;

use super::{
    key::again,
    load::{Fading, SEATS},
    pick::Ask,
    selector::{Selector, Tier},
    turns::{Desk, Moment},
};
use crate::{
    clock::{Random, seeded},
    fleet::{Balance, BasisPoints},
    table::Origin,
};

/// Draws before a tier is looked through: with half of it down, one pick in 65,536 gets there.
const DRAWS: u32 = 16;
/// The same for a key that jumps, as there is more to lose.
const JUMPS: u64 = 32;

/// What a key draws its tier by, beyond all jumps and all likings.
const TIER: u64 = u64::MAX;

/// Requests that an origin may carry whatever the bound says: in a quiet pool two of one key would else be too many for one origin.
const ALWAYS: u128 = 8;

/// One pick, in whatever tier.
pub(super) struct Choice<'a> {
    pub(super) ask: &'a Ask<'a>,
    pub(super) selector: &'a Selector,
    /// The pool's.
    pub(super) origins: &'a [Origin],
    pub(super) moment: Moment,
    pub(super) desk: &'a mut Desk,
    pub(super) random: &'a mut Random,
}

impl Choice<'_> {
    /// An origin of this tier, as a position among the pool's.
    pub(super) fn one_of(&mut self, at: usize) -> Option<usize> {
        let selector = self.selector;
        let tier = &selector.tiers()[at];
        match (selector.method(), self.ask.key) {
            (Balance::RoundRobin, _) => self.in_turn(at, tier),
            (Balance::LeastConnections, _) => self.least(at, tier, None),
            (Balance::PeakEwma, _) => {
                let fading = Fading::new(&self.ask.settings.peak_ewma);
                self.least(at, tier, Some(fading))
            }
            (Balance::Hash, Some(key)) => self.by_key(at, tier, key),
            (Balance::Random, _) | (Balance::Hash, None) => self.by_weight(tier),
        }
    }

    /// A number below `total`: the same for the same key.
    pub(super) fn draw(&mut self, total: u64) -> u64 {
        match self.ask.key {
            Some(key) => seeded(again(key, TIER)).u64(..total),
            None => self.random.u64(..total),
        }
    }

    fn in_turn(&mut self, at: usize, tier: &Tier) -> Option<usize> {
        if let Some(schedule) = &tier.schedule {
            let position = tier.members.start + schedule.turn(self.desk.turn(at));
            if self.accepts(position) {
                return Some(position);
            }
        }
        // Its turn is everybody's: handed to the next in line, that neighbour would get all of it.
        self.by_weight(tier)
    }

    fn by_weight(&mut self, tier: &Tier) -> Option<usize> {
        let alias = tier.alias.as_ref()?;
        for _ in 0..DRAWS {
            let position = tier.members.start + alias.draw(self.random);
            if self.accepts(position) {
                return Some(position);
            }
        }
        self.exactly_by_weight(tier.members.clone())
    }

    fn exactly_by_weight(&mut self, members: Range<usize>) -> Option<usize> {
        // Weights are read twice and may have changed in between: the last one with weight stands in.
        let total: u64 = members.clone().map(|position| self.weight(position)).sum();
        let mut left = if total == 0 { return None } else { self.random.u64(..total) };
        let mut last = None;
        for position in members {
            let weight = self.weight(position);
            if left < weight {
                return Some(position);
            }
            left -= weight;
            if weight > 0 {
                last = Some(position);
            }
        }
        last
    }

    /// A few are looked through for the least; of more, two are drawn and compared.
    fn least(&mut self, at: usize, tier: &Tier, fading: Option<Fading>) -> Option<usize> {
        if tier.members.len() <= SEATS {
            return self.least_of_few(at, tier, fading);
        }
        let alias = tier.alias.as_ref()?;
        let mut first = None;
        for _ in 0..DRAWS {
            let position = tier.members.start + alias.draw(self.random);
            match first {
                // Twice the same would be no choice.
                Some((other, _)) if other == position => {}
                _ if !self.accepts(position) => {}
                None => first = Some((position, self.cost(position, fading))),
                Some((other, cost)) => return Some(if self.cost(position, fading) < cost { position } else { other }),
            }
        }
        first.map(|(position, _)| position).or_else(|| self.exactly_by_weight(tier.members.clone()))
    }

    /// The weights are those of a moment ago: whom they led to is looked at now, and where that one is gone, all are.
    fn least_of_few(&mut self, at: usize, tier: &Tier, fading: Option<Fading>) -> Option<usize> {
        for _ in 0..2 {
            let weights = self.desk.weights(at, tier, self.origins, self.moment);
            let costs = self.costs(tier.members.clone(), &weights, fading);
            let Some(place) = least_of(&costs, self.random) else { break };
            let position = tier.members.start + place;
            if self.share(position) > BasisPoints::ZERO {
                return Some(position);
            }
            self.desk.forget(at);
        }
        self.exactly_by_weight(tier.members.clone())
    }

    /// What it costs to ask each of a few; infinitely much where it must not be asked. Loops over arrays of one length become a few steps
    /// of the processor for all of them.
    #[inline]
    #[allow(clippy::cast_precision_loss, reason = "a comparison of loads")]
    fn costs(&self, members: Range<usize>, weights: &[f32; SEATS], fading: Option<Fading>) -> [f32; SEATS] {
        let mut counts = [0_i32; SEATS];
        for (count, load) in counts.iter_mut().zip(self.selector.loads(members.clone())) {
            *count = load.in_flight().cast_signed();
        }
        let mut costs: [f32; SEATS] = std::array::from_fn(|place| (counts[place] as f32 + 1.0) / weights[place]);
        if let Some(fading) = fading {
            for (cost, load) in costs.iter_mut().zip(self.selector.loads(members.clone())) {
                *cost *= load.latency(fading, self.moment.now);
            }
        }
        for position in self.ask.tried.iter().filter(|position| members.contains(position)) {
            costs[position - members.start] = f32::INFINITY;
        }
        costs
    }

    /// What it costs to ask this one; infinitely much where it must not be asked.
    #[inline]
    #[allow(clippy::cast_precision_loss, reason = "a comparison of loads")]
    fn cost(&self, position: usize, fading: Option<Fading>) -> f32 {
        let weight = self.weight(position);
        if weight == 0 {
            return f32::INFINITY;
        }
        let load = self.selector.load_at(position);
        let pending = load.in_flight() as f32 + 1.0;
        let latency = fading.map_or(1.0, |fading| load.latency(fading, self.moment.now));
        latency * pending / weight as f32
    }

    /// The owner of the key's slot; where that one is not to be asked or carries too much, the key jumps to another slot, anywhere.
    fn by_key(&mut self, at: usize, tier: &Tier, key: u64) -> Option<usize> {
        let maglev = tier.maglev.as_ref()?;
        let bound = Bound {
            percent: u128::from(self.ask.settings.hash.bound_percent),
            usable: u128::from(self.desk.weighed(at, tier, self.origins, self.moment).usable),
            under_way: u128::from(self.selector.under_way(tier)),
        };
        for jump in 0..JUMPS {
            let hash = again(key, jump);
            let position = tier.members.start + maglev.find(hash);
            // The key alone says whether it is among those that a thinned weight lets through.
            let is_within = again(hash, 1) % u64::from(BasisPoints::FULL.get()) < u64::from(self.share(position).get());
            if is_within && bound.leaves_room(self, position) {
                return Some(position);
            }
        }
        self.nearest(tier.members.clone(), key, bound)
    }

    /// The one that the key likes most among those that have room, else the one with the least to do.
    fn nearest(&mut self, members: Range<usize>, key: u64, bound: Bound) -> Option<usize> {
        let has_room = |position: &usize| self.weight(*position) > 0 && bound.leaves_room(self, *position);
        let liking = |position: &usize| again(key, JUMPS + *position as u64);
        if let Some(position) = members.clone().filter(has_room).max_by_key(liking) {
            return Some(position);
        }
        let usable = members.map(|position| (position, self.cost(position, None)));
        let least = usable.filter(|(_, cost)| cost.is_finite()).min_by(|left, right| left.1.total_cmp(&right.1));
        least.map(|(position, _)| position)
    }

    /// What is left of its configured weight, in basis points of it, so that a thinned weight of 1 is still more than nothing.
    #[inline]
    fn weight(&self, position: usize) -> u64 {
        u64::from(self.origins[position].weight) * u64::from(self.share(position).get())
    }

    #[inline]
    fn share(&self, position: usize) -> BasisPoints {
        if self.ask.tried.contains(&position) {
            return BasisPoints::ZERO;
        }
        self.ask.standard.share(self.origins[position].row.read(self.ask.now))
    }

    #[inline]
    fn accepts(&mut self, position: usize) -> bool {
        let share = self.share(position);
        share == BasisPoints::FULL || self.random.u16(..BasisPoints::FULL.get()) < share.get()
    }
}

/// The least, as a place; of several that are equal, any.
#[inline]
#[allow(clippy::float_cmp, reason = "the least is one of them")]
fn least_of(costs: &[f32; SEATS], random: &mut Random) -> Option<usize> {
    // Four at a time: one chain of comparisons would wait for each.
    let lower = |one: f32, other: f32| if other < one { other } else { one };
    let mut lanes = [f32::INFINITY; 4];
    for four in costs.chunks_exact(4) {
        lanes = std::array::from_fn(|lane| lower(lanes[lane], four[lane]));
    }
    let least = lower(lower(lanes[0], lanes[1]), lower(lanes[2], lanes[3]));
    if least == f32::INFINITY {
        return None;
    }
    let mut equal = (0..SEATS).fold(0_u32, |equal, place| equal | u32::from(costs[place] == least) << place);
    let count = equal.count_ones();
    for _ in 0..if count > 1 { random.u32(..count) } else { 0 } {
        equal &= equal - 1;
    }
    Some(equal.trailing_zeros() as usize)
}

/// How much an origin may carry: so many percent of what is its by weight, of all that is under way and one more. Workers that look at the
/// same moment may each put one more there.
#[derive(Clone, Copy)]
struct Bound {
    percent: u128,
    /// Weight, in basis points.
    usable: u128,
    under_way: u128,
}

impl Bound {
    fn leaves_room(self, choice: &Choice<'_>, position: usize) -> bool {
        let carried = u128::from(choice.selector.load_at(position).in_flight());
        // As one request more is at most the bound, rounded up, exactly when what is carried is below it.
        let own = u128::from(choice.weight(position));
        carried < ALWAYS || carried * 100 * self.usable < self.percent * (self.under_way + 1) * own
    }
}
