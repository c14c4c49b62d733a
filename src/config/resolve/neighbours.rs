//! The other regions in the order in which one would ask them: nearest first.

use crate::fleet::{Location, RegionId};

/// For each region the others; those whose location is not known come last, in name order.
pub(super) fn neighbours(locations: &[Option<Location>]) -> Vec<Vec<RegionId>> {
    let ids = || (0_u16..).map(RegionId).take(locations.len());
    let of_one = |own: RegionId| {
        let distance = |other: RegionId| match (locations[own.index()], locations[other.index()]) {
            (Some(here), Some(there)) => here.distance_km(there),
            _ => f64::INFINITY,
        };
        let mut others: Vec<_> = ids().filter(|other| *other != own).map(|other| (distance(other), other)).collect();
        // Stable, so that equals stay in name order.
        others.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        others.into_iter().map(|(_, other)| other).collect()
    };
    ids().map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first_and_the_unknown_last() {
        let at = |latitude, longitude| Some(Location { latitude, longitude });
        let frankfurt_nowhere_virginia_ireland = [at(50.1, 8.7), None, at(38.9, -77.5), at(53.3, -6.3)];
        let order = neighbours(&frankfurt_nowhere_virginia_ireland);
        assert_eq!(order[0], [RegionId(3), RegionId(2), RegionId(1)]);
        assert_eq!(order[1], [RegionId(0), RegionId(2), RegionId(3)]);
        assert_eq!(order[2], [RegionId(3), RegionId(0), RegionId(1)]);
    }
}
