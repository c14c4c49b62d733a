//! A node's life: start, reload, overrides, status, stop.

use std::{
    fs,
    net::TcpListener,
    process::{Command, Output},
};

use hickory_proto::{op::ResponseCode, rr::RecordType};

use crate::scene::{Connection, Origin, ask, ask_over_tcp, eventually, get, meridian, origin};

fn config(origins: &[&Origin], zone: &str) -> String {
    let origins: String =
        origins.iter().map(|o| format!("[[pools.shop.origins]]\naddress = \"{}\"\n", o.address)).collect();
    format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n[pools.shop.check.tcp]\ninterval = \"100ms\"\nrecheck = \"50ms\"\n{origins}\
         [[routes]]\npool = \"shop\"\n\
         [zones.\"{zone}\"]\nnameservers = [\"ns.elsewhere.example\"]\n\
         [zones.\"{zone}\".records.www]\nA = [\"192.0.2.1\"]\n"
    )
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meridian")).args(arguments).output().unwrap()
}

#[test]
fn a_reload_changes_routes_and_zones_at_once_and_keeps_what_stayed() {
    let (a, b) = (origin("a"), origin("b"));
    let node = meridian(&config(&[&a], "old.example"));
    let mut in_flight = Connection::open(node.http());
    in_flight.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel").unwrap();

    node.reload(&config(&[&a, &b], "new.example"));
    eventually("the new origin answers", || (get(node.http(), "x", "/")?.text() == "b").then_some(()));
    assert_eq!(ask(node.dns(), "www.new.example.", RecordType::A).addresses().len(), 1);
    assert_eq!(ask(node.dns(), "www.old.example.", RecordType::A).code(), ResponseCode::Refused);

    in_flight.send(b"lo").unwrap();
    assert_eq!(in_flight.receive(false).unwrap().text(), "hello", "a request in flight does not notice");
    assert_eq!(node.metric(r#"meridian_reloads_total{result="applied"}"#), 1);
}

#[test]
fn a_bad_config_changes_nothing_and_says_so() {
    let a = origin("a");
    let node = meridian(&config(&[&a], "shop.example"));
    node.reload("[pools.shop]\norigns = []\n");
    let said = node.said("the new config has mistakes: nothing was changed");
    assert!(said["mistakes"].to_string().contains("origns"), "{said}");
    assert_eq!(get(node.http(), "x", "/").unwrap().text(), "a");
    assert_eq!(ask(node.dns(), "www.shop.example.", RecordType::A).addresses().len(), 1);
    node.metric_becomes(r#"meridian_reloads_total{result="refused"}"#, 1);
}

#[test]
fn an_origin_that_stays_keeps_its_verdict_and_its_override_over_a_reload() {
    let (a, b) = (origin("a"), origin("b"));
    let node = meridian(&config(&[&a, &b], "shop.example"));
    let down = format!(
        r#"{{"subject":{{"origin":{{"pool":"shop","address":"{}"}}}},"action":"down","author":"test","reason":"try"}}"#,
        a.address
    );
    assert_eq!(node.command("PUT", "/v1/overrides", &down).status, 200);
    assert_eq!(get(node.http(), "x", "/").unwrap().text(), "b");
    let c = origin("c");
    node.reload(&config(&[&a, &c], "shop.example"));
    eventually("the new origin answers", || (get(node.http(), "x", "/")?.text() == "c").then_some(()));
    for _ in 0..10 {
        assert_eq!(get(node.http(), "x", "/").unwrap().text(), "c", "the override still holds");
    }
}

#[test]
fn overrides_survive_a_restart() {
    let (a, b) = (origin("a"), origin("b"));
    let node = meridian(&config(&[&a, &b], "shop.example"));
    let drain = format!(
        r#"{{"subject":{{"origin":{{"pool":"shop","address":"{}"}}}},"action":"drain","author":"test","reason":"disk"}}"#,
        a.address
    );
    assert_eq!(node.command("PUT", "/v1/overrides", &drain).status, 200);
    let node = node.restart();
    for _ in 0..10 {
        assert_eq!(get(node.http(), "x", "/").unwrap().text(), "b");
    }
    let status = node.command("GET", "/v1/status", "").text();
    assert!(status.contains("disk") && status.contains("test"), "{status}");
}

#[test]
fn the_admin_api_wants_its_token_and_sense() {
    let a = origin("a");
    let node = meridian(&config(&[&a], "shop.example"));
    assert_eq!(node.page("/v1/status").status, 401);
    assert_eq!(node.page("/healthz").status, 200);
    let unknown = r#"{"subject":{"region":"nowhere"},"action":"drain","author":"test","reason":"try"}"#;
    assert_eq!(node.command("PUT", "/v1/overrides", unknown).status, 404);
    assert_eq!(node.command("PUT", "/v1/overrides", "{").status, 400);
    let nameless = r#"{"subject":{"region":"here"},"action":"drain","author":"","reason":""}"#;
    assert_eq!(node.command("PUT", "/v1/overrides", nameless).status, 422);
}

#[test]
fn status_shows_the_table() {
    let a = origin("a");
    let node = meridian(&config(&[&a], "shop.example"));
    let admin = node.admin().to_string();
    let token = node.token_file();
    let token = token.to_str().unwrap();
    let shown = run(&["status", "--admin", &admin, "--token-file", token]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success() && text.contains(&a.address.to_string()) && text.contains("up"), "{text}");
    let json = run(&["status", "--admin", &admin, "--token-file", token, "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(status["pools"][0]["origins"][0]["health"], "up");
    let elsewhere = run(&["status", "--admin", "127.0.0.1:1", "--token-file", token]);
    assert_eq!(elsewhere.status.code(), Some(2));
}

#[test]
fn both_halves_answer_over_their_transports() {
    let a = origin("a");
    let node = meridian(&config(&[&a], "shop.example"));
    let over_udp = ask(node.dns(), "www.shop.example.", RecordType::A);
    let over_tcp = ask_over_tcp(node.dns(), "www.shop.example.", RecordType::A);
    assert_eq!(over_udp.addresses(), over_tcp.addresses());
    assert_eq!(ask(node.dns(), "none.shop.example.", RecordType::A).code(), ResponseCode::NXDomain);
    assert!(node.page("/metrics").text().contains("meridian_origin_up"));
}

#[test]
fn a_port_in_use_is_an_error_that_names_the_listener() {
    let a = origin("a");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("meridian.toml");
    fs::write(&file, config(&[&a], "shop.example")).unwrap();
    let state = directory.path().join("state");
    for flag in ["--listen-http", "--listen-dns", "--listen-admin"] {
        let mut others = vec!["--listen-http", "--listen-dns", "--listen-admin"];
        others.retain(|other| *other != flag);
        let arguments = ["serve", "--config", file.to_str().unwrap(), "--state-directory", state.to_str().unwrap()];
        let free = others.iter().flat_map(|other| [*other, "127.0.0.1:0"]);
        let all: Vec<&str> = arguments.into_iter().chain([flag, &address]).chain(free).collect();
        let ended = run(&all);
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.code() == Some(1) && said.contains(&address), "{flag}: {said}");
    }
}

#[test]
fn a_second_signal_ends_a_drain_at_once() {
    let a = origin("a");
    let mut node = meridian(&config(&[&a], "shop.example"));
    let mut held = Connection::open(node.http());
    held.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel").unwrap();
    eventually("the request arrived", || (node.metric("meridian_http_connections_opened_total") > 0).then_some(()));
    node.signal("TERM");
    node.said("draining: a second signal ends it at once");
    node.signal("TERM");
    assert!(!node.wait().success());
}

#[test]
fn a_node_that_drained_ends_well() {
    let a = origin("a");
    let mut node = meridian(&config(&[&a], "shop.example"));
    assert_eq!(node.stop().code(), Some(0));
}

#[test]
fn an_unknown_flag_is_2_and_a_bad_config_1() {
    assert_eq!(run(&["serve", "--colour"]).status.code(), Some(2));
    let missing = run(&["serve", "--config", "does/not/exist.toml"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("does/not/exist.toml"));
}

#[test]
fn two_nodes_do_not_share_a_state_directory() {
    let a = origin("a");
    let node = meridian(&config(&[&a], "shop.example"));
    let state = node.token_file();
    let (state, directory) = (state.parent().unwrap(), tempfile::tempdir().unwrap());
    let file = directory.path().join("meridian.toml");
    fs::write(&file, config(&[&a], "shop.example")).unwrap();
    let free = ["--listen-http", "--listen-dns", "--listen-admin"].map(|flag| [flag, "127.0.0.1:0"]);
    let arguments = ["serve", "--config", file.to_str().unwrap(), "--state-directory", state.to_str().unwrap()];
    let ended = run(&[&arguments[..], free.as_flattened()].concat());
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(1) && said.contains("is used by another node"), "{said}");
}
