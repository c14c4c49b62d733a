//! Where a client or a region stands on the globe.

use std::{fmt, str::FromStr};

/// What is known of where an address is. All of it may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// The continent.
    pub continent: Option<Continent>,
    /// The country.
    pub country: Option<Country>,
    /// The part of the country.
    pub subdivision: Option<Subdivision>,
    /// The point; of a country, where nothing better is known.
    pub location: Option<Location>,
}

/// A continent, by the two letters that GeoIP databases use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Continent {
    /// `AF`.
    Africa,
    /// `AN`.
    Antarctica,
    /// `AS`.
    Asia,
    /// `EU`.
    Europe,
    /// `NA`.
    NorthAmerica,
    /// `OC`.
    Oceania,
    /// `SA`.
    SouthAmerica,
}

/// Why a text is not a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Not one of seven.
    #[error("a continent is one of `AF`, `AN`, `AS`, `EU`, `NA`, `OC` and `SA`")]
    Continent,
    /// Not two letters.
    #[error("a country is its two letters of ISO 3166-1, such as `DE`")]
    Country,
    /// Not a country and up to three letters or digits.
    #[error("a part of a country is written as in ISO 3166-2, such as `US-CA`")]
    Subdivision,
}

impl Continent {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Africa,
        Self::Antarctica,
        Self::Asia,
        Self::Europe,
        Self::NorthAmerica,
        Self::Oceania,
        Self::SouthAmerica,
    ];

    /// The two letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Africa => "AF",
            Self::Antarctica => "AN",
            Self::Asia => "AS",
            Self::Europe => "EU",
            Self::NorthAmerica => "NA",
            Self::Oceania => "OC",
            Self::SouthAmerica => "SA",
        }
    }
}

impl FromStr for Continent {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        Self::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(text)).ok_or(PlaceError::Continent)
    }
}

/// A country: two letters of ISO 3166-1, upper case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        // Only letters get in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Country {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let letters: [u8; 2] = text.as_bytes().try_into().map_err(|_| PlaceError::Country)?;
        if letters.iter().all(u8::is_ascii_alphabetic) {
            Ok(Self(letters.map(|letter| letter.to_ascii_uppercase())))
        } else {
            Err(PlaceError::Country)
        }
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A part of a country: ISO 3166-2, such as `US-CA`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subdivision {
    /// The country it is part of.
    pub country: Country,
    /// One to three letters or digits, upper case, filled up with zeros.
    code: [u8; 3],
}

impl FromStr for Subdivision {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (country, part) = text.split_once('-').ok_or(PlaceError::Subdivision)?;
        let country = country.parse().map_err(|_| PlaceError::Subdivision)?;
        if part.is_empty() || part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(PlaceError::Subdivision);
        }
        let mut code = [0; 3];
        for (slot, byte) in code.iter_mut().zip(part.bytes()) {
            *slot = byte.to_ascii_uppercase();
        }
        Ok(Self { country, code })
    }
}

impl fmt::Display for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-", self.country)?;
        let code = self.code.split(|byte| *byte == 0).next().unwrap_or_default();
        f.write_str(std::str::from_utf8(code).unwrap_or_default())
    }
}

impl fmt::Debug for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A point on the globe, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Location {
    /// North positive, -90 to 90.
    pub latitude: f64,
    /// East positive, -180 to 180.
    pub longitude: f64,
}

impl Location {
    /// Great-circle distance in kilometres (haversine; a sphere is good to 0.5 %, which ordering regions does not notice).
    pub fn distance_km(self, other: Self) -> f64 {
        const EARTH_RADIUS_KM: f64 = 6371.0;
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let across = (other.longitude - self.longitude).to_radians();
        let half_chord = ((to - from) / 2.0).sin().powi(2) + from.cos() * to.cos() * (across / 2.0).sin().powi(2);
        2.0 * EARTH_RADIUS_KM * half_chord.sqrt().min(1.0).asin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_iso_writes_them() {
        assert_eq!("us-ca".parse::<Subdivision>().unwrap().to_string(), "US-CA");
        assert_eq!("de".parse::<Country>().unwrap().as_str(), "DE");
        assert_eq!("eu".parse::<Continent>().unwrap(), Continent::Europe);
        for text in ["", "D", "D1", "DEU"] {
            assert_eq!(text.parse::<Country>(), Err(PlaceError::Country));
        }
        for text in ["US", "US-", "US-CALI", "U-CA", "US-C_"] {
            assert_eq!(text.parse::<Subdivision>(), Err(PlaceError::Subdivision));
        }
        assert_eq!("XX".parse::<Continent>(), Err(PlaceError::Continent));
    }

    #[test]
    fn frankfurt_to_virginia_is_about_6_500_km_both_ways() {
        let (frankfurt, virginia) =
            (Location { latitude: 50.1, longitude: 8.7 }, Location { latitude: 38.9, longitude: -77.5 });
        let there = frankfurt.distance_km(virginia);
        assert!((6_400.0..6_700.0).contains(&there), "{there}");
        assert!((there - virginia.distance_km(frankfurt)).abs() < 1e-6);
    }
}
