//! The promise: when a region dies, DNS answers and HTTP requests leave it together, within the bound that the config gives.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    time::{Duration, Instant},
};

use hickory_proto::rr::RecordType;

use crate::scene::{Meridian, Origin, ask, eventually, get, meridian, meridian_at, origin};

/// Probes every 200 ms with 100 ms of patience, twice: down after 200 + 100 + (50 + 100) ms.
const TIMING: &str = "interval = \"200ms\"\nrecheck = \"50ms\"\ntimeout = \"100ms\"\nfall = 2\nrise = 2\n";
const BOUND: Duration = Duration::from_millis(450);
/// What returns has its share at once, so that a test need not wait for it.
const AT_ONCE: &str = "[failover]\nhold = \"0s\"\nregion_hold = \"0s\"\nramp = \"0s\"\n";
/// What a busy machine may add: scheduling of the node, of the test and of its origins.
const SLACK: Duration = Duration::from_millis(350);

const NEAR: &str = "127.0.0.1";
const FAR: &str = "127.0.77.1";

/// Two regions: `near`, where the node stands, and `far`. Front doors are probed at the ports given.
fn two_regions(near: &Origin, far: &Origin, near_door: u16, far_door: u16) -> String {
    let region = |name: &str, address: &str, port: u16| {
        format!("[regions.{name}]\naddresses = [\"{address}\"]\n[regions.{name}.check.tcp]\nport = {port}\n{TIMING}")
    };
    let entry = |name: &str, origin: &Origin| {
        format!("[[pools.shop.origins]]\naddress = \"{}\"\nregion = \"{name}\"\n", origin.address)
    };
    format!(
        "[node]\nregion = \"near\"\n{AT_ONCE}{}{}[pools.shop]\nretries = 0\nslow_start.window = \"0s\"\npassive.mode = \"off\"\n[pools.shop.check.http]\npath = \"/\"\n{TIMING}{}{}\
         [[routes]]\npool = \"shop\"\n\
         [zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\n\
         [zones.\"shop.example\".steer.\"@\"]\npools = [\"shop\"]\n",
        region("near", NEAR, near_door),
        region("far", FAR, far_door),
        entry("near", near),
        entry("far", far),
    )
}

/// The regions that 40 queries in a row were sent to.
fn answered(node: &Meridian) -> BTreeSet<IpAddr> {
    (0..40).flat_map(|_| ask(node.dns(), "shop.example.", RecordType::A).addresses()).collect()
}

fn addresses(texts: &[&str]) -> BTreeSet<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// How long until it was so, asking all the time.
#[allow(clippy::disallowed_methods, reason = "the test measures real time")]
fn time_until(what: &str, is_so: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    eventually(what, || is_so().then_some(()));
    began.elapsed()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_region_whose_origins_die_leaves_dns_and_http_together_and_returns() {
    let (mut near, far) = (origin("near"), origin("far"));
    let (near_door, far_door) = (origin("door"), std::net::TcpListener::bind((FAR, 0)).unwrap());
    let config = two_regions(&near, &far, near_door.address.port(), far_door.local_addr().unwrap().port());
    let node = meridian(&config);
    assert_eq!(answered(&node), addresses(&[NEAR, FAR]));
    assert_eq!(get(node.http(), "shop.example", "/").unwrap().text(), "near");

    near.kill();
    let left_http = time_until("requests go to the far region", || get(node.http(), "x", "/").unwrap().text() == "far");
    // After the first verdict no request fails, and no answer names the dead region.
    assert_eq!(answered(&node), addresses(&[FAR]));
    for _ in 0..100 {
        assert_eq!(get(node.http(), "x", "/").unwrap().text(), "far");
    }
    assert!(left_http < BOUND + SLACK, "{left_http:?}");
    assert_eq!(node.metric("meridian_failover_seconds_count{of=\"origin\"}"), 1);

    near.revive();
    eventually("requests return", || (get(node.http(), "x", "/").unwrap().text() == "near").then_some(()));
    assert_eq!(answered(&node), addresses(&[NEAR, FAR]));
}

#[test]
fn a_region_whose_front_door_is_lost_leaves_dns_within_the_bound_and_returns() {
    let (near, far) = (origin("near"), origin("far"));
    let near_door = origin("door");
    let far_door = std::net::TcpListener::bind((FAR, 0)).unwrap();
    let far_address = far_door.local_addr().unwrap();
    let node = meridian(&two_regions(&near, &far, near_door.address.port(), far_address.port()));
    assert_eq!(answered(&node), addresses(&[NEAR, FAR]));

    drop(far_door);
    let left = time_until("no answer names the far region", || answered(&node) == addresses(&[NEAR]));
    assert!(left < BOUND + SLACK, "{left:?}");

    // Nor is it asked by HTTP while its origins could be reached: a region that clients cannot enter takes no spill.
    let _back = std::net::TcpListener::bind(far_address).unwrap();
    eventually("answers name it again", || (answered(&node) == addresses(&[NEAR, FAR])).then_some(()));
}

#[test]
fn a_node_that_is_killed_leaves_the_answers_of_the_others() {
    let (near, far) = (origin("near"), origin("far"));
    let ports = (free_port(), free_port());
    let config = two_regions(&near, &far, ports.0, ports.1);
    let here = meridian_at(&config, &format!("{NEAR}:{}", ports.0));
    let there = meridian_at(&config, &format!("{FAR}:{}", ports.1));
    eventually("both doors are open", || (answered(&here) == addresses(&[NEAR, FAR])).then_some(()));

    there.signal("KILL");
    let left = time_until("no answer names the far region", || answered(&here) == addresses(&[NEAR]));
    assert!(left < BOUND + SLACK, "{left:?}");
}

#[test]
fn a_drained_region_leaves_dns_and_http_together() {
    let (near, far) = (origin("near"), origin("far"));
    let (near_door, far_door) = (origin("door"), std::net::TcpListener::bind((FAR, 0)).unwrap());
    let config = two_regions(&near, &far, near_door.address.port(), far_door.local_addr().unwrap().port());
    let node = meridian(&config);
    let drain = r#"{"subject":{"region":"near"},"action":"drain","author":"test","reason":"maintenance"}"#;
    let answer = node.command("PUT", "/v1/overrides", drain);
    assert_eq!(answer.status, 200, "{}", answer.text());

    assert_eq!(answered(&node), addresses(&[FAR]));
    assert_eq!(get(node.http(), "x", "/").unwrap().text(), "far");
    let clear = r#"{"subject":{"region":"near"},"author":"test","reason":"done"}"#;
    // What it would not do is refused, not passed over.
    let with_action = r#"{"subject":{"region":"near"},"action":"drain","author":"test","reason":"done"}"#;
    let by_nobody = r#"{"subject":{"region":"near"},"author":" ","reason":"done"}"#;
    for unfit in [with_action, by_nobody] {
        assert_eq!(node.command("DELETE", "/v1/overrides", unfit).status, 422, "{unfit}");
    }
    assert_eq!(node.command("DELETE", "/v1/overrides", clear).status, 200);
    assert_eq!(answered(&node), addresses(&[NEAR, FAR]));
    assert_eq!(get(node.http(), "x", "/").unwrap().text(), "near");
}

#[test]
fn the_bound_is_what_the_config_says() {
    let (near, far) = (origin("near"), origin("far"));
    let loaded = meridian::config::from_text(
        "test.toml",
        &two_regions(&near, &far, 1, 2),
        &meridian::config::Identity::default(),
    );
    let config = loaded.config.unwrap();
    assert_eq!(config.pools[0].check.detection_bound(), Some(BOUND));
}
