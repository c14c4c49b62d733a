//! Shares in basis points, the unit in which rows thin a configured weight.

/// A share of something: 10,000 is all of it, 0 none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The least that is not nothing.
    pub const LEAST: Self = Self(1);
    /// All of it.
    pub const FULL: Self = Self(10_000);

    /// At most [`Self::FULL`]; more is cut to it.
    pub fn new(points: u16) -> Self {
        Self(points.min(Self::FULL.0))
    }

    /// `part` of `whole`, rounded up so that a living part never counts as nothing; zero of zero is zero.
    pub fn ratio(part: u64, whole: u64) -> Self {
        if whole == 0 {
            return Self::ZERO;
        }
        let points = (part.min(whole) * 10_000).div_ceil(whole);
        Self(u16::try_from(points).unwrap_or(Self::FULL.0))
    }

    /// The number, 0 to 10,000.
    pub fn get(self) -> u16 {
        self.0
    }

    /// This share of a share; what is left of something is not nothing.
    #[must_use]
    pub fn thinned(self, by: Self) -> Self {
        Self::ratio(u64::from(self.0) * u64::from(by.0), u64::from(Self::FULL.0) * u64::from(Self::FULL.0))
    }

    /// This share of `amount`, rounded down.
    pub fn of(self, amount: u64) -> u64 {
        amount * u64::from(self.0) / 10_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_part_never_rounds_to_nothing() {
        assert_eq!(BasisPoints::ratio(1, 1_000_000).get(), 1);
        assert_eq!(BasisPoints::ratio(0, 5), BasisPoints::ZERO);
        assert_eq!(BasisPoints::ratio(9, 5), BasisPoints::FULL);
        assert_eq!(BasisPoints::ratio(0, 0), BasisPoints::ZERO);
    }
}
