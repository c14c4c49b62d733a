//! What finding a request's route costs, beside looking through all routes one by one.
//!
//! `cargo bench --bench routes`, about a minute. "mixed hosts" is what a platform has: exact hosts, one in ten a wildcard, some paths below each.
//! "one host" has all routes below one host. Requests are for routes all over the config, the same for both.

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion};
use meridian::{
    config::{Config, HostPattern, Identity, PathPattern, from_text},
    proxy::{Asked, Routing},
};

const SIZES: [usize; 3] = [10, 1_000, 10_000];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for (name, address) in [
        ("mixed hosts", mixed as fn(usize) -> Address),
        ("one host", one_host),
        ("one host, deep and encoded", encoded),
    ] {
        compare(&mut criterion, name, address);
    }
    conditions(&mut criterion);
    criterion.final_summary();
}

/// A route's host and path, and a host and path that it takes.
struct Address {
    written: (String, String),
    asked: (String, String),
}

fn mixed(at: usize) -> Address {
    let path = ["/", "/api", "/api/v2/orders"][at % 3].to_owned();
    let shop = format!("shop-{}.example", at / 3);
    let host = if at.is_multiple_of(10) { format!("*.{shop}") } else { shop.clone() };
    let asked = (if at.is_multiple_of(10) { format!("www.{shop}") } else { shop }, format!("{path}/1234"));
    Address { written: (host, path), asked: (asked.0, asked.1.replace("//", "/")) }
}

fn one_host(at: usize) -> Address {
    let path = format!("/service-{at}");
    Address {
        asked: ("shop.example".to_owned(), format!("{path}/orders/1234")),
        written: ("shop.example".to_owned(), path),
    }
}

fn encoded(at: usize) -> Address {
    let (tenant, service) = (at % 100, at / 100);
    Address {
        asked: ("shop.example".to_owned(), format!("/tenants/tenant-{tenant}/services/%73ervice-{service}/a%20b/1234")),
        written: ("shop.example".to_owned(), format!("/tenants/tenant-{tenant}/services/service-{service}")),
    }
}

fn config(routes: impl Iterator<Item = String>) -> Config {
    let text = "[regions.here]\naddresses = [\"192.0.2.1\"]\n[[pools.shop.origins]]\naddress = \"10.0.0.1:80\"\n";
    let loaded = from_text("bench", &(text.to_owned() + &routes.collect::<String>()), &Identity::default());
    loaded.config.expect("the routes are well formed")
}

fn asked<'a>(host: &'a str, path: &'a str) -> Asked<'a> {
    Asked { method: "GET", host, path, query: None, headers: &[], client: [192, 0, 2, 7].into() }
}

fn compare(criterion: &mut Criterion, name: &str, address: fn(usize) -> Address) {
    let mut group = criterion.benchmark_group(name);
    for size in SIZES {
        let config = config((0..size).map(|at| {
            let (host, path) = address(at).written;
            format!("[[routes]]\nhost = \"{host}\"\npath = \"{path}\"\npool = \"shop\"\n")
        }));
        let requests: Vec<_> = (0..size).map(|at| address(at * 7_919 % size).asked).collect();
        let routing = Routing::build(
            &config,
            None,
            &meridian::tls::Outward::none(&config),
            Arc::new(meridian::policy::Flow::of(&config, None)),
        );
        let mut next = requests.iter().cycle();
        group.bench_function(BenchmarkId::new("tree", size), |bench| {
            bench.iter(|| {
                let (host, path) = next.next().expect("it goes round");
                routing.find(black_box(&asked(host, path))).expect("some route takes it")
            });
        });
        let mut next = requests.iter().cycle();
        group.bench_function(BenchmarkId::new("one by one", size), |bench| {
            bench.iter(|| {
                let (host, path) = next.next().expect("it goes round");
                one_by_one(&config, black_box(&asked(host, path)))
            });
        });
    }
}

/// What somebody in a hurry would write: the best of all that fit, by host and path as they were sent.
fn one_by_one(config: &Config, asked: &Asked<'_>) -> Option<usize> {
    let host = |pattern: &HostPattern| match pattern {
        HostPattern::Exact(host) => (**host == *asked.host).then_some(usize::MAX),
        HostPattern::Below(parent) => {
            let rest = asked.host.strip_suffix(&**parent)?;
            rest.ends_with('.').then_some(parent.len())
        }
        HostPattern::Any => Some(0),
    };
    let path = |pattern: &PathPattern| match pattern {
        PathPattern::Exact(path) => (**path == *asked.path).then_some(usize::MAX),
        PathPattern::Below(path) => {
            let rest = asked.path.strip_prefix(&**path)?;
            (rest.is_empty() || rest.starts_with('/') || path.ends_with('/')).then_some(path.len())
        }
    };
    let routes = config.routes.iter().enumerate();
    let fits =
        routes.filter_map(|(at, route)| Some(((host(&route.conditions.host)?, path(&route.conditions.path)?), at)));
    fits.max().map(|(_, at)| at)
}

/// Routes of one host and path are tried one after the other: the most there may be, and the last of them.
fn conditions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("the last of so many routes of one path");
    for size in [1, 10, 100] {
        let route =
            |at| format!("[[routes]]\nheaders = {{ x-tenant = {{ equals = \"tenant-{at}\" }} }}\npool = \"shop\"\n");
        let routing = {
            let config = config((0..size).map(route));
            Routing::build(
                &config,
                None,
                &meridian::tls::Outward::none(&config),
                Arc::new(meridian::policy::Flow::of(&config, None)),
            )
        };
        let tenant = format!("tenant-{}", size - 1);
        let header = |name, value| httparse::Header { name, value };
        let headers = [header("accept", b"*/*"), header("user-agent", b"bench"), header("x-tenant", tenant.as_bytes())];
        let asked = Asked { headers: &headers, ..asked("shop.example", "/") };
        group.bench_function(BenchmarkId::new("tree", size), |bench| {
            bench.iter(|| routing.find(black_box(&asked)).expect("the last takes it"));
        });
    }
}
