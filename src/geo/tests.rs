//! Charts as a whole: from a database and a config to what an address gets.

use std::{collections::BTreeSet, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use ipnet::IpNet;
use proptest::prelude::*;

use super::{
    mmdb::written::{Writer, city, country},
    scene::{ASIA, EU, US, config, world},
    *,
};
use crate::{
    config::{self, Area, Branch, Config, PolicyKind},
    fleet::{Continent, Place, PolicyId, RegionId},
};

/// Germany, France, two parts of the United States, Japan; the rest is nowhere.
fn atlas() -> Atlas {
    let file = tempfile::NamedTempFile::new().unwrap();
    let database = Writer::new("GeoLite2-City")
        .with("10.0.0.0/8", &city("EU", "DE", "BY", 48.0, 11.5))
        .with("11.0.0.0/8", &country("EU", "FR"))
        .with("12.0.0.0/9", &city("NA", "US", "CA", 37.5, -122.25))
        .with("12.128.0.0/9", &city("NA", "US", "NY", 40.7, -74.0))
        .with("13.0.0.0/8", &country("AS", "JP"))
        .with("2001:db8::/32", &country("EU", "DE"))
        .with("2400::/12", &country("AS", "JP"));
    std::fs::write(file.path(), database.finish()).unwrap();
    let database = Some(file.path().into());
    Atlas::load(&config::Geo { database, networks: Vec::new(), watch_interval: Duration::from_secs(5) }).unwrap()
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn to(region: RegionId) -> Branch {
    Branch::Region(region)
}

fn geo(networks: &[(&str, Branch)], areas: &[(Area, Branch)], default: Branch) -> PolicyKind {
    let networks = networks.iter().map(|(at, branch)| (net(at), *branch)).collect();
    PolicyKind::Geo { networks, areas: areas.to_vec(), default }
}

fn nearest(regions: &[RegionId]) -> PolicyKind {
    PolicyKind::Nearest { regions: regions.iter().map(|region| (*region, 0)).collect() }
}

fn country_area(code: &str) -> Area {
    Area::Country(code.parse().unwrap())
}

fn find<'a>(charts: &'a Charts, root: u16, address: &str) -> Spot<'a> {
    charts.of(PolicyId(root)).unwrap().find(address.parse().unwrap())
}

fn branch(charts: &Charts, address: &str) -> (Option<Branch>, u8) {
    let spot = find(charts, 0, address);
    (spot.view.branch(PolicyId(0)), spot.scope)
}

#[test]
fn the_smallest_area_wins() {
    let policy = geo(
        &[("12.0.0.0/16", to(ASIA)), ("12.0.1.0/24", to(EU)), ("2001:db8:1::/48", to(US))],
        &[
            (Area::Subdivision("US-CA".parse().unwrap()), to(US)),
            (country_area("US"), to(EU)),
            (Area::Continent(Continent::NorthAmerica), to(ASIA)),
            (Area::Continent(Continent::Europe), to(EU)),
            (country_area("FR"), to(US)),
        ],
        to(ASIA),
    );
    let charts = Charts::build(&world(vec![policy], &[0]), &atlas()).unwrap();
    assert_eq!(branch(&charts, "12.0.1.1"), (Some(to(EU)), 24), "the longest network");
    assert_eq!(branch(&charts, "12.0.128.1"), (Some(to(ASIA)), 17), "the other network; half of it knows of no hole");
    assert_eq!(branch(&charts, "12.64.0.1"), (Some(to(US)), 10), "California");
    assert_eq!(branch(&charts, "12.200.0.1"), (Some(to(EU)), 9), "the rest of the country");
    assert_eq!(branch(&charts, "10.1.1.1"), (Some(to(EU)), 8), "the continent");
    assert_eq!(branch(&charts, "11.1.1.1"), (Some(to(US)), 8), "a country before its continent");
    assert_eq!(branch(&charts, "200.1.1.1"), (Some(to(ASIA)), 1), "everybody else");
    assert_eq!(branch(&charts, "2001:db8:1::7"), (Some(to(US)), 48));
    assert_eq!(branch(&charts, "2001:db8:8000::7"), (Some(to(EU)), 33));
}

#[test]
fn one_lookup_answers_for_the_whole_tree() {
    let sub = |id| Branch::Policy(PolicyId(id));
    let policies = vec![
        geo(&[], &[(Area::Continent(Continent::Europe), sub(1))], sub(2)),
        PolicyKind::Weighted { branches: vec![(to(EU), 3), (sub(3), 1)] },
        PolicyKind::Failover { branches: vec![sub(4), to(EU)], trickle: 0 },
        nearest(&[US, ASIA]),
        nearest(&[EU, US, ASIA]),
    ];
    let charts = Charts::build(&world(policies, &[0]), &atlas()).unwrap();
    let view = find(&charts, 0, "13.1.1.1").view;
    assert_eq!(view.branch(PolicyId(0)), Some(sub(2)));
    assert_eq!((view.order(PolicyId(3)), view.order(PolicyId(4))), (&[ASIA, US][..], &[ASIA, EU, US][..]));
    // What is no geo policy chooses no branch, what does not ask for the place no order.
    assert_eq!((view.branch(PolicyId(3)), view.branch(PolicyId(1))), (None, None));
    assert_eq!(
        (view.order(PolicyId(0)), view.order(PolicyId(2)), view.order(PolicyId(9))),
        (&[][..], &[][..], &[][..])
    );
}

#[test]
fn only_roots_of_names_that_ask_for_the_place_have_a_chart() {
    let plain = PolicyKind::Multivalue { regions: vec![EU, US], max: 8 };
    let above = PolicyKind::Failover { branches: vec![Branch::Policy(PolicyId(0)), to(EU)], trickle: 0 };
    let policies = vec![nearest(&[EU, US]), plain, above, nearest(&[EU])];
    let charts = Charts::build(&world(policies, &[1, 2, 0, 0]), &atlas()).unwrap();
    assert_eq!(
        (0..5).map(|id| charts.of(PolicyId(id)).is_some()).collect::<Vec<_>>(),
        [true, false, true, false, false]
    );
    assert_eq!(charts.iter().count(), 2);
    let spot = find(&charts, 2, "12.1.1.1");
    assert_eq!(spot.view.order(PolicyId(0)), [US, EU]);
}

#[test]
fn what_makes_no_difference_ends_no_range() {
    // Both parts of the United States choose alike, and so do Germany and France.
    let charts = Charts::build(&world(vec![nearest(&[EU, US])], &[0]), &atlas()).unwrap();
    let size = charts.of(PolicyId(0)).unwrap().size();
    assert_eq!(size.views, 2, "whoever is nowhere is where this node is, in Europe");
    assert_eq!(find(&charts, 0, "12.1.1.1").scope, 8, "not 9");
    assert_eq!(
        find(&charts, 0, "10.1.1.1").scope,
        6,
        "8.0.0.0/6 has Germany, France and nobody: 12 is the first that differs"
    );
    assert_eq!(find(&charts, 0, "200.1.1.1").scope, 1);
}

fn table(lines: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines).unwrap();
    file
}

#[test]
fn what_was_measured_comes_before_what_is_near() {
    let lines = "10.0.0.0/8,us,10\n10.0.0.0/8,asia,20\n10.1.0.0/16,asia,5\n2001:db8::/32,us,1\n13.0.0.0/8,eu,1\n";
    let file = table(lines);
    let latency = PolicyKind::Latency { regions: vec![EU, US, ASIA], table: file.path().into() };
    let config = world(vec![latency], &[0]);
    let charts = Charts::build(&config, &atlas()).unwrap();
    let order = |address| find(&charts, 0, address).view.order(PolicyId(0));
    assert_eq!(order("10.2.0.1"), [US, ASIA, EU]);
    assert_eq!(order("10.1.0.1"), [ASIA, EU, US], "then the nearest to Germany");
    assert_eq!(order("13.0.0.1"), [EU, ASIA, US], "then the nearest to Japan");
    assert_eq!(order("12.0.0.1"), [US, EU, ASIA], "nothing was measured");
    assert_eq!(order("2001:db8::1"), [US, EU, ASIA]);
    assert_eq!(Charts::files(&config), [file.path()]);
}

#[test]
fn files_are_those_of_policies_that_names_use_once_each() {
    let latency = |table: &str| PolicyKind::Latency { regions: vec![EU], table: table.into() };
    let above = geo(&[], &[(country_area("DE"), Branch::Policy(PolicyId(0)))], Branch::Policy(PolicyId(1)));
    let policies = vec![latency("b.csv"), latency("a.csv"), above, latency("unused.csv"), latency("b.csv")];
    let files = Charts::files(&world(policies, &[2, 4]));
    assert_eq!(files, ["a.csv", "b.csv"].map(PathBuf::from));
}

#[test]
fn tables_and_networks_that_are_no_good_are_told() {
    let file = table("10.0.0.0/8,mars,1\n");
    let latency = PolicyKind::Latency { regions: vec![EU], table: file.path().into() };
    let error = Charts::build(&world(vec![latency], &[0]), &atlas()).unwrap_err().to_string();
    assert_eq!(error, format!("{}:1: `mars` is no region of the config", file.path().display()));
    let long = geo(&[("2001:db8::/80", to(EU))], &[], to(US));
    let error = Charts::build(&world(vec![long], &[0]), &atlas()).unwrap_err().to_string();
    assert_eq!(error, "`policies.p0`: `2001:db8::/80` is longer than /64");
}

#[test]
fn more_kinds_of_clients_than_a_chart_can_tell_apart_are_refused() {
    // Nine regions in any of 362,880 orders.
    let names: Vec<String> = (0..9).map(|at| format!("r{at}")).collect();
    let regions: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
    let orders = |count: u32| {
        let mut lines = String::new();
        for network in 0..count {
            let (mut left, mut number) = ((0..9).collect::<Vec<u32>>(), network);
            for rank in 1..=9_u32 {
                let choice = left.remove(number as usize % left.len());
                number /= 10 - rank;
                let at = std::net::Ipv4Addr::from_bits(network << 8);
                lines += &format!("{at}/24,r{choice},{rank}\n");
            }
        }
        let file = table(&lines);
        let regions_used = (0..9).map(RegionId).collect();
        let latency = PolicyKind::Latency { regions: regions_used, table: file.path().into() };
        Charts::build(&config(&regions, vec![latency], &[0]), &atlas())
    };
    let error = orders(66_000).unwrap_err().to_string();
    assert!(error.starts_with("`policies.p0` tells more than 65535 kinds of clients apart"), "{error}");
    let charts = orders(3_000).unwrap();
    assert_eq!(charts.of(PolicyId(0)).unwrap().size().views, 3_000, "the first order is that by id");
}

#[test]
fn more_charts_than_fit_are_refused() {
    let roots: Vec<u16> = (0..4_097).collect();
    let policies = roots.iter().map(|_| nearest(&[EU])).collect();
    let error = Charts::build(&world(policies, &roots), &atlas()).unwrap_err().to_string();
    assert_eq!(error, "4097 policies of steered names depend on where the client is; at most 4096 may");
}

#[test]
fn charts_that_do_not_fit_together_are_refused() {
    let (config, atlas) = (world(vec![nearest(&[EU, US]), nearest(&[EU])], &[0, 1]), atlas());
    let charts = Charts::build(&config, &atlas).unwrap();
    let bytes = charts.iter().map(|chart| chart.size().bytes).sum();
    assert!(Charts::build_within(bytes, &config, &atlas).is_ok());
    let error = Charts::build_within(bytes - 1, &config, &atlas).unwrap_err();
    assert!(matches!(error, ChartError::TooLarge), "{error}");
}

/// What a config says of an address, found by reading it again each time.
fn by_reading(config: &Config, atlas: &Atlas, policy: usize, address: IpAddr) -> (Option<Branch>, Vec<RegionId>) {
    let place = atlas.place(address);
    match &config.policies[policy].kind {
        PolicyKind::Geo { networks, areas, default } => {
            let holding = networks.iter().filter(|(net, _)| net.contains(&address));
            let network = holding.max_by_key(|(net, _)| net.prefix_len()).map(|(_, branch)| *branch);
            let area =
                |wanted: Option<Area>| areas.iter().find(|(area, _)| Some(*area) == wanted).map(|(_, branch)| *branch);
            let branch = network
                .or_else(|| area(place.subdivision.map(Area::Subdivision)))
                .or_else(|| area(place.country.map(Area::Country)))
                .or_else(|| area(place.continent.map(Area::Continent)));
            (Some(branch.unwrap_or(*default)), Vec::new())
        }
        PolicyKind::Nearest { regions } => {
            let mut regions: Vec<RegionId> = regions.iter().map(|(region, _)| *region).collect();
            let from = place.location.or(config.regions[0].location).unwrap();
            let far = |region: &RegionId| config.regions[region.index()].location.unwrap().distance_km(from);
            regions.sort_by(|one, two| far(one).total_cmp(&far(two)));
            (None, regions)
        }
        _ => (None, Vec::new()),
    }
}

fn networks() -> impl Strategy<Value = Vec<(IpNet, Branch)>> {
    let v4 = (9..15_u8, any::<u16>(), 4..=28_u8)
        .prop_map(|(top, rest, bits)| format!("{top}.{}.{}.0/{bits}", rest >> 8, rest & 255));
    let v6 = (any::<u16>(), 20..=64_u8).prop_map(|(part, bits)| format!("2001:db8:{part:x}::/{bits}"));
    let one = (prop_oneof![v4, v6], 0..3_u16).prop_map(|(text, region)| (net(&text).trunc(), to(RegionId(region))));
    let each_once = |networks: Vec<(IpNet, Branch)>| {
        let mut seen = BTreeSet::new();
        networks.into_iter().filter(|(net, _)| seen.insert(*net)).collect()
    };
    proptest::collection::vec(one, 0..12).prop_map(each_once)
}

fn prefix(address: IpAddr, bits: u8) -> IpNet {
    IpNet::new(address, bits).unwrap().trunc()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_chart_says_what_its_policies_say_and_its_scope_is_as_short_as_it_can_be(
        one in networks(),
        two in networks(),
        at in proptest::collection::vec((8..16_u8, any::<u32>(), any::<u16>()), 40),
    ) {
        let areas = vec![(country_area("DE"), to(US)), (Area::Continent(Continent::Asia), Branch::Policy(PolicyId(1)))];
        let kinds = vec![
            PolicyKind::Geo { networks: one.clone(), areas, default: Branch::Policy(PolicyId(2)) },
            PolicyKind::Geo { networks: two.clone(), areas: Vec::new(), default: to(ASIA) },
            nearest(&[EU, US, ASIA]),
        ];
        let (config, atlas) = (world(kinds, &[0]), atlas());
        let charts = Charts::build(&config, &atlas).unwrap();
        let chart = charts.of(PolicyId(0)).unwrap();
        let said = |address| (0..3).map(|policy| by_reading(&config, &atlas, policy, address)).collect::<Vec<_>>();
        let found = |address: IpAddr| {
            let view = chart.find(address).view;
            (0..3).map(|id| (view.branch(PolicyId(id)), view.order(PolicyId(id)).to_vec())).collect::<Vec<_>>()
        };
        // Wherever anything begins, and some places more.
        let bounds = ["0.0.0.0", "10.0.0.0", "11.0.0.0", "12.0.0.0", "12.128.0.0", "13.0.0.0", "14.0.0.0", "::", "2001:db8::",
            "2001:db9::", "2400::", "2410::"];
        let mut starts: Vec<IpAddr> = bounds.iter().map(|at| at.parse().unwrap()).collect();
        for (net, _) in one.iter().chain(&two) {
            starts.push(net.network());
            starts.extend(after(net.broadcast()));
        }
        let random = at.iter().flat_map(|(top, rest, part)| {
            let v4 = std::net::Ipv4Addr::from_bits(u32::from(*top) << 24 | rest >> 8);
            let v6 = std::net::Ipv6Addr::new(0x2001, 0xdb8, *part, (*rest >> 16) as u16, 0, 0, 0, 1);
            [IpAddr::from(v4), IpAddr::from(v6)]
        });
        for address in random.chain(starts.clone()) {
            let expected = said(address);
            prop_assert_eq!(found(address), expected.clone(), "{}", address);
            let scope = chart.find(address).scope;
            let differs_within = |bits| starts.iter().filter(|start| prefix(address, bits).contains(*start)).any(|start| said(*start) != expected)
                || said(prefix(address, bits).network()) != expected;
            prop_assert!(!differs_within(scope), "{address}/{scope} is not of one view");
            prop_assert!(scope == 0 || differs_within(scope - 1), "{address}/{scope} could be shorter");
        }
    }
}

fn after(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => Some(std::net::Ipv4Addr::from_bits(address.to_bits().checked_add(1)?).into()),
        IpAddr::V6(address) => Some(std::net::Ipv6Addr::from_bits(address.to_bits().checked_add(1)?).into()),
    }
}

#[test]
fn charts_over_the_embedded_table_send_the_world_where_it_is_near() {
    let atlas =
        Atlas::load(&config::Geo { database: None, networks: Vec::new(), watch_interval: Duration::from_secs(5) });
    let charts = Charts::build(&world(vec![nearest(&[EU, US, ASIA])], &[0]), &atlas.unwrap()).unwrap();
    let first = |address| find(&charts, 0, address).view.order(PolicyId(0))[0];
    assert_eq!(["193.0.6.139", "8.8.8.8", "133.11.0.1"].map(first), [EU, US, ASIA]);
    assert_eq!(first("10.0.0.1"), EU, "where this node is");
}

#[test]
fn charts_can_be_shared_between_threads() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<Arc<Chart>>();
    is_shared::<Charts>();
    is_shared::<Atlas>();
    assert_eq!(Place::default().country, None);
}
