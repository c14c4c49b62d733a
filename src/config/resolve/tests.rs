use std::time::Duration;

use crate::{
    config::{
        Action, Branch, CheckKind, Checks, Config, FailureRatio, HostPattern, HttpCheck, Identity, LatencyOutlier,
        PassiveMode, PolicyKind, WhenAllDown, duration_as_written, from_text,
    },
    fleet::{PoolId, RegionId},
};

fn config(text: &str) -> Config {
    let loaded = from_text("test.toml", text, &Identity::default());
    loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)))
}

fn only(checks: &Checks) -> &crate::config::Check {
    checks.only().unwrap_or_else(|| panic!("{checks:?}"))
}

fn http(checks: &Checks) -> &HttpCheck {
    match &only(checks).kind {
        CheckKind::Http(http) => http,
        other => panic!("{other:?}"),
    }
}

const SMALL: &str = r#"
[regions.home]
addresses = ["192.0.2.10"]

[pools.shop]
origins = [{ address = "10.0.0.1:8080" }]

[[routes]]
pool = "shop"
"#;

const LARGE: &str = r#"
[node]
region = "eu"

[listen]
http = ["127.0.0.1:8080"]

[regions.eu]
addresses = ["192.0.2.10"]
capacity = "90/m"

[regions.us]
addresses = ["198.51.100.10"]
check.http = { status = 204, port = 81 }

[pools.blog]
when_all_down = "closed"
origins = [{ address = "10.0.0.2:8080", region = "us", weight = 7 }]

[pools.shop]
check.http = { path = "/up", interval = "2s", fall = 3 }
origins = [{ address = "10.0.0.1:8080", region = "eu" }]

[[routes]]
host = "*.Shop.example"
path = "/cart/"
pool = "shop"

[[routes]]
host = "shop.example"
pool = "blog"
name = "front"

[zones."shop.example"]
nameservers = ["ns1.elsewhere.example"]
ttl = "10m"

[zones."shop.example".records]
www = { TXT = ["one", ["two", "three"]], A = ["192.0.2.1"], ttl = "1m" }

[zones."shop.example".steer]
"@" = {}
api = { pools = ["shop", "blog", "shop"], weights = { eu = 0 }, ttl = "5s" }
"#;

#[test]
fn a_small_config_is_filled_in() {
    let config = config(SMALL);
    assert_eq!((&*config.node.name, config.node.region), ("meridian", RegionId(0)));
    assert_eq!(config.listen.admin, "127.0.0.1:9900".parse().unwrap());
    assert!(config.http.workers > 0 && config.dns.threads > 0);
    assert_eq!(config.admin.token_file.to_str(), Some("state/admin.token"));
    let region = &config.regions[0];
    assert_eq!((only(&region.check).port, region.capacity_per_second), (Some(80), 0));
    let pool = &config.pools[0];
    assert_eq!((pool.origins[0].region, pool.origins[0].weight), (RegionId(0), 100));
    assert!(matches!(&only(&pool.check).kind, CheckKind::Tcp { send, expect } if send.is_empty() && expect.is_empty()));
    assert_eq!(only(&pool.check).port, None);
    assert_eq!(pool.check.detection_bound().map(duration_as_written).as_deref(), Some("2s250ms"));
    assert_eq!((&config.routes[0].conditions.host, &*config.routes[0].name), (&HostPattern::Any, "*/"));
}

#[test]
fn checks_regions_and_pools_mean_what_they_say() {
    let config = config(LARGE);
    let (eu, us) = (&config.regions[0], &config.regions[1]);
    assert_eq!((only(&eu.check).port, eu.capacity_per_second), (Some(8080), 2));
    let asked = http(&us.check);
    assert_eq!((&*asked.path, &*asked.host, &*asked.statuses), ("/", "us", &[(204, 204)][..]));
    assert_eq!(only(&us.check).port, Some(81));

    let (blog, shop) = (&config.pools[0], &config.pools[1]);
    assert_eq!((blog.when_all_down, blog.origins[0].region), (WhenAllDown::Closed, RegionId(1)));
    let asked = http(&shop.check);
    assert_eq!((&*asked.path, &*asked.host, &*asked.statuses), ("/up", "shop", &[(200, 399)][..]));
    let timing = only(&shop.check).timing;
    assert_eq!((timing.fall, timing.interval), (3, Duration::from_secs(2)));
}

#[test]
fn routes_keep_their_order_and_lose_their_last_slash() {
    let config = config(LARGE);
    let (first, second) = (&config.routes[0], &config.routes[1]);
    assert_eq!(first.conditions.host, HostPattern::Below("shop.example".into()));
    assert_eq!((first.conditions.path.to_string().as_str(), first.pool()), ("/cart", Some(PoolId(1))));
    assert_eq!((&*first.name, &*second.name), ("*.shop.example/cart", "front"));
}

#[test]
fn zones_have_their_records_and_what_is_steered_follows_its_routes() {
    let config = config(LARGE);
    let zone = &config.zones[0];
    assert_eq!(
        (zone.soa.contact.to_string().as_str(), zone.ttl, zone.soa.negative_ttl),
        ("hostmaster.shop.example", 600, 30)
    );
    let sets: Vec<_> = zone.records.iter().map(|set| (set.owner.to_string(), set.ttl, set.data.len())).collect();
    assert_eq!(sets, [("www.shop.example".to_owned(), 60, 1), ("www.shop.example".to_owned(), 60, 2)]);
    assert_eq!((zone.records[1].kind, zone.records[1].data.len()), (16, 2));

    let (api, apex) = (&zone.steered[0], &zone.steered[1]);
    let weights = |steered: &crate::config::Steered| match &config.policies[steered.policy.index()].kind {
        PolicyKind::Weighted { branches } => branches.clone(),
        other => panic!("{other:?}"),
    };
    let region = |id: u16, weight: u32| (Branch::Region(RegionId(id)), weight);
    assert_eq!((&apex.pools, weights(apex)), (&vec![PoolId(0)], vec![region(0, 1), region(1, 1)]));
    assert_eq!((&api.pools, weights(api)), (&vec![PoolId(0), PoolId(1)], vec![region(1, 1)]));
    assert_eq!((apex.ttl, apex.min_ttl, api.ttl, api.min_ttl), (30, 5, 5, 5));
}

#[test]
fn how_dns_is_answered_is_filled_in_and_taken_at_its_word() {
    let dns = config(SMALL).dns;
    assert_eq!((dns.max_tcp_connections_per_client, &*dns.nsid, dns.chaos), (100, &b""[..], None));
    assert_eq!((dns.cookies.is_on, dns.cookies.secret_file, dns.log), (true, None, None));
    let rate = dns.rate_limit.unwrap();
    assert_eq!((rate.per_second, rate.burst, rate.slip, rate.max_entries), (200, 200, 2, 65_536));
    assert_eq!((rate.v4_prefix, rate.v6_prefix, rate.exempt.len()), (24, 56, 2));
    let written = r#"
        [listen]
        dns_tls = ["127.0.0.1:853"]
        dns_https = ["127.0.0.1:8853"]
        [tls]
        directory = "certs.d"
        [dns]
        nsid = "fra-1"
        chaos = "fra"
        cookies = { enabled = false, secret_file = "keys" }
        rate_limit = { per_second = 5, burst = 9, exempt = [] }
        log = { path = "-", sample = 0.5 }
    "#;
    let dns = config(&format!("{SMALL}{written}")).dns;
    assert_eq!((&*dns.nsid, dns.chaos.as_deref(), dns.cookies.is_on), (&b"fra-1"[..], Some("fra"), false));
    assert_eq!((dns.tls, dns.https), (vec!["127.0.0.1:853".parse().unwrap()], vec!["127.0.0.1:8853".parse().unwrap()]));
    let rate = dns.rate_limit.unwrap();
    assert_eq!((rate.per_second, rate.burst, rate.exempt), (5, 9, vec![]));
    assert_eq!(dns.log.map(|log| (log.path, log.sample)), Some(("-".into(), 0.5)));
    assert_eq!(config(&format!("{SMALL}[dns.rate_limit]\nenabled = false\n")).dns.rate_limit, None);
}

#[test]
fn networks_are_where_the_config_says() {
    let geo = config(SMALL).geo;
    assert_eq!((geo.database, geo.networks.len(), geo.watch_interval), (None, 0, Duration::from_secs(5)));
    let written = r#"
        [geo]
        database = "city.mmdb"
        [geo.networks]
        "2001:db8::/48" = { continent = "eu" }
        "10.0.0.0/8" = { subdivision = "us-ca", latitude = 37.4, longitude = -122 }
    "#;
    let geo = config(&format!("{SMALL}{written}")).geo;
    let (network, place) = &geo.networks[0];
    assert_eq!((network.to_string(), place.country), ("10.0.0.0/8".to_owned(), Some("US".parse().unwrap())));
    assert_eq!((place.subdivision, place.continent), (Some("US-CA".parse().unwrap()), None));
    assert_eq!(place.location.map(|point| (point.latitude, point.longitude)), Some((37.4, -122.0)));
    assert_eq!(geo.networks[1].1.continent, Some(crate::fleet::Continent::Europe));
}

#[test]
fn a_route_may_answer_dns_and_nothing_else() {
    let dns =
        |more: &str| SMALL.replace("pool = \"shop\"\n", &format!("path_exact = \"/dns-query\"\ndns = true\n{more}"));
    let config = config(&format!("{}[[routes]]\npool = \"shop\"\ndns = false\n", dns("")));
    assert_eq!((&config.routes[0].action, config.routes[1].pool()), (&Action::Dns, Some(PoolId(0))));
    assert_eq!(codes(&dns("pool = \"shop\"\n")), ["contradiction"]);
    assert_eq!(codes(&dns("max_body_size = \"1B\"\n")), ["contradiction"]);
    assert_eq!(codes(&SMALL.replace("pool = \"shop\"\n", "dns = false\n")), ["missing-key"]);
}

/// Everything that is wrong with a text, by code.
fn codes(text: &str) -> Vec<&'static str> {
    from_text("test.toml", text, &Identity::default()).diagnostics.iter().map(|one| one.code.as_str()).collect()
}

#[test]
fn what_cannot_be_read_is_not_said_to_be_missing_as_well() {
    let two = SMALL.replace("[pools.shop]", "[regions.away]\naddresses = [\"192.0.2.11\"]\n[pools.shop]");
    for (text, code) in [
        (SMALL.replace("\"10.0.0.1:8080\"", "5"), "wrong-type"),
        (SMALL.replace("[{ address = \"10.0.0.1:8080\" }]", "[5]"), "wrong-type"),
        (SMALL.replace("[pools.shop]\norigins = [{ address = \"10.0.0.1:8080\" }]", "[pools]\nshop = 5"), "wrong-type"),
        (SMALL.replace("[\"192.0.2.10\"]", "[\"here\"]"), "bad-value"),
        (
            two.replace("8080\" }", "8080\", region = 5 }")
                .replace("[pools.shop]", "[node]\nregion = \"home\"\n[pools.shop]"),
            "wrong-type",
        ),
        (
            two.replace("8080\" }", "8080\", region = \"home\" }")
                .replace("[pools.shop]", "[node]\nregion = 5\n[pools.shop]"),
            "wrong-type",
        ),
        (
            format!("{SMALL}[zones.a]\nnameservers = [\"ns.b\"]\nsteer.www = {{}}\n").replace("\"shop\"", "\"shpo\""),
            "unknown-pool",
        ),
        (
            SMALL
                .replace("[pools.shop]\norigins = [{ address = \"10.0.0.1:8080\" }]", "")
                .replace("[regions", "pools = 5\n[regions"),
            "wrong-type",
        ),
        (format!("{SMALL}[zones.a]\nnameservers = [5]\nsteer.www.pools = 5\n"), "wrong-type"),
        (
            SMALL.replace("[pools.shop]", "[pools.shop]\ncheck.tcp.interval = 100\ncheck.tcp.recheck = \"2s\""),
            "wrong-type",
        ),
    ] {
        let found = codes(&text);
        assert!(!found.is_empty() && found.iter().all(|found| *found == code), "{found:?} in {text}");
    }
}

#[test]
fn there_is_an_end_to_how_much_one_config_may_hold() {
    let region = |at: usize| format!("[regions.r{at}]\naddresses = [\"10.1.{}.{}\"]\n", at / 250, at % 250 + 1);
    let regions: Vec<_> = (0..1_001).map(region).collect();
    assert_eq!(codes(&regions.concat()), ["too-many"]);
    let addresses: Vec<_> = (0..501).map(|at| format!("\"10.1.{}.{}\"", at / 250, at % 250 + 1)).collect();
    let zone = format!("{SMALL}[zones.a]\nnameservers = [\"ns.b\"]\nrecords.www.A = [{}]\n", addresses.join(", "));
    assert_eq!(codes(&zone), ["too-many"]);
}

#[test]
fn what_requests_show_is_looked_at_where_nobody_says_otherwise() {
    let passive = &config(SMALL).pools[0].passive;
    assert_eq!((passive.mode, passive.consecutive, passive.max_ejected_percent), (PassiveMode::Enforce, 5, 50));
    assert_eq!(passive.statuses, [(502, 502), (504, 504)]);
    assert!(passive.success_rate.is_some() && passive.failure_ratio.is_none() && passive.latency.is_none());
    let written = format!(
        "{SMALL}[pools.shop.passive]\nsuccess_rate.enabled = false\nfailure_ratio = {{}}\nlatency = {{ factor = 2.5 }}\nfail_header = \"X-Fail\"\n"
    );
    let passive = &config(&written).pools[0].passive;
    assert!(passive.success_rate.is_none());
    assert_eq!(passive.failure_ratio, Some(FailureRatio { percent: 50, min_requests: 20 }));
    assert_eq!(passive.latency, Some(LatencyOutlier { factor: 2.5, min_requests: 100, min_origins: 3 }));
    assert_eq!(passive.fail_header.as_deref(), Some("x-fail"));
}

#[test]
fn the_first_ejection_is_not_longer_than_the_longest() {
    let text = format!("{SMALL}[pools.shop.passive]\nejection = \"10m\"\n");
    let loaded = from_text("test.toml", &text, &Identity::default());
    let told = loaded.diagnostics.render_text(false);
    assert!(loaded.config.is_none() && told.contains("`ejection` (10m) is longer than `max_ejection` (5m)"), "{told}");
}
