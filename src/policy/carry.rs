//! How much of its traffic a region keeps when part of it is gone.

use crate::fleet::BasisPoints;

/// The share of its load that what is left of a region can carry: its usable share × 1.4, since origins have headroom.
///
/// Down to 71.4 % usable nothing is moved; below that the excess is.
pub fn carry(usable: BasisPoints) -> BasisPoints {
    BasisPoints::new(usable.get().saturating_mul(7) / 5)
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
}
