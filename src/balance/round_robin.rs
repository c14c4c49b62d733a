//! Smooth weighted round robin: the order of turns is computed once per change of weights, so a turn costs one look-up.
//!
//! An origin of weight `w` is due at `(k + phase) / w` for `k = 0, 1, …`, and origins of equal weight share the phases between 0
//! and 1 evenly. Turns in the order of these due times spread every origin's turns over the round: weights 5, 1, 1 give
//! `a b a a a c a`, never `a a a a a b c`.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use crate::{
    clock::Random,
    fleet::{PoolId, RegionId},
};

/// A round is at most this many turns (256 KiB); pools beyond it, which means hundreds of origins with weights that share no
/// factor, are drawn at random by weight instead, where smoothness no longer shows.
const MAX_TURNS: usize = 65_536;

/// The turns of one round, as positions within the region's origins.
#[derive(Debug)]
pub(super) struct Schedule {
    turns: Box<[u32]>,
    /// The round was too long: draw from `turns`, which then holds each position once, by cumulated weight.
    cumulated: Box<[u64]>,
}

impl Schedule {
    pub(super) fn new(weights: impl Iterator<Item = u16>) -> Self {
        let weights: Vec<u64> = weights.map(u64::from).collect();
        let divisor = weights.iter().copied().fold(0, gcd).max(1);
        let length: u64 = weights.iter().map(|weight| weight / divisor).sum();
        if length > MAX_TURNS as u64 {
            let mut sum = 0;
            let cumulate = |weight| {
                sum += weight;
                sum
            };
            return Self { turns: Box::default(), cumulated: weights.into_iter().map(cumulate).collect() };
        }
        Self { turns: turns(&weights, divisor), cumulated: Box::default() }
    }

    /// Whose turn it is, as a position within the region; `None` where no origin has weight.
    pub(super) fn turn(&self, turn: u32, random: &mut Random) -> Option<usize> {
        if let Some(total) = self.cumulated.last() {
            let drawn = random.u64(..*total);
            return Some(self.cumulated.partition_point(|sum| *sum <= drawn));
        }
        let length = u32::try_from(self.turns.len()).ok().filter(|length| *length > 0)?;
        Some(self.turns[(turn % length) as usize] as usize)
    }
}

fn turns(weights: &[u64], divisor: u64) -> Box<[u32]> {
    let reduced: Vec<u64> = weights.iter().map(|weight| weight / divisor).collect();
    let mut equals: HashMap<u64, (u64, u64)> = HashMap::new();
    for weight in &reduced {
        equals.entry(*weight).or_default().0 += 1;
    }
    let mut queue = BinaryHeap::with_capacity(reduced.len());
    for (position, &weight) in (0_u32..).zip(&reduced).filter(|(_, weight)| **weight > 0) {
        let (count, rank) = equals.get_mut(&weight).map_or((1, 0), |(count, next)| {
            *next += 1;
            (*count, *next - 1)
        });
        let seat = Seat { position, weight, phase: (2 * rank + 1, 2 * count) };
        queue.push(Reverse((seat.due(0), position, 0, seat)));
    }
    let mut turns = Vec::new();
    while let Some(Reverse((_, position, turn, seat))) = queue.pop() {
        turns.push(position);
        if turn + 1 < seat.weight {
            queue.push(Reverse((seat.due(turn + 1), position, turn + 1, seat)));
        }
    }
    turns.into()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seat {
    position: u32,
    weight: u64,
    /// Numerator and denominator.
    phase: (u64, u64),
}

impl Seat {
    /// When the turn is due, with a round lasting 2^32.
    fn due(self, turn: u64) -> u64 {
        let (part, whole) = self.phase;
        let exact = (u128::from(turn * whole + part) << 32) / u128::from(self.weight * whole);
        u64::try_from(exact).unwrap_or(u64::MAX)
    }
}

fn gcd(left: u64, right: u64) -> u64 {
    if right == 0 { left } else { gcd(right, left % right) }
}

/// One worker's place in every round. Workers start at different places, so that they do not march in step.
#[derive(Debug, Default)]
pub struct Turns(Vec<Vec<u32>>);

impl Turns {
    /// The next turn in a pool's region. Ids may change their meaning with a reload; a round goes on from any place.
    pub(super) fn next(&mut self, pool: PoolId, region: RegionId, random: &mut Random) -> u32 {
        if self.0.len() <= pool.index() {
            self.0.resize_with(pool.index() + 1, Vec::new);
        }
        let places = &mut self.0[pool.index()];
        while places.len() <= region.index() {
            places.push(random.u32(..));
        }
        let place = &mut places[region.index()];
        *place = place.wrapping_add(1);
        *place
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::seeded;

    fn round(weights: &[u16]) -> Vec<u32> {
        Schedule::new(weights.iter().copied()).turns.into_vec()
    }

    #[test]
    fn turns_are_spread_and_never_come_in_bursts() {
        assert_eq!(round(&[1, 1, 1]), [0, 1, 2]);
        assert_eq!(round(&[200, 100]), [0, 1, 0]);
        assert_eq!(round(&[5, 1, 1]), [0, 1, 0, 0, 0, 2, 0]);
    }

    proptest! {
        #[test]
        fn a_round_gives_everyone_exactly_its_weight(weights in prop::collection::vec(0_u16..=256, 1..20)) {
            let divisor = weights.iter().copied().map(u64::from).fold(0, gcd).max(1);
            let round = round(&weights);
            for (position, weight) in (0_u32..).zip(&weights) {
                let count = round.iter().filter(|turn| **turn == position).count() as u64;
                prop_assert_eq!(count, u64::from(*weight) / divisor);
            }
        }
    }

    #[test]
    fn a_round_too_long_is_drawn_by_weight() {
        let weights: Vec<u16> = (0..600).map(|at| if at % 2 == 0 { 256 } else { 255 }).collect();
        let schedule = Schedule::new(weights.iter().copied());
        let mut random = seeded(1);
        let mut even = 0;
        for turn in 0..100_000 {
            even += usize::from(schedule.turn(turn, &mut random).unwrap().is_multiple_of(2));
        }
        assert!((49_000..51_200).contains(&even), "{even}");
    }

    #[test]
    fn nobody_with_weight_means_nobodys_turn() {
        assert_eq!(Schedule::new([0, 0].into_iter()).turn(3, &mut seeded(1)), None);
    }
}
