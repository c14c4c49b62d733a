//! What finding a client's view costs among a million ranges, beside two that somebody in a hurry would write; and what charts cost
//! to build.
//!
//! `cargo bench --bench geo`, about two minutes; `-- --test` runs each once, on a hundredth of the ranges. "everywhere" asks for
//! addresses all over the table, so that each answer comes from further down the caches; "a thousand clients" comes again and again.
//! "binary search" is over all starts, "maxminddb" looks the country up in the file and the country's view in a map, and gives no scope.

#[allow(dead_code, reason = "the tests' writer of databases, of which some is used here")]
#[path = "../src/geo/mmdb/written.rs"]
mod written;

use std::{
    collections::HashMap,
    fmt::Write as _,
    hint::black_box,
    io::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use criterion::{BenchmarkId, Criterion};
use maxminddb::{Reader, geoip2};
use meridian::{
    config::{self, Area, Branch, Config, Identity, Policy, PolicyKind, Steered},
    fleet::{Country, Location, PolicyId, RegionId},
    geo::{Atlas, Chart, Charts},
};
use written::Writer;

const RANGES: usize = 1_000_000;
const REGIONS: u16 = 50;

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let ranges = if is_test { RANGES / 100 } else { RANGES };
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let world = World::new(ranges);
    lookups(&mut criterion, &world, Family::V4);
    lookups(&mut criterion, &world, Family::V6);
    builds(&mut criterion, &world);
    criterion.final_summary();
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// A database of countries in which hardly two neighbours are alike.
struct World {
    file: tempfile::NamedTempFile,
    /// Where each network begins, and its country.
    v4: Vec<(u32, Country)>,
    v6: Vec<(u64, Country)>,
    countries: Vec<Country>,
}

impl World {
    /// Three in five of IPv4, the rest of IPv6.
    fn new(ranges: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(1);
        let codes = (b'A'..=b'P').flat_map(|one| (b'A'..=b'P').map(move |two| [one, two]));
        let codes = codes.map(|code| String::from_utf8(code.into()).expect("letters"));
        let countries: Vec<Country> = codes.map(|code| code.parse().expect("two letters")).take(250).collect();
        let mut writer = Writer::new("GeoLite2-Country");
        let records: Vec<usize> =
            countries.iter().map(|country| writer.record(&written::country("EU", country.as_str()))).collect();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        let (mut at, mut last) = (1_u64 << 24, 0);
        while v4.len() < ranges * 3 / 5 {
            // As long as the start allows, and not longer than drawn.
            let bits = random.u8(19..=24).max(32 - u8::try_from(at.trailing_zeros()).expect("small"));
            let Ok(first) = u32::try_from(at) else { break };
            last = (last + random.usize(1..250)) % 250;
            writer.put(IpAddr::V4(first.into()), bits, records[last]);
            v4.push((first, countries[last]));
            at += 1 << (32 - bits);
        }
        // Registries give out of a /12 each, one after the other.
        for registry in [0x2400_u64, 0x2600, 0x2800, 0x2a00, 0x2c00] {
            let mut at = registry << 48;
            for _ in 0..ranges * 2 / 5 / 5 {
                let bits = [29, 32, 32, 32, 36, 40, 48][random.usize(..7)];
                let bits = bits.max(64 - u8::try_from(at.trailing_zeros()).expect("small"));
                last = (last + random.usize(1..250)) % 250;
                writer.put(IpAddr::V6((u128::from(at) << 64).into()), bits, records[last]);
                v6.push((at, countries[last]));
                at += 1 << (64 - bits);
            }
        }
        let mut file = tempfile::NamedTempFile::new().expect("a folder for temporary files");
        file.write_all(&writer.finish()).expect("room for the database");
        Self { file, v4, v6, countries }
    }

    fn atlas(&self) -> Atlas {
        atlas(Some(self.file.path()))
    }

    /// Every country leads to one of fifty regions.
    fn config(&self) -> Config {
        let regions = (0..REGIONS).map(RegionId).cycle();
        let branch = |(country, region)| (Area::Country(country), Branch::Region(region));
        let areas = self.countries.iter().copied().zip(regions).map(branch).collect();
        config(vec![PolicyKind::Geo { networks: Vec::new(), areas, default: Branch::Region(RegionId(0)) }])
    }

    fn region(&self, country: Country) -> u16 {
        let at = self.countries.iter().position(|known| *known == country).expect("a country of the world");
        u16::try_from(at).expect("few") % REGIONS
    }

    /// Addresses within the networks.
    fn addresses(&self, family: Family, count: usize) -> Vec<IpAddr> {
        let mut random = fastrand::Rng::with_seed(2);
        let mut address = || match family {
            Family::V4 => {
                IpAddr::from(Ipv4Addr::from_bits(self.v4[random.usize(..self.v4.len())].0 | random.u32(..256)))
            }
            Family::V6 => {
                let first = self.v6[random.usize(..self.v6.len())].0;
                Ipv6Addr::from_bits(u128::from(first | random.u64(..65_536)) << 64 | 1).into()
            }
        };
        (0..count).map(|_| address()).collect()
    }
}

fn atlas(database: Option<&Path>) -> Atlas {
    let database = database.map(Into::into);
    let settings = config::Geo { database, networks: Vec::new(), watch_interval: Duration::from_secs(5) };
    Atlas::load(&settings).expect("a good database")
}

/// Fifty regions around the world, and a name for each policy.
fn config(kinds: Vec<PolicyKind>) -> Config {
    let mut text = "[node]\nregion = \"r0\"\n[pools.shop]\norigins = [{ address = \"127.0.0.1:1\", region = \"r0\" }]\n\
                    [zones.\"shop.test\"]\nnameservers = [\"ns.example\"]\n[zones.\"shop.test\".steer.app]\npools = [\"shop\"]\n"
        .to_owned();
    for region in 0..REGIONS {
        _ = writeln!(text, "[regions.r{region}]\naddresses = [\"192.0.2.{region}\"]");
    }
    let mut config = config::from_text("bench.toml", &text, &Identity::default()).config.expect("a good config");
    for (at, region) in (0_u16..).zip(&mut config.regions) {
        let latitude = f64::from(at * 7 % 100) - 40.0;
        let location = Some(Location { latitude, longitude: f64::from(at * 37 % 360) - 180.0 });
        *region = Arc::new(config::Region { location, ..(**region).clone() });
    }
    let mut zone = (*config.zones[0]).clone();
    let name = zone.steered.remove(0);
    let ids = (0_u16..).map(PolicyId).take(kinds.len());
    zone.steered = ids.map(|policy| Steered { policy, ..name.clone() }).collect();
    config.zones = vec![Arc::new(zone)];
    config.policies = kinds.into_iter().map(|kind| Arc::new(Policy { name: "p".into(), kind })).collect();
    config
}

fn lookups(criterion: &mut Criterion, world: &World, family: Family) {
    let charts = Charts::build(&world.config(), &world.atlas()).expect("charts");
    let chart = charts.of(PolicyId(0)).expect("it asks for the place");
    let bytes = std::fs::read(world.file.path()).expect("the database");
    let reader = Reader::from_source(&bytes[..]).expect("a database");
    let views: HashMap<&str, u16> =
        world.countries.iter().map(|country| (country.as_str(), world.region(*country))).collect();
    let starts_v4: Vec<u32> = world.v4.iter().map(|(first, _)| *first).collect();
    let starts_v6: Vec<u64> = world.v6.iter().map(|(first, _)| *first).collect();
    let of_range = |country: &Country| views[country.as_str()];
    let views_v4: Vec<u16> = world.v4.iter().map(|(_, country)| of_range(country)).collect();
    let views_v6: Vec<u16> = world.v6.iter().map(|(_, country)| of_range(country)).collect();
    let search = |address: IpAddr| match address {
        IpAddr::V4(address) => views_v4[starts_v4.partition_point(|start| *start <= address.to_bits()) - 1],
        IpAddr::V6(address) => {
            let key = u64::try_from(address.to_bits() >> 64).expect("64 bits");
            views_v6[starts_v6.partition_point(|start| *start <= key) - 1]
        }
    };
    let look_up = |address: IpAddr| {
        let record: geoip2::Country<'_> = reader.lookup(address).ok()?.decode().ok()??;
        views.get(record.country.iso_code?).copied()
    };

    let size = chart.size();
    let name = if family == Family::V4 { "ipv4" } else { "ipv6" };
    let mut group = criterion.benchmark_group(format!("{name} among {} ranges", size.ranges));
    for (clients, count) in [("everywhere", 1 << 16), ("a thousand clients", 1_000)] {
        let addresses = world.addresses(family, count);
        for address in &addresses {
            let found = region(chart, *address);
            assert_eq!((found, Some(found)), (search(*address), look_up(*address)), "{address}");
        }
        let mut compare = |name: &str, find: &dyn Fn(IpAddr) -> u16| {
            let mut at = 0;
            group.bench_function(BenchmarkId::new(name, clients), |bench| {
                bench.iter(|| {
                    let region = find(addresses[at]);
                    // Which is next depends on what was found, so that one lookup begins when the last has ended, as at a query.
                    at += 1 + usize::from(region == REGIONS);
                    at = if at < addresses.len() { at } else { 0 };
                    region
                });
            });
        };
        compare("chart", &|address| region(chart, address));
        compare("binary search", &search);
        compare("maxminddb", &|address| look_up(address).unwrap_or(REGIONS));
    }
}

fn region(chart: &Chart, address: IpAddr) -> u16 {
    let spot = chart.find(address);
    black_box(spot.scope);
    match spot.view.branch(PolicyId(0)) {
        Some(Branch::Region(region)) => region.0,
        _ => REGIONS,
    }
}

fn builds(criterion: &mut Criterion, world: &World) {
    let mut group = criterion.benchmark_group("build");
    group.sample_size(10);
    group.bench_function("atlas of the database", |bench| bench.iter(|| world.atlas()));
    group.bench_function("atlas of the embedded table", |bench| bench.iter(|| atlas(None)));
    let (large, embedded) = (world.atlas(), atlas(None));
    let by_country = world.config();
    group.bench_function("one chart by country", |bench| bench.iter(|| Charts::build(&by_country, &large)));
    for (name, atlas, count) in [("one", &large, 1), ("one, embedded", &embedded, 1), ("200, embedded", &embedded, 200)]
    {
        let config = config((0..count).map(nearest).collect());
        group.bench_function(BenchmarkId::new("charts by distance", name), |bench| {
            bench.iter(|| Charts::build(&config, atlas).expect("charts"));
        });
    }
}

/// Ten of the regions, another ten each time.
fn nearest(number: usize) -> PolicyKind {
    let mut random = fastrand::Rng::with_seed(number as u64);
    let regions = random.choose_multiple(0..REGIONS, 10);
    PolicyKind::Nearest { regions: regions.into_iter().map(|region| (RegionId(region), 0)).collect() }
}
