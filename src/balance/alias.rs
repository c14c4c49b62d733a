//! A draw by weight in one step, however many there are (the alias method, after Michael Vose).
//!
//! As many slots as origins, each worth the same: up to its mark a slot is its own origin's, beyond it that of one other origin which is
//! owed more than a slot. Cost: one random number and one look-up.

use super::key::scaled;
use crate::clock::Random;

/// What is prepared for one tier: 8 bytes an origin.
#[derive(Debug)]
pub(super) struct Alias(Box<[Slot]>);

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Of 2^32.
    mark: u32,
    other: u32,
}

impl Alias {
    /// Nothing where nobody has weight.
    pub(super) fn new(weights: &[u16]) -> Option<Self> {
        let total: u64 = weights.iter().copied().map(u64::from).sum();
        if total == 0 {
            return None;
        }
        // In parts of which a slot holds `total` and all origins together `total` for each slot, so that nothing is rounded before the marks.
        let count = weights.len() as u64;
        let mut owed: Vec<u64> = weights.iter().map(|weight| u64::from(*weight) * count).collect();
        let mut slots: Vec<Slot> = (0..).take(weights.len()).map(|other| Slot { mark: u32::MAX, other }).collect();
        let (mut less, mut more): (Vec<usize>, Vec<usize>) = (0..owed.len()).partition(|at| owed[*at] < total);
        while let (Some(poor), Some(&rich)) = (less.pop(), more.last()) {
            let mark = (u128::from(owed[poor]) << 32) / u128::from(total);
            slots[poor] = Slot { mark: u32::try_from(mark).unwrap_or(u32::MAX), other: slots[rich].other };
            owed[rich] -= total - owed[poor];
            if owed[rich] < total {
                more.pop();
                less.push(rich);
            }
        }
        Some(Self(slots.into()))
    }

    /// A position; never that of an origin without weight.
    #[allow(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
    #[inline]
    pub(super) fn draw(&self, random: &mut Random) -> usize {
        let drawn = random.u64(..);
        // The slot comes from the upper bits, its side from the lower ones.
        let at = scaled(drawn, self.0.len());
        let slot = self.0[at];
        if (drawn as u32) < slot.mark { at } else { slot.other as usize }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::seeded;

    proptest! {
        #[test]
        fn slots_add_up_to_the_weights(weights in prop::collection::vec(0_u16..=256, 1..40)) {
            let total: f64 = weights.iter().copied().map(f64::from).sum();
            let Some(Alias(slots)) = Alias::new(&weights) else {
                prop_assert!(total == 0.0);
                return Ok(());
            };
            let whole = f64::from(u32::MAX);
            let mut shares = vec![0.0; weights.len()];
            for (at, slot) in slots.iter().enumerate() {
                shares[at] += f64::from(slot.mark) / whole;
                shares[slot.other as usize] += 1.0 - f64::from(slot.mark) / whole;
            }
            let count = f64::from(u32::try_from(weights.len()).unwrap());
            for (share, weight) in shares.iter().zip(&weights) {
                prop_assert!((share / count - f64::from(*weight) / total).abs() < 1e-6, "{shares:?}");
            }
        }
    }

    #[test]
    fn who_has_no_weight_is_never_drawn() {
        let alias = Alias::new(&[0, 1, 0, 256, 0]).unwrap();
        let mut random = seeded(3);
        assert!((0..100_000).all(|_| [1, 3].contains(&alias.draw(&mut random))));
        assert!(Alias::new(&[0, 0]).is_none() && Alias::new(&[]).is_none());
    }
}
