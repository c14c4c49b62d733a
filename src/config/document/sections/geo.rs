//! Where addresses are.

use std::{path::PathBuf, time::Duration};

use crate::{
    config::document::{Named, section::section},
    fleet::{Continent, Country, Subdivision},
};

section! {
    /// Where addresses are.
    pub(crate) struct Geo ("`geo`") {
        /// An MMDB file in the layout of `GeoIP2` or `GeoLite2` City or Country, or a flat one with `country_code`; relative to the directory the
        /// node is started in.
        database: PathBuf = optional "the table of countries that is built in, good for trying",
        /// Networks that are elsewhere than the database says; those of IPv6 are at most 64 bits long. At most 100,000.
        networks: Named<GeoNetwork> = {},
        /// How often the database and the tables of `latency` policies are looked at for changes.
        watch_interval: Duration = "5s" in "100ms" ..= "1h",
    }

    /// Where a network is. At least one of these; what is not written is unknown, except that a country has its continent.
    pub(crate) struct GeoNetwork ("a network of `geo`", called NETWORK) {
        /// The continent.
        continent: Continent = optional "the country's",
        /// The country.
        country: Country = optional "that of `subdivision`",
        /// The part of the country, as in ISO 3166-2.
        subdivision: Subdivision = optional "unknown",
        /// Degrees, north positive; with `longitude`.
        latitude: f64 = optional "a point that stands for the country" in -90 ..= 90,
        /// Degrees, east positive; with `latitude`.
        longitude: f64 = optional "a point that stands for the country" in -180 ..= 180,
    }
}
