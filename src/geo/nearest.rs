//! Regions by distance: great circles from a client, with a bias for each region.
//!
//! A point is a unit vector, so that a distance is a chord: comparing chords orders as comparing great circles does, and only a bias
//! needs the arc. A city database has hundreds of thousands of points, for each of which every policy orders its regions.
//!
//! Not here: distances between regions (`config`'s neighbours), and what latency tables say (`latency`).

use super::countries;
use crate::fleet::{Location, Place, RegionId};

/// The regions of one policy.
#[derive(Debug)]
pub(super) struct Nearest {
    /// Those with a location.
    located: Vec<Located>,
    /// The others, by id.
    elsewhere: Vec<RegionId>,
    /// Whether any region has a bias.
    is_biased: bool,
    /// Where this node stands.
    home: Option<Point>,
}

#[derive(Debug)]
struct Located {
    region: RegionId,
    point: Point,
    /// What a distance to it is multiplied by.
    factor: f64,
}

/// A point on the globe whose radius is 1.
type Point = [f64; 3];

impl Nearest {
    /// `home` is where clients are taken to be of whom nothing is known.
    pub(super) fn new(
        regions: impl IntoIterator<Item = (RegionId, i8, Option<Location>)>,
        home: Option<Location>,
    ) -> Self {
        let (mut located, mut elsewhere) = (Vec::new(), Vec::new());
        let mut is_biased = false;
        for (region, bias, location) in regions {
            match location {
                Some(location) => located.push(Located { region, point: point(location), factor: factor(bias) }),
                None => elsewhere.push(region),
            }
            is_biased |= bias != 0;
        }
        elsewhere.sort_unstable();
        Self { located, elsewhere, is_biased, home: home.map(point) }
    }

    /// Best first. Where nothing is known of the client, from its continent's middle; of nobody, from where this node stands; and by
    /// id where that is not known, either. Regions without a location come last.
    pub(super) fn order(&self, client: &Place, into: &mut Vec<RegionId>) {
        into.clear();
        let from = client.location.or_else(|| client.continent.map(countries::middle)).map(point).or(self.home);
        if let Some(from) = from {
            let far = self.located.iter().map(|to| (self.distance(from, to), to.region));
            let mut far: Vec<(f64, RegionId)> = far.collect();
            far.sort_unstable_by(|one, two| one.0.total_cmp(&two.0).then(one.1.cmp(&two.1)));
            into.extend(far.into_iter().map(|(_, region)| region));
        } else {
            into.extend(self.located.iter().map(|to| to.region));
            into.sort_unstable();
        }
        into.extend(&self.elsewhere);
    }

    /// What grows with the distance; comparable between regions only.
    fn distance(&self, from: Point, to: &Located) -> f64 {
        let square: f64 = from.iter().zip(&to.point).map(|(one, two)| (one - two) * (one - two)).sum();
        if self.is_biased { (square.sqrt() / 2.0).min(1.0).asin() * to.factor } else { square }
    }
}

fn point(location: Location) -> Point {
    let (latitude, longitude) = (location.latitude.to_radians(), location.longitude.to_radians());
    [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
}

/// Above 0 a region seems nearer than it is, below 0 farther: at 50 half as far, at -50 twice.
fn factor(bias: i8) -> f64 {
    let share = f64::from(bias.clamp(-99, 99)) / 100.0;
    if share > 0.0 { 1.0 - share } else { 1.0 / (1.0 + share) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fleet::Continent;

    const FRANKFURT: Location = Location { latitude: 50.1, longitude: 8.7 };
    const VIRGINIA: Location = Location { latitude: 38.9, longitude: -77.5 };
    const SINGAPORE: Location = Location { latitude: 1.3, longitude: 103.8 };
    const WORLD: [(Option<Location>, i8); 3] = [(Some(FRANKFURT), 0), (Some(VIRGINIA), 0), (Some(SINGAPORE), 0)];

    fn nearest(regions: &[(Option<Location>, i8)], home: Option<Location>) -> Nearest {
        let ids = (0..).map(RegionId);
        Nearest::new(ids.zip(regions).map(|(id, (location, bias))| (id, *bias, *location)), home)
    }

    fn order(nearest: &Nearest, client: Place) -> Vec<u16> {
        let mut order = Vec::new();
        nearest.order(&client, &mut order);
        order.iter().map(|region| region.0).collect()
    }

    fn at(latitude: f64, longitude: f64) -> Place {
        Place { location: Some(Location { latitude, longitude }), ..Place::default() }
    }

    #[test]
    fn the_nearest_comes_first_over_the_date_line_too() {
        let world = nearest(&WORLD, None);
        assert_eq!(order(&world, at(48.9, 2.4)), [0, 1, 2], "Paris");
        assert_eq!(order(&world, at(35.7, 139.7)), [2, 0, 1], "Tokyo");
        let pacific = nearest(&[(Some(Location { latitude: 0.0, longitude: -175.0 }), 0), (Some(SINGAPORE), 0)], None);
        assert_eq!(order(&pacific, at(0.0, 170.0)), [0, 1]);
    }

    #[test]
    fn what_is_not_known_of_a_client_is_guessed_from_wide_to_wider() {
        let continent = Place { continent: Some(Continent::Asia), ..Place::default() };
        assert_eq!(order(&nearest(&WORLD, Some(VIRGINIA)), continent), [2, 0, 1], "the middle of Asia");
        assert_eq!(order(&nearest(&WORLD, Some(VIRGINIA)), Place::default()), [1, 0, 2], "from this node");
        assert_eq!(order(&nearest(&WORLD, None), Place::default()), [0, 1, 2], "by id");
    }

    #[test]
    fn regions_without_a_location_come_last_by_id_and_equals_by_id() {
        let some = [(None, 0), (Some(VIRGINIA), 0), (None, 50), (Some(FRANKFURT), 0), (Some(VIRGINIA), 0)];
        assert_eq!(order(&nearest(&some, None), at(50.0, 8.0)), [3, 1, 4, 0, 2]);
        assert_eq!(order(&nearest(&some, None), Place::default()), [1, 3, 4, 0, 2]);
    }

    #[test]
    fn a_bias_of_50_halves_a_distance_and_of_minus_50_doubles_it() {
        // On the equator 20 degrees apart: the border is where the factors meet.
        let east = |degrees| Location { latitude: 0.0, longitude: degrees };
        let first = |bias, client| order(&nearest(&[(Some(east(0.0)), bias), (Some(east(20.0)), 0)], None), client)[0];
        assert_eq!((first(0, at(0.0, 9.9)), first(0, at(0.0, 10.1))), (0, 1));
        assert_eq!((first(50, at(0.0, 13.2)), first(50, at(0.0, 13.4))), (0, 1));
        assert_eq!((first(-50, at(0.0, 6.6)), first(-50, at(0.0, 6.7))), (0, 1));
        assert_eq!((first(99, at(0.0, 19.7)), first(99, at(0.0, 19.9))), (0, 1));
    }

    fn location() -> impl Strategy<Value = Location> {
        (-90.0..=90.0, -180.0..=180.0).prop_map(|(latitude, longitude)| Location { latitude, longitude })
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_great_circles_times_bias(
            regions in proptest::collection::vec((location(), -99..=99_i8), 1..8),
            client in location(),
        ) {
            let with_bias: Vec<_> = regions.iter().map(|(at, bias)| (Some(*at), *bias)).collect();
            let without: Vec<_> = regions.iter().map(|(at, _)| (Some(*at), 0)).collect();
            for regions in [with_bias, without] {
                let far = |region: u16| {
                    let (at, bias) = regions[usize::from(region)];
                    let (distance, bias) = (client.distance_km(at.unwrap()), f64::from(bias) / 100.0);
                    if bias > 0.0 { distance * (1.0 - bias) } else { distance / (1.0 + bias) }
                };
                let order = order(&nearest(&regions, None), at(client.latitude, client.longitude));
                prop_assert_eq!(order.len(), regions.len());
                // What two formulas round differently is a millimetre.
                prop_assert!(order.windows(2).all(|pair| far(pair[0]) <= far(pair[1]) + 1e-3), "{:?}", order);
            }
        }
    }
}
