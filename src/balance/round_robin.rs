//! Smooth weighted round robin: the order of turns is computed once per change of weights, so a turn costs one look-up.
//!
//! An origin of weight `w` is due at `(k + phase) / w` for `k = 0, 1, …`, and origins of equal weight share the phases between 0
//! and 1 evenly. Turns in the order of these due times spread every origin's turns over the round: weights 5, 1, 1 give
//! `a b a a a c a`, never `a a a a a b c`.
//!
//! Not here: whose place in a round it is (`turns`), and what happens to a turn that cannot be taken (`choose`).

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

/// A round is at most this many turns (256 KiB); tiers beyond it, which means hundreds of origins with weights that share no factor, have none and
/// are drawn at random by weight instead, where smoothness no longer shows.
const MAX_TURNS: usize = 65_536;

/// The turns of one round, as positions within the tier.
#[derive(Debug)]
pub(super) struct Schedule(Box<[u32]>);

impl Schedule {
    /// Nothing where nobody has weight, or the round would be too long.
    pub(super) fn new(weights: &[u16]) -> Option<Self> {
        let weights: Vec<u64> = weights.iter().copied().map(u64::from).collect();
        let divisor = weights.iter().copied().fold(0, gcd).max(1);
        let length: u64 = weights.iter().map(|weight| weight / divisor).sum();
        (1..=MAX_TURNS as u64).contains(&length).then(|| Self(turns(&weights, divisor)))
    }

    /// Whose turn it is.
    #[inline]
    pub(super) fn turn(&self, turn: u32) -> usize {
        self.0[turn as usize % self.0.len()] as usize
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round(weights: &[u16]) -> Vec<u32> {
        Schedule::new(weights).map(|schedule| schedule.0.into_vec()).unwrap_or_default()
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
    fn a_round_too_long_and_one_of_nobody_are_none() {
        let weights: Vec<u16> = (0..600).map(|at| if at % 2 == 0 { 256 } else { 255 }).collect();
        assert!(Schedule::new(&weights).is_none() && Schedule::new(&[0, 0]).is_none());
        assert!(Schedule::new(&vec![7; 60_000]).is_some());
    }

    #[test]
    fn a_round_begins_anew_at_its_end() {
        let schedule = Schedule::new(&[200, 100]).unwrap();
        let taken: Vec<usize> = (0..6).map(|turn| schedule.turn(turn)).collect();
        assert_eq!(taken, [0, 1, 0, 0, 1, 0]);
    }
}
