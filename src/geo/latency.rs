//! Tables of measured latency: which region answers which network how fast, as a file says.
//!
//! ```text
//! # from the beacons of last week
//! network,region,milliseconds
//! 192.0.2.0/24,eu-central,18.5
//! 192.0.2.0/24,us-east,97
//! ```
//!
//! A line speaks for its network alone: of those that hold a client the longest counts, for a policy the longest in which one of its
//! regions was measured. A region that the config does not have is a mistake, and so is a pair that comes twice: a table that means
//! something else than it says is worse than the one before.
//!
//! Not here: what comes after the regions that were measured (`chooser`).

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{
    file::contents,
    numbered::Numbered,
    ranges::{EitherNet, Key, Net, Ranges},
};
use crate::{config, fleet::RegionId};

/// A table with more lines is not read.
const MAX_LINES: usize = 4_000_000;
/// A table with more bytes is not read: what the longest lines come to.
const MAX_BYTES: u64 = 512 << 20;
/// Nothing on Earth takes longer.
const MAX_MILLISECONDS: f64 = 60_000.0;
const MICROSECONDS: f64 = 1_000.0;

/// Everything that a file says.
#[derive(Debug, Default)]
pub(super) struct Table {
    v4: Vec<Row<u32>>,
    v6: Vec<Row<u64>>,
}

/// One line. In order of network, then region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row<K> {
    net: Net<K>,
    region: RegionId,
    line: u32,
    microseconds: u32,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LatencyError {
    /// The file cannot be read.
    #[error("`{}` cannot be read: {why}\nhint: relative paths begin where the node is started", .file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the system says.
        #[source]
        why: io::Error,
    },
    /// A line makes no sense.
    #[error("{}:{line}: {mistake}", .file.display())]
    Line {
        /// Which file.
        file: PathBuf,
        /// Which of its lines, the first being 1.
        line: usize,
        /// What is wrong with it.
        mistake: LineMistake,
    },
}

/// What is wrong with a line of a table of latency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineMistake {
    /// It has not three fields.
    Fields(usize),
    /// The first is no network.
    Network(String),
    /// The network has bits where it should have none.
    HostBits(String, IpNet),
    /// The network is longer than addresses are looked up by.
    TooLong(IpNet),
    /// The second is no region of the config.
    Region(String),
    /// The third is no time.
    Milliseconds(String),
    /// Network and region were there before, on that line.
    Again(usize),
    /// It is not UTF-8.
    Encoding,
    /// There are more lines than are read.
    TooMany,
}

impl fmt::Display for LineMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(count) => write!(f, "{count} fields, expected `network,region,milliseconds`"),
            Self::Network(text) => write!(f, "`{text}` is no network, such as `192.0.2.0/24`"),
            Self::HostBits(text, net) => write!(f, "`{text}` has bits beyond its length; did you mean `{net}`?"),
            Self::TooLong(net) => write!(f, "`{net}` is longer than /64"),
            Self::Region(name) => write!(f, "`{name}` is no region of the config"),
            Self::Milliseconds(text) => {
                write!(f, "`{text}` is no time in milliseconds, from 0 to {MAX_MILLISECONDS}")
            }
            Self::Again(line) => write!(f, "line {line} says something of this network and region already"),
            Self::Encoding => f.write_str("it is not UTF-8"),
            Self::TooMany => write!(f, "more than {MAX_LINES} lines"),
        }
    }
}

/// The regions of a config by name, sorted.
#[derive(Debug)]
pub(super) struct Regions<'a>(Vec<(&'a str, RegionId)>);

impl<'a> Regions<'a> {
    pub(super) fn new(regions: &'a [std::sync::Arc<config::Region>]) -> Self {
        let ids = (0..=u16::MAX).map(RegionId);
        let mut names: Vec<_> = regions.iter().map(|region| &*region.name).zip(ids).collect();
        names.sort_unstable();
        Self(names)
    }

    fn find(&self, name: &str) -> Option<RegionId> {
        let at = self.0.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
        Some(self.0[at].1)
    }
}

impl Table {
    pub(super) fn read(file: &Path, regions: &Regions<'_>) -> Result<Self, LatencyError> {
        let bytes = contents(file, MAX_BYTES).map_err(|why| LatencyError::Unreadable { file: file.into(), why })?;
        Self::parse(&bytes, regions).map_err(|(line, mistake)| LatencyError::Line { file: file.into(), line, mistake })
    }

    fn parse(bytes: &[u8], regions: &Regions<'_>) -> Result<Self, (usize, LineMistake)> {
        let mut this = Self::default();
        let mut is_first = true;
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            let line = std::str::from_utf8(line).map_err(|_| (number, LineMistake::Encoding))?.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if number > MAX_LINES {
                return Err((number, LineMistake::TooMany));
            }
            let is_header = is_first && line.split(',').next().is_some_and(|field| field.trim() == "network");
            is_first = false;
            if !is_header {
                this.line(line, u32::try_from(number).unwrap_or(u32::MAX), regions)
                    .map_err(|mistake| (number, mistake))?;
            }
        }
        in_order(&mut this.v4)?;
        in_order(&mut this.v6)?;
        Ok(this)
    }

    fn line(&mut self, text: &str, line: u32, regions: &Regions<'_>) -> Result<(), LineMistake> {
        let mut fields = text.split(',').map(str::trim);
        let (Some(net), Some(region), Some(time), None) = (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(LineMistake::Fields(text.split(',').count()));
        };
        let net = network(net)?;
        let region = regions.find(region).ok_or_else(|| LineMistake::Region(region.to_owned()))?;
        let microseconds = microseconds(time).ok_or_else(|| LineMistake::Milliseconds(time.to_owned()))?;
        match EitherNet::new(net).ok_or(LineMistake::TooLong(net))? {
            EitherNet::V4(net) => self.v4.push(Row { net, region, line, microseconds }),
            EitherNet::V6(net) => self.v6.push(Row { net, region, line, microseconds }),
        }
        Ok(())
    }

    /// Which of some regions were measured where, the fastest first, ties by id. Values are numbers of orders.
    pub(super) fn orders(&self, regions: &[RegionId], orders: &mut Numbered<RegionId>) -> (Ranges<u32>, Ranges<u64>) {
        (orders_of(&self.v4, regions, orders), orders_of(&self.v6, regions, orders))
    }
}

fn orders_of<K: Key>(rows: &[Row<K>], regions: &[RegionId], orders: &mut Numbered<RegionId>) -> Ranges<K> {
    let mut networks = Vec::new();
    let (mut measured, mut order) = (Vec::new(), Vec::new());
    for rows in rows.chunk_by(|one, two| one.net == two.net) {
        measured.clear();
        let ours = rows.iter().filter(|row| regions.contains(&row.region));
        measured.extend(ours.map(|row| (row.microseconds, row.region)));
        if measured.is_empty() {
            continue;
        }
        measured.sort_unstable();
        order.clear();
        order.extend(measured.iter().map(|(_, region)| *region));
        networks.push((rows[0].net, orders.number(&order)));
    }
    Ranges::of_networks(networks)
}

fn in_order<K: Key>(rows: &mut Vec<Row<K>>) -> Result<(), (usize, LineMistake)> {
    rows.sort_unstable();
    let is_again = |pair: &&[Row<K>]| (pair[0].net, pair[0].region) == (pair[1].net, pair[1].region);
    let again = rows.windows(2).filter(is_again).min_by_key(|pair| pair[1].line);
    if let Some(pair) = again {
        return Err((pair[1].line as usize, LineMistake::Again(pair[0].line as usize)));
    }
    rows.shrink_to_fit();
    Ok(())
}

fn network(text: &str) -> Result<IpNet, LineMistake> {
    // The crate's own way takes a third longer, since it tries IPv4 first.
    let net = if text.contains(':') {
        text.parse::<Ipv6Net>().map(IpNet::V6)
    } else {
        text.parse::<Ipv4Net>().map(IpNet::V4)
    };
    let net = net.map_err(|_| LineMistake::Network(text.to_owned()))?;
    if net.addr() == net.network() { Ok(net) } else { Err(LineMistake::HostBits(text.to_owned(), net.trunc())) }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 60,000,000")]
fn microseconds(text: &str) -> Option<u32> {
    let milliseconds: f64 = text.parse().ok()?;
    (0.0..=MAX_MILLISECONDS).contains(&milliseconds).then(|| (milliseconds * MICROSECONDS).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::ranges::{Keyed, NOTHING};

    const EU: RegionId = RegionId(0);
    const US: RegionId = RegionId(1);
    const ASIA: RegionId = RegionId(2);

    fn table(text: &str) -> Result<Table, (usize, LineMistake)> {
        Table::parse(text.as_bytes(), &Regions(vec![("asia", ASIA), ("eu", EU), ("us", US)]))
    }

    /// In which order some regions were measured for an address.
    fn order(table: &Table, regions: &[RegionId], address: &str) -> Option<Vec<RegionId>> {
        let mut orders = Numbered::default();
        let (v4, v6) = table.orders(regions, &mut orders);
        let number = match Keyed::new(address.parse().unwrap()) {
            Keyed::V4(key) => v4.find(key),
            Keyed::V6(key) => v6.find(key),
        };
        (number != NOTHING).then(|| orders.get(number).to_vec())
    }

    #[test]
    fn the_longest_network_counts_and_only_its_own_lines() {
        let text = "# a comment\n network , region , milliseconds \r\n\n10.0.0.0/8,us,10\n10.0.0.0/8,eu,20.5\n\
                    10.1.0.0/16,asia,30\n2001:db8::/32,eu,1\n2001:db8::/32,us,0.999\n";
        let table = table(text).unwrap();
        let all = [EU, US, ASIA];
        assert_eq!(order(&table, &all, "10.2.0.1"), Some(vec![US, EU]));
        assert_eq!(order(&table, &all, "10.1.0.1"), Some(vec![ASIA]));
        assert_eq!(order(&table, &all, "2001:db8::1"), Some(vec![US, EU]));
        assert_eq!(order(&table, &all, "11.0.0.1"), None);
    }

    #[test]
    fn networks_in_which_none_of_a_policys_regions_was_measured_are_not_there_for_it() {
        let table = table("10.0.0.0/8,us,10\n10.1.0.0/16,asia,30\n").unwrap();
        assert_eq!(order(&table, &[EU, US], "10.1.0.1"), Some(vec![US]));
        assert_eq!(order(&table, &[EU], "10.1.0.1"), None);
    }

    #[test]
    fn regions_that_are_equally_fast_stand_in_id_order() {
        let table = table("10.0.0.0/8,asia,7\n10.0.0.0/8,us,7.0\n10.0.0.0/8,eu,7.00001\n").unwrap();
        assert_eq!(order(&table, &[ASIA, US, EU], "10.0.0.1"), Some(vec![EU, US, ASIA]));
    }

    #[test]
    fn each_mistake_is_told_with_its_line() {
        let told = |text: &str| {
            let (line, mistake) = table(text).unwrap_err();
            format!("{line}: {mistake}")
        };
        assert_eq!(told("\n10.0.0.0/8,eu"), "2: 2 fields, expected `network,region,milliseconds`");
        assert_eq!(told("10.0.0.0/8,eu,1,2"), "1: 4 fields, expected `network,region,milliseconds`");
        assert_eq!(told("10.0.0.0,eu,1"), "1: `10.0.0.0` is no network, such as `192.0.2.0/24`");
        assert_eq!(told("10.0.0.1/8,eu,1"), "1: `10.0.0.1/8` has bits beyond its length; did you mean `10.0.0.0/8`?");
        assert_eq!(told("2001:db8::/65,eu,1"), "1: `2001:db8::/65` is longer than /64");
        assert_eq!(told("10.0.0.0/8,mars,1"), "1: `mars` is no region of the config");
        for time in ["-1", "NaN", "inf", "60001", "fast", ""] {
            let line = format!("10.0.0.0/8,eu,{time}");
            assert_eq!(told(&line), format!("1: `{time}` is no time in milliseconds, from 0 to 60000"));
        }
        assert_eq!(
            told("10.0.0.0/8,eu,1\n10.0.0.0/8,us,1\n#\n10.0.0.0/8,eu,2"),
            "4: line 1 says something of this network and region already"
        );
        assert_eq!(told("network,region,milliseconds\nnetwork,region,milliseconds").split(' ').next(), Some("2:"));
        let (line, mistake) = Table::parse(b"#\n\xff", &Regions(Vec::new())).unwrap_err();
        assert_eq!((line, mistake), (2, LineMistake::Encoding));
    }

    #[test]
    fn a_file_is_named_with_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "10.0.0.0/8,mars,1\n").unwrap();
        let error = Table::read(file.path(), &Regions(Vec::new())).unwrap_err().to_string();
        assert_eq!(error, format!("{}:1: `mars` is no region of the config", file.path().display()));
        let error = Table::read(Path::new("absent.csv"), &Regions(Vec::new())).unwrap_err().to_string();
        assert!(error.starts_with("`absent.csv` cannot be read: "), "{error}");
    }

    #[test]
    fn a_table_without_end_is_not_read() {
        let text = "10.0.0.0/8,eu,1\n".to_owned() + &"\n".repeat(MAX_LINES) + "11.0.0.0/8,eu,1\n";
        assert_eq!(table(&text).unwrap_err(), (MAX_LINES + 2, LineMistake::TooMany));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut random = fastrand::Rng::with_seed(11);
        let text = b"network,region,milliseconds\n10.0.0.0/8,eu,1\n2001:db8::/32,us,0.5\n";
        for _ in 0..5_000 {
            let mut bytes = text.to_vec();
            for _ in 0..random.usize(1..5) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            _ = Table::parse(&bytes, &Regions(vec![("eu", EU), ("us", US)]));
        }
    }
}
