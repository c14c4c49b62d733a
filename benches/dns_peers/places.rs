//! Who is where: regions, their front doors, and a database that says which network is in which country.

use std::{
    net::{Ipv4Addr, TcpListener},
    thread,
};

use fastrand::Rng;
use meridian::clock::seeded;

/// A place that answers lead to.
pub(crate) struct Region {
    pub(crate) name: &'static str,
    /// As GeoIP2 spells them; the region is nearest to all of their countries below.
    pub(crate) continents: [&'static str; 2],
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// Continent and code, all nearest to this region by the great circle as well.
    pub(crate) countries: &'static [(&'static str, &'static str)],
}

pub(crate) const REGIONS: [Region; 3] = [
    Region {
        name: "frankfurt",
        continents: ["EU", "AF"],
        latitude: 50.1,
        longitude: 8.7,
        countries: &[
            ("EU", "DE"),
            ("EU", "FR"),
            ("EU", "GB"),
            ("EU", "IT"),
            ("EU", "ES"),
            ("EU", "PL"),
            ("EU", "SE"),
            ("AF", "EG"),
        ],
    },
    Region {
        name: "ashburn",
        continents: ["NA", "SA"],
        latitude: 39.0,
        longitude: -77.5,
        countries: &[("NA", "US"), ("NA", "CA"), ("NA", "MX"), ("SA", "BR"), ("SA", "CO"), ("SA", "PE")],
    },
    Region {
        name: "singapore",
        continents: ["AS", "OC"],
        latitude: 1.4,
        longitude: 103.8,
        countries: &[("AS", "JP"), ("AS", "ID"), ("AS", "TH"), ("AS", "VN"), ("OC", "AU"), ("OC", "NZ")],
    },
];

/// Front doors of each region, and the weight of each.
pub(crate) const DOOR_WEIGHTS: [u32; 2] = [3, 1];

/// The address of a region's front door.
pub(crate) fn door(region: usize, number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1 + region as u8, 1 + number as u8)
}

/// The region whose front door this is.
pub(crate) fn region_of(address: Ipv4Addr) -> Option<usize> {
    (0..REGIONS.len()).find(|region| (0..DOOR_WEIGHTS.len()).any(|number| door(*region, number) == address))
}

/// All front doors, open on one port for as long as this program runs: who checks them finds them healthy.
pub(crate) fn open_doors() -> u16 {
    let doors: Vec<Ipv4Addr> =
        (0..REGIONS.len()).flat_map(|region| (0..DOOR_WEIGHTS.len()).map(move |number| door(region, number))).collect();
    let open = || {
        let port = crate::process::free_port();
        let listeners: Result<Vec<_>, _> = doors.iter().map(|door| TcpListener::bind((*door, port))).collect();
        Some((port, listeners.ok()?))
    };
    let (port, listeners) = (0..16).find_map(|_| open()).expect("a port that is free on all front doors");
    for listener in listeners {
        // Each check is taken and let go. The threads end with the program.
        thread::spawn(move || listener.incoming().for_each(drop));
    }
    port
}

/// Networks and their countries: all of IPv4, cut into prefixes of at most 24 bits. Neighbours are always nearest to different regions, so no
/// two can be merged into one.
pub(crate) struct Places {
    /// The search tree: the two ways on from each node.
    pub(crate) nodes: Vec<[Way; 2]>,
    /// Where each prefix begins, and its region.
    starts: Vec<(u32, usize)>,
    random: Rng,
}

/// Where one more bit of an address leads.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Node(u32),
    /// A region, and one of its countries.
    Country(usize, usize),
}

/// No prefix is longer.
const LONGEST: u32 = 24;

impl Places {
    /// As many prefixes as wanted, at least two.
    pub(crate) fn of(prefixes: u32) -> Self {
        let mut places = Self { nodes: Vec::new(), starts: Vec::new(), random: seeded(1) };
        places.cut(0, 0, prefixes);
        places
    }

    /// Cuts the prefix that begins at `first` and is `length` long into so many.
    fn cut(&mut self, first: u32, length: u32, prefixes: u32) -> Way {
        if prefixes == 1 {
            let last = self.starts.last().map_or(0, |(_, region)| *region);
            let region = (last + self.random.usize(1..REGIONS.len())) % REGIONS.len();
            self.starts.push((first, region));
            return Way::Country(region, self.random.usize(..REGIONS[region].countries.len()));
        }
        let node = self.nodes.len();
        self.nodes.push([Way::Node(0); 2]);
        // Each half gets at least one, and no more than fit.
        let most = 1 << (LONGEST - length - 1);
        let (low, high) = (prefixes.saturating_sub(most).max(1), most.min(prefixes - 1));
        let left = self.random.u32(prefixes / 4..=prefixes - prefixes / 4).clamp(low, high);
        let half = first | 1 << (31 - length);
        self.nodes[node] = [self.cut(first, length + 1, left), self.cut(half, length + 1, prefixes - left)];
        Way::Node(node as u32)
    }

    /// The region that an address is nearest to.
    pub(crate) fn nearest(&self, address: Ipv4Addr) -> usize {
        let after = self.starts.partition_point(|(start, _)| *start <= address.to_bits());
        self.starts[after - 1].1
    }
}
