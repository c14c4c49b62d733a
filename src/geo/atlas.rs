//! Where addresses are: the config's own networks over a database.

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use ipnet::IpNet;

use super::{
    date::Date,
    embedded,
    file::contents,
    mmdb::{self, Database, Layout, Unusable},
    places::Places,
    ranges::{EitherNet, Key, Keyed, NOTHING, Net, Ranges},
};
use crate::{config, fleet::Place};

/// A database with more bytes is not read.
const MAX_DATABASE_BYTES: u64 = 2 << 30;

/// Where each address is. It stays as it was read: who wants what a file holds now reads it again.
#[derive(Debug)]
pub struct Atlas {
    /// The numbers of places.
    pub(super) v4: Ranges<u32>,
    pub(super) v6: Ranges<u64>,
    pub(super) places: Vec<Place>,
    about: About,
}

/// What an atlas was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The database's file; nothing where it is the embedded table.
    pub file: Option<PathBuf>,
    /// What the database calls itself.
    pub database_type: String,
    /// How it says where a network is.
    pub layout: Layout,
    /// When it was built.
    pub built: Date,
    /// Ranges of addresses that are in one place, own networks included.
    pub ranges: usize,
    /// Places that are told apart.
    pub places: usize,
}

/// Why there is no atlas.
#[derive(Debug, thiserror::Error)]
pub enum AtlasError {
    /// The file cannot be read.
    #[error("`{}` cannot be read: {why}\nhint: relative paths begin where the node is started", .file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system says.
        #[source]
        why: io::Error,
    },
    /// The file is no database of places.
    #[error("`{}` cannot be used: {why}", .file.display())]
    Unusable {
        /// Which.
        file: PathBuf,
        /// What it is instead.
        #[source]
        why: Unusable,
    },
    /// The table in the binary is damaged.
    #[error("the embedded table of countries is damaged")]
    Embedded,
    /// Nobody is looked up by more than the first 64 bits.
    #[error("`geo.networks`: `{0}` is longer than /64")]
    TooLong(IpNet),
}

impl Atlas {
    /// Reads the database, or takes the embedded table where none is named, and lays the config's own networks over it.
    pub fn load(settings: &config::Geo) -> Result<Self, AtlasError> {
        let database = match &settings.database {
            Some(file) => read(file)?,
            None => embedded::database().ok_or(AtlasError::Embedded)?,
        };
        let Database { mut v4, mut v6, mut places, kind, layout, built } = database;
        let own = OwnNetworks::new(&settings.networks, &mut places)?;
        lay_over(&mut v4, own.v4);
        lay_over(&mut v6, own.v6);
        let (ranges, places) = (v4.len() + v6.len(), places.into_list());
        let file = settings.database.clone();
        let about = About { file, database_type: kind, layout, built, ranges, places: places.len() };
        Ok(Self { v4, v6, places, about })
    }

    /// Where an address is. Two binary searches' time: for people who ask, not for queries.
    pub fn place(&self, address: IpAddr) -> Place {
        let number = match Keyed::new(address) {
            Keyed::V4(key) => self.v4.find(key),
            Keyed::V6(key) => self.v6.find(key),
        };
        self.places[number as usize]
    }

    /// What it was made of.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The files that these settings have read.
    pub fn files(settings: &config::Geo) -> Vec<PathBuf> {
        settings.database.iter().cloned().collect()
    }
}

fn read(file: &Path) -> Result<Database, AtlasError> {
    let unreadable = |why| AtlasError::Unreadable { file: file.into(), why };
    let bytes = contents(file, MAX_DATABASE_BYTES).map_err(unreadable)?;
    mmdb::read(&bytes).map_err(|why| AtlasError::Unusable { file: file.into(), why })
}

#[derive(Default)]
struct OwnNetworks {
    v4: Vec<(Net<u32>, u32)>,
    v6: Vec<(Net<u64>, u32)>,
}

impl OwnNetworks {
    fn new(networks: &[(IpNet, Place)], places: &mut Places) -> Result<Self, AtlasError> {
        let mut this = Self::default();
        for (net, place) in networks {
            let place = places.number(*place);
            match EitherNet::new(*net).ok_or(AtlasError::TooLong(*net))? {
                EitherNet::V4(net) => this.v4.push((net, place)),
                EitherNet::V6(net) => this.v6.push((net, place)),
            }
        }
        Ok(this)
    }
}

fn lay_over<K: Key>(ranges: &mut Ranges<K>, own: Vec<(Net<K>, u32)>) {
    if !own.is_empty() {
        let own = Ranges::of_networks(own);
        *ranges = ranges.zip(&own, |place, own| if own == NOTHING { place } else { own });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::geo::mmdb::written::{Value, Writer, city, map};

    fn settings(database: Option<&Path>, networks: &[(&str, Place)]) -> config::Geo {
        config::Geo {
            database: database.map(Into::into),
            networks: networks.iter().map(|(net, place)| (net.parse().unwrap(), *place)).collect(),
            watch_interval: Duration::from_secs(5),
        }
    }

    fn country(code: &str) -> Place {
        Place { country: code.parse().ok(), ..Place::default() }
    }

    fn where_is(atlas: &Atlas, address: &str) -> String {
        atlas.place(address.parse().unwrap()).country.map_or("nowhere".into(), |country| country.to_string())
    }

    #[test]
    fn without_a_database_there_is_the_embedded_table() {
        let atlas = Atlas::load(&settings(None, &[])).unwrap();
        assert_eq!(where_is(&atlas, "8.8.8.8"), "US");
        assert_eq!((atlas.about().file.clone(), atlas.about().layout), (None, Layout::Flat));
        assert!(atlas.about().ranges > 50_000 && atlas.about().places > 200);
        assert_eq!(Atlas::files(&settings(None, &[])), Vec::<PathBuf>::new());
    }

    #[test]
    fn own_networks_are_laid_over_the_database_the_longest_on_top() {
        let own = [
            ("8.8.0.0/16", country("FR")),
            ("8.8.8.0/24", country("JP")),
            ("10.0.0.0/8", country("DE")),
            ("fd00::/8", country("SE")),
        ];
        let atlas = Atlas::load(&settings(None, &own)).unwrap();
        let addresses = ["8.8.7.255", "8.8.8.8", "8.8.9.0", "8.9.0.0", "10.9.9.9", "fd12::1", "::ffff:10.1.1.1"];
        assert_eq!(addresses.map(|at| where_is(&atlas, at)), ["FR", "JP", "FR", "US", "DE", "SE", "DE"]);
        assert!(atlas.place("10.9.9.9".parse().unwrap()).location.is_some(), "the country's");
        let long = settings(None, &[("fd00::/65", country("SE"))]);
        assert_eq!(Atlas::load(&long).unwrap_err().to_string(), "`geo.networks`: `fd00::/65` is longer than /64");
    }

    #[test]
    fn a_file_is_read_and_one_that_is_no_database_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("city.mmdb");
        let city = Writer::new("GeoLite2-City").with("192.0.2.0/24", &city("NA", "US", "CA", 37.5, -122.25));
        std::fs::write(&file, city.finish()).unwrap();
        let settings = settings(Some(&file), &[]);
        let atlas = Atlas::load(&settings).unwrap();
        assert_eq!(atlas.place("192.0.2.1".parse().unwrap()).subdivision, "US-CA".parse().ok());
        assert_eq!(where_is(&atlas, "8.8.8.8"), "nowhere", "nothing of the embedded table shows through");
        let about = atlas.about();
        assert_eq!((about.layout, about.places, about.ranges), (Layout::City, 2, 4));
        assert_eq!(Atlas::files(&settings), std::slice::from_ref(&file));

        let refused = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            Atlas::load(&settings).unwrap_err().to_string()
        };
        let name = file.display();
        let damaged = refused(b"[regions]");
        assert!(
            damaged.starts_with(&format!("`{name}` cannot be used: it is no MMDB file, or a damaged one")),
            "{damaged}"
        );
        let asn = Writer::new("ASN").with("10.0.0.0/8", &map([("asn", Value::Number(1))]));
        assert!(refused(&asn.finish()).contains("of type `ASN`"));
        std::fs::remove_file(&file).unwrap();
        let absent = Atlas::load(&settings).unwrap_err().to_string();
        assert!(absent.contains("cannot be read: ") && absent.contains("\nhint: "), "{absent}");
    }
}
