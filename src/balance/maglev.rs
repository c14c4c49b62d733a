//! Maglev: a table of slots that are the origins' by weight, so that a key finds its origin by one look-up on every node.
//!
//! Each origin has an order of its own over all slots (from its address alone). Turn by turn, as often as its weight says, each takes
//! the first of its order that is free. So every origin has its share of slots to within a slot or two, nodes with the same origins have the
//! same table, and an origin that leaves gives up its slots while nearly all others stay (Eisenbud et al., NSDI 2016, §3.4).
//!
//! It is made of configured weights when the pool changes. An origin that is down keeps its slots: its keys jump, and nobody else's.
//!
//! Cost: some milliseconds and 128 KiB for up to 655 origins; 100 slots an origin above that, up to 4 million.

use super::key::{again, scaled};

/// Slots of most tables: a prime, so that every step through them visits all.
const SLOTS: usize = 65_537;
/// Slots that an origin gets where there are many, so that shares differ by a percent at most.
const SLOTS_EACH: usize = 100;
/// The largest prime below 2^22: 16 MiB of slots.
const MOST_SLOTS: usize = 4_194_301;

/// The slots of one tier, as positions within it.
#[derive(Debug)]
pub(super) enum Maglev {
    Few(Box<[u16]>),
    Many(Box<[u32]>),
}

/// An origin as the table sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claimant {
    /// What its address hashes to.
    pub(super) identity: u64,
    pub(super) weight: u16,
}

impl Maglev {
    /// Nothing where nobody has weight.
    pub(super) fn new(claimants: &[Claimant]) -> Option<Self> {
        let slots = slots(claimants)?;
        // Positions of up to 2^16 origins fit a `u16`, and so twice as much of the table fits a cache.
        Some(match slots.iter().map(|position| u16::try_from(*position)).collect::<Result<Box<[u16]>, _>>() {
            Ok(few) => Self::Few(few),
            Err(_) => Self::Many(slots.into()),
        })
    }

    /// Whose the slot of a key is.
    #[inline]
    pub(super) fn find(&self, key: u64) -> usize {
        match self {
            Self::Few(slots) => slots[scaled(key, slots.len())].into(),
            Self::Many(slots) => slots[scaled(key, slots.len())] as usize,
        }
    }
}

struct Seeker {
    position: u32,
    weight: u64,
    next: usize,
    step: usize,
    /// What it may still claim for, in parts of the largest weight.
    credit: u64,
}

fn slots(claimants: &[Claimant]) -> Option<Vec<u32>> {
    const FREE: u32 = u32::MAX;
    let length = length_for(claimants.iter().filter(|claimant| claimant.weight > 0).count());
    let mut seekers: Vec<(u64, Seeker)> = (0..)
        .zip(claimants)
        .filter(|(_, claimant)| claimant.weight > 0)
        .map(|(position, Claimant { identity, weight })| {
            let next = scaled(again(*identity, 1), length);
            let step = 1 + scaled(again(*identity, 2), length - 1);
            (*identity, Seeker { position, weight: u64::from(*weight), next, step, credit: 0 })
        })
        .collect();
    // In an order that does not depend on how they were written.
    seekers.sort_by_key(|(identity, _)| *identity);
    let most = seekers.iter().map(|(_, seeker)| seeker.weight).max()?;
    let mut slots = vec![FREE; length];
    let mut free = length;
    loop {
        for (_, seeker) in &mut seekers {
            seeker.credit += seeker.weight;
            if seeker.credit < most {
                continue;
            }
            seeker.credit -= most;
            while slots[seeker.next] != FREE {
                seeker.next = (seeker.next + seeker.step) % length;
            }
            slots[seeker.next] = seeker.position;
            free -= 1;
            if free == 0 {
                return Some(slots);
            }
        }
    }
}

fn length_for(origins: usize) -> usize {
    match origins.saturating_mul(SLOTS_EACH) {
        0..=SLOTS => SLOTS,
        wanted if wanted < MOST_SLOTS => (wanted..MOST_SLOTS).find(|number| is_prime(*number)).unwrap_or(MOST_SLOTS),
        _ => MOST_SLOTS,
    }
}

fn is_prime(number: usize) -> bool {
    number > 1 && (2..=number.isqrt()).all(|divisor| !number.is_multiple_of(divisor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::key::key_of;

    fn claimants(weights: &[u16]) -> Vec<Claimant> {
        let claimant = |(at, weight): (u32, &u16)| Claimant { identity: key_of(&at.to_be_bytes()), weight: *weight };
        (0..).zip(weights).map(claimant).collect()
    }

    fn counts(slots: &[u32], origins: usize) -> Vec<usize> {
        let mut counts = vec![0; origins];
        for position in slots {
            counts[*position as usize] += 1;
        }
        counts
    }

    #[test]
    fn slots_are_shared_by_weight_to_within_a_percent() {
        for weights in [vec![100; 3], vec![1, 2, 3, 250, 0], (1..=200).collect::<Vec<u16>>()] {
            let slots = slots(&claimants(&weights)).unwrap();
            let total: usize = weights.iter().copied().map(usize::from).sum();
            for (count, weight) in counts(&slots, weights.len()).iter().zip(&weights) {
                let due = SLOTS * usize::from(*weight) / total;
                assert!(count.abs_diff(due) <= 3 + due / 100, "{count} of {due} for {weight}");
            }
        }
    }

    #[test]
    fn an_origin_that_leaves_takes_few_keys_along_with_its_own() {
        let all = claimants(&[100; 20]);
        let before = slots(&all).unwrap();
        for gone in 0..20 {
            let mut rest = all.clone();
            rest[gone as usize].weight = 0;
            let after = slots(&rest).unwrap();
            let own = before.iter().filter(|position| **position == gone).count();
            let moved = before.iter().zip(&after).filter(|(before, after)| before != after).count();
            assert!(moved >= own && moved <= 2 * own, "{moved} moved with the {own} of {gone}");
        }
    }

    #[test]
    fn the_order_in_which_origins_are_written_is_nothing_to_the_table() {
        let all = claimants(&[10, 20, 30, 40]);
        let turned: Vec<Claimant> = all.iter().rev().copied().collect();
        let (one, other) = (slots(&all).unwrap(), slots(&turned).unwrap());
        assert!(one.iter().zip(&other).all(|(one, other)| *one == 3 - other));
    }

    #[test]
    fn a_table_grows_with_its_origins() {
        assert_eq!((length_for(1), length_for(655), length_for(656)), (65_537, 65_537, 65_609));
        assert_eq!(length_for(200_000), MOST_SLOTS);
        assert!(is_prime(SLOTS) && is_prime(MOST_SLOTS) && is_prime(65_609) && !is_prime(1) && !is_prime(65_535));
        assert!(slots(&claimants(&[0, 0])).is_none() && slots(&[]).is_none());
    }
}
