//! Places by number: what a database says of millions of networks is a few hundred thousand different places.

use std::collections::HashMap;

use super::countries;
use crate::fleet::{Continent, Country, Location, Place, Subdivision};

/// The number of the place of which nothing is known.
pub(super) const UNKNOWN: u32 = 0;

type Identity = (Option<Continent>, Option<Country>, Option<Subdivision>, Option<(u64, u64)>);

/// Each place once, by number.
#[derive(Debug)]
pub(super) struct Places {
    list: Vec<Place>,
    numbers: HashMap<Identity, u32, foldhash::fast::RandomState>,
}

impl Places {
    pub(super) fn new() -> Self {
        let mut this = Self { list: Vec::new(), numbers: HashMap::default() };
        this.number(Place::default());
        this
    }

    /// The number of a place, filled up first with what its parts say: a subdivision its country, a country its continent and point.
    pub(super) fn number(&mut self, place: Place) -> u32 {
        let place = completed(place);
        let bits = |location: Location| (location.latitude.to_bits(), location.longitude.to_bits());
        let identity = (place.continent, place.country, place.subdivision, place.location.map(bits));
        // Networks are bounded below 2^32, and so are their places.
        let next = u32::try_from(self.list.len()).unwrap_or(UNKNOWN);
        *self.numbers.entry(identity).or_insert_with(|| {
            self.list.push(place);
            next
        })
    }

    #[cfg(test)]
    pub(super) fn list(&self) -> &[Place] {
        &self.list
    }

    pub(super) fn into_list(self) -> Vec<Place> {
        self.list
    }
}

fn completed(place: Place) -> Place {
    let country = place.country.or(place.subdivision.map(|part| part.country));
    let known = country.and_then(countries::find);
    Place {
        continent: place.continent.or(known.map(|(continent, _)| continent)),
        country,
        subdivision: place.subdivision,
        location: place.location.or(known.map(|(_, point)| point)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_what_it_is_part_of() {
        let mut places = Places::new();
        let california = places.number(Place { subdivision: "US-CA".parse().ok(), ..Place::default() });
        let nowhere = places.number(Place { country: "ZZ".parse().ok(), ..Place::default() });
        let same = places.number(Place {
            subdivision: "US-CA".parse().ok(),
            continent: Some(Continent::NorthAmerica),
            ..Place::default()
        });
        assert_eq!((places.number(Place::default()), same), (UNKNOWN, california));
        let list = places.into_list();
        let place = list[california as usize];
        assert_eq!((place.continent, place.country), (Some(Continent::NorthAmerica), "US".parse().ok()));
        assert!(place.location.is_some());
        assert_eq!(list[nowhere as usize], Place { country: "ZZ".parse().ok(), ..Place::default() });
    }

    #[test]
    fn what_is_said_is_not_filled_up() {
        let mut places = Places::new();
        let said = Place {
            continent: Some(Continent::Asia),
            country: "RU".parse().ok(),
            subdivision: None,
            location: Some(Location { latitude: 43.1, longitude: 131.9 }),
        };
        let number = places.number(said);
        assert_eq!(places.into_list()[number as usize], said);
    }
}
