//! How much of its traffic a region keeps when part of it is gone.

use crate::fleet::BasisPoints;

/// Of what a region says that it is built for.
pub(super) mod share_of_capacity {
    /// Below this it takes others' clients.
    pub(in crate::policy) const ROOM: f32 = 0.8;
    /// Beyond this it is given nothing that anybody else could take.
    pub(in crate::policy) const MOST: f32 = 0.85;
}
/// The share of its load that what is left of a region can carry: its usable share × 1.4, since origins have headroom.
///
/// Down to 71.4 % usable nothing is moved; below that the excess is.
pub fn carry(usable: BasisPoints) -> BasisPoints {
    BasisPoints::new(usable.get().saturating_mul(7) / 5)
}

/// The least usable share that carries so much.
pub fn share_that_carries(kept: BasisPoints) -> BasisPoints {
    BasisPoints::new((kept.get() * 5).div_ceil(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_keeps_all_until_it_is_below_its_headroom() {
        assert_eq!(carry(BasisPoints::new(7_143)), BasisPoints::FULL);
        assert_eq!(carry(BasisPoints::new(5_000)), BasisPoints::new(7_000));
        assert_eq!(carry(BasisPoints::ZERO), BasisPoints::ZERO);
    }

    #[test]
    fn what_carries_a_share_carries_it_and_hardly_more() {
        for kept in 0..=10_000 {
            let carried = carry(share_that_carries(BasisPoints::new(kept))).get();
            assert!((kept..=kept + 1).contains(&carried), "{kept}: {carried}");
        }
    }
}
