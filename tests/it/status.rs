//! What a node says of its rows: why they are what they are, since when and until when; and what it makes of having been away.

use std::{fs, net::TcpListener, path::Path};

use serde_json::Value;

use crate::scene::{Meridian, Origin, meridian, meridian_at, origin};

/// Addresses on which nobody connects from a port that a listener wants.
const NEAR: &str = "127.0.88.1";
const FAR: &str = "127.0.77.1";

/// Two regions: `near`, where the node stands, and `far`, which is always open. Whoever was lost is held for an hour.
fn two_regions(near: &Origin, near_door: u16, far_door: u16) -> String {
    format!(
        "[node]\nregion = \"near\"\n[failover]\nhold = \"1h\"\nregion_hold = \"1h\"\nramp = \"1m\"\n\
         [regions.near]\naddresses = [\"{NEAR}\"]\ncheck.tcp.port = {near_door}\n\
         [regions.far]\naddresses = [\"{FAR}\"]\ncheck.tcp.port = {far_door}\n\
         [pools.shop]\norigins = [{{ address = \"{}\", region = \"near\" }}]\n[[routes]]\npool = \"shop\"\n",
        near.address
    )
}

fn status(node: &Meridian) -> Value {
    serde_json::from_str(&node.command("GET", "/v1/status", "").text()).unwrap()
}

/// As its `near` is told: whether it returns, and why.
fn near(node: &Meridian) -> (bool, String) {
    let status = status(node);
    let row = status["regions"].as_array().unwrap().iter().find(|region| region["name"] == "near").unwrap();
    (row["is_returning"].as_bool().unwrap(), row["moving"].to_string())
}

/// It last lived long ago.
fn long_ago(state: &Path) {
    assert!(state.join("alive").exists(), "it says that it lives");
    fs::write(state.join("alive"), "1000000000\n").unwrap();
}

#[test]
fn a_node_whose_region_was_lost_holds_it_and_one_that_was_only_restarted_does_not() {
    let (near_origin, far) = (origin("near"), TcpListener::bind((FAR, 0)).unwrap());
    // Its own listener is its front door.
    let own = TcpListener::bind((NEAR, 0)).unwrap().local_addr().unwrap();
    let config = two_regions(&near_origin, own.port(), far.local_addr().unwrap().port());
    let node = meridian_at(&config, &own.to_string());
    assert_eq!(near(&node), (false, "null".into()), "a first start holds nothing");
    let node = node.restart();
    assert!(!near(&node).0, "nobody saw it go");
    let node = node.restart_after(long_ago);
    let (is_returning, why) = near(&node);
    let is_held = ["held for 59 m", "held for 1 h"].iter().any(|words| why.contains(words));
    assert!(is_returning && is_held, "{why}");
    let node = node.restart();
    assert!(near(&node).0, "a restart in the middle of it ends it no sooner");
}

#[test]
fn a_node_that_was_away_holds_nothing_where_others_answered_for_its_region() {
    let (near_origin, far) = (origin("near"), TcpListener::bind((FAR, 0)).unwrap());
    let sibling = TcpListener::bind((NEAR, 0)).unwrap();
    let ports = [&sibling, &far].map(|door| door.local_addr().unwrap().port());
    let node = meridian(&two_regions(&near_origin, ports[0], ports[1])).restart_after(long_ago);
    assert!(!near(&node).0);
}

#[test]
fn what_an_operator_said_for_a_time_says_when_it_ends() {
    let (near_origin, far) = (origin("near"), TcpListener::bind((FAR, 0)).unwrap());
    let far_door = far.local_addr().unwrap().port();
    let near_door = TcpListener::bind((NEAR, 0)).unwrap();
    let node = meridian(&two_regions(&near_origin, near_door.local_addr().unwrap().port(), far_door));
    let evacuate = |over: &str, expires_in: &str| {
        let body = format!(
            r#"{{"subject":{{"region":"near"}},"action":{{"evacuate":"{over}"}},"author":"ada","reason":"x","expires_in":"{expires_in}"}}"#
        );
        node.command("PUT", "/v1/overrides", &body)
    };
    let refused = evacuate("10m", "5m");
    assert!(refused.status == 422 && refused.text().contains("expire before all have left"), "{}", refused.text());
    assert_eq!(evacuate("10m", "2h").status, 200);
    let (is_returning, why) = near(&node);
    assert!(!is_returning && why.contains("evacuated over 10 m, "), "{why}");
    let row = &status(&node)["regions"][1];
    let note = row["note"].as_str().unwrap();
    assert!(["(for 1 h 59 m more)", "(for 2 h more)"].iter().any(|words| note.contains(words)), "{row}");
    assert!((500..=600).contains(&row["until_seconds"].as_u64().unwrap()), "{row}");
    let group = &status(&node)["pools"][0]["regions"][0];
    assert_eq!((group["said"].as_str(), group["since_seconds"].is_u64()), (Some("1 of 1 usable"), true), "{group}");
}
