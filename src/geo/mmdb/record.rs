//! One record: the fields that say where a network is, in the layouts that are known.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use super::Layout;
use crate::fleet::{Country, Location, Place, Subdivision};

/// All that is looked at; other fields are skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    continent: Option<ContinentPart<'a>>,
    #[serde(borrow)]
    country: Option<Part<'a>>,
    /// Where the network is registered, which is the next best.
    #[serde(borrow)]
    registered_country: Option<Part<'a>>,
    /// From the largest to the smallest.
    #[serde(borrow)]
    subdivisions: Vec<Part<'a>>,
    location: Option<Point>,
    country_code: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContinentPart<'a> {
    code: Option<&'a str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Point {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

/// The names of a record's fields.
#[derive(Debug)]
pub(super) struct Fields(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Fields, A::Error> {
        let mut names = Vec::new();
        while let Some((name, IgnoredAny)) = fields.next_entry()? {
            names.push(name);
        }
        Ok(Fields(names))
    }
}

impl Record<'_> {
    /// Which layout it has; nothing where it says nothing that is understood.
    pub(super) fn layout(&self) -> Option<Layout> {
        if self.subdivision().is_some() || self.location().is_some() {
            Some(Layout::City)
        } else if read::<Country>(self.country_code).is_some() {
            Some(Layout::Flat)
        } else if self.country().is_some() || self.continent().is_some() {
            Some(Layout::Country)
        } else {
            None
        }
    }

    pub(super) fn place(&self) -> Place {
        Place {
            continent: self.continent(),
            country: self.country(),
            subdivision: self.subdivision(),
            location: self.location(),
        }
    }

    fn continent(&self) -> Option<crate::fleet::Continent> {
        read(self.continent.as_ref()?.code)
    }

    fn country(&self) -> Option<Country> {
        let of = |part: &Option<Part<'_>>| read(part.as_ref()?.iso_code);
        of(&self.country).or_else(|| of(&self.registered_country)).or_else(|| read(self.country_code))
    }

    /// Only where it is in the country itself: codes of parts mean nothing without it.
    fn subdivision(&self) -> Option<Subdivision> {
        let country: Country = read(self.country.as_ref()?.iso_code)?;
        let part = self.subdivisions.first()?.iso_code?;
        format!("{country}-{part}").parse().ok()
    }

    fn location(&self) -> Option<Location> {
        let Point { latitude, longitude } = self.location?;
        let (latitude, longitude) = (latitude?, longitude?);
        let is_on_globe = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        is_on_globe.then_some(Location { latitude, longitude })
    }
}

fn read<T: FromStr>(text: Option<&str>) -> Option<T> {
    text?.parse().ok()
}
