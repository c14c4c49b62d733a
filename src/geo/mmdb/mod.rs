//! MMDB files of users: who they place where, read whole.
//!
//! Two layouts are known: that of GeoIP2 and GeoLite2 City and Country (other makers use it, too), and the flat one with a
//! `country_code` alone. Which one it is, records say; a database of another kind is refused with what it holds instead, because one
//! that is silently taken for a table of places would send everybody to the default. A record is read once however many networks
//! share it.
//!
//! Not here: looking up one address in the file, which nobody does at a query (`index`), and reading the file (`atlas`).

mod record;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) mod written;

use std::{collections::HashMap, fmt, net::IpAddr};

use maxminddb::{LookupResult, MaxMindDbError, Reader, WithinOptions};
use record::{Fields, Record};

use super::{
    date::Date,
    places::{Places, UNKNOWN},
    ranges::{Key, Keyed, Net, Ranges},
};

/// A database with more networks, empty ones included, is not read. The largest that are sold have a fifth of it.
const MAX_NETWORKS: usize = 1 << 26;
/// Fields of a foreign record that are told.
const MAX_TOLD: usize = 8;

/// What a database holds.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) v4: Ranges<u32>,
    pub(super) v6: Ranges<u64>,
    pub(super) places: Places,
    pub(super) kind: String,
    pub(super) layout: Layout,
    pub(super) built: Date,
}

/// How a database says where a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `country.iso_code`, `subdivisions`, `location`, as GeoIP2 City.
    City,
    /// `country.iso_code`, as GeoIP2 Country.
    Country,
    /// `country_code`, and nothing around it.
    Flat,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::City => "GeoIP2 City",
            Self::Country => "GeoIP2 Country",
            Self::Flat => "flat `country_code`",
        })
    }
}

/// Why a file is no database of places.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Its bytes are not as they should be.
    #[error("it is no MMDB file, or a damaged one: {0}")]
    Damaged(#[from] MaxMindDbError),
    /// It is about something else.
    #[error(
        "a database of type `{database_type}` does not say where networks are: its records hold {held}; expected \
         `country.iso_code`, as GeoIP2 City and Country have it, or a flat `country_code`"
    )]
    Foreign {
        /// As the file says.
        database_type: String,
        /// What its records hold instead.
        held: String,
    },
    /// There is nothing in it.
    #[error("the database of type `{database_type}` holds no network")]
    Empty {
        /// As the file says.
        database_type: String,
    },
    /// It is larger than any that is known.
    #[error("it holds more than {MAX_NETWORKS} networks")]
    TooMany,
}

/// Reads a database from what its file holds.
pub(super) fn read(bytes: &[u8]) -> Result<Database, Unusable> {
    let reader = Reader::from_source(bytes)?;
    let mut reading = Reading::new(&reader.metadata().database_type);
    // Networks without data end what was before them.
    let networks = reader.networks(WithinOptions::default().include_networks_without_data())?;
    for (count, found) in networks.enumerate() {
        if count == MAX_NETWORKS {
            return Err(Unusable::TooMany);
        }
        let found = found?;
        let place = reading.place(&found)?;
        let network = found.network()?;
        reading.set(network.ip(), network.prefix(), place);
    }
    reading.finish(Date::of_unix_time(reader.metadata().build_epoch))
}

struct Reading<'a> {
    kind: &'a str,
    v4: Ranges<u32>,
    v6: Ranges<u64>,
    places: Places,
    /// By where its record is in the file.
    known: HashMap<usize, u32, foldhash::fast::RandomState>,
    seen: Option<Layout>,
    /// What the first record holds that is not understood.
    foreign: Option<String>,
}

impl<'a> Reading<'a> {
    fn new(kind: &'a str) -> Self {
        Self {
            kind,
            v4: Ranges::whole(UNKNOWN),
            v6: Ranges::whole(UNKNOWN),
            places: Places::new(),
            known: HashMap::default(),
            seen: None,
            foreign: None,
        }
    }

    fn place(&mut self, found: &LookupResult<'_, &[u8]>) -> Result<u32, Unusable> {
        let Some(offset) = found.offset() else {
            return Ok(UNKNOWN);
        };
        if let Some(place) = self.known.get(&offset) {
            return Ok(*place);
        }
        let record = match found.decode::<Record<'_>>() {
            Ok(record) => record.unwrap_or_default(),
            // A field of a name that is known, but of another kind.
            Err(error) => return Err(held(found).map_or(error.into(), |held| self.foreign(held))),
        };
        let place = if let Some(layout) = record.layout() {
            self.seen = Some(self.seen.map_or(layout, |seen| seen.or(layout)));
            self.places.number(record.place())
        } else {
            self.foreign = self.foreign.take().or_else(|| held(found));
            UNKNOWN
        };
        self.known.insert(offset, place);
        Ok(place)
    }

    /// Networks come in order. What is longer than a /64 speaks for all of it, if it is the first there
    /// that says something.
    fn set(&mut self, first: IpAddr, bits: u8, place: u32) {
        match (first, Keyed::new(first)) {
            (IpAddr::V4(_), Keyed::V4(first)) => put(&mut self.v4, Net { first, bits }, place),
            (IpAddr::V6(_), Keyed::V6(first)) => {
                put(&mut self.v6, Net { first, bits: bits.min(<u64 as Key>::BITS) }, place);
            }
            // IPv4 as IPv6 sees it: what counts is where IPv4 itself is.
            _ => {}
        }
    }

    fn foreign(&self, held: String) -> Unusable {
        Unusable::Foreign { database_type: self.kind.to_owned(), held }
    }

    fn finish(mut self, built: Date) -> Result<Database, Unusable> {
        let Some(layout) = self.seen else {
            return Err(match self.foreign.take() {
                Some(held) => self.foreign(held),
                None => Unusable::Empty { database_type: self.kind.to_owned() },
            });
        };
        self.v4.shrink();
        self.v6.shrink();
        let kind = self.kind.to_owned();
        Ok(Database { v4: self.v4, v6: self.v6, places: self.places, kind, layout, built })
    }
}

impl Layout {
    /// The one that says more.
    fn or(self, other: Self) -> Self {
        if self == Self::Country { other } else { self }
    }
}

fn put<K: Key>(ranges: &mut Ranges<K>, net: Net<K>, place: u32) {
    if ranges.last_start() > net.first {
        return;
    }
    ranges.set(net.first, place);
    if let Some(after) = net.last().next() {
        ranges.set(after, UNKNOWN);
    }
}

/// The names of a record's fields; nothing where it is no map.
fn held(found: &LookupResult<'_, &[u8]>) -> Option<String> {
    let Fields(names) = found.decode().ok()??;
    let told: Vec<String> = names.iter().take(MAX_TOLD).map(|name| format!("`{name}`")).collect();
    Some(match (told.len(), names.len() - told.len()) {
        (0, _) => "nothing".to_owned(),
        (_, 0) => told.join(", "),
        (_, more) => format!("{} and {more} more", told.join(", ")),
    })
}
