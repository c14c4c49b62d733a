//! The query log of a running node.

use std::{fs, net::UdpSocket, path::Path, time::Duration};

use hickory_proto::rr::RecordType;
use serde_json::Value;

use crate::scene::{Meridian, ask, ask_over_tcp, eventually, meridian};

fn config(log: &str) -> String {
    format!(
        r#"
        {log}
        dns.threads = 1
        [regions.here]
        addresses = ["192.0.2.7"]
        [pools.shop]
        when_all_down = "open"
        [[pools.shop.origins]]
        address = "127.0.0.1:9"
        [zones."shop.example"]
        nameservers = ["ns.elsewhere.example"]
        [zones."shop.example".records.www]
        A = ["192.0.2.1"]
        [zones."shop.example".steer."@"]
        pools = ["shop"]
        "#
    )
}

fn log(path: &Path, sample: f64) -> String {
    format!("dns.log = {{ path = \"{}\", sample = {sample} }}", path.display())
}

/// The lines so far, once there are so many.
fn lines(path: &Path, count: usize) -> Vec<Value> {
    eventually("the lines are written", || {
        let text = fs::read_to_string(path).ok()?;
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
        (text.ends_with('\n') && lines.len() >= count).then_some(lines)
    })
}

fn flood(node: &Meridian, count: usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(node.dns()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for _ in 0..count {
        socket.send(b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03www\x04shop\x07example\0\0\x01\0\x01").unwrap();
        socket.recv(&mut [0; 512]).unwrap();
    }
}

#[test]
fn every_answer_is_a_line_that_says_how_it_came_about() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queries.json");
    let node = meridian(&config(&log(&path, 1.0)));
    ask(node.dns(), "WWW.shop.example.", RecordType::A);
    ask_over_tcp(node.dns(), "shop.example.", RecordType::A);
    ask(node.dns(), "none.shop.example.", RecordType::TXT);
    ask(node.dns(), "elsewhere.example.", RecordType::AAAA);
    let lines = lines(&path, 4);
    let of = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    let www = of("www.shop.example");
    assert_eq!((&www["client"], &www["transport"], &www["type"]), (&"127.0.0.1".into(), &"udp".into(), &"A".into()));
    assert_eq!(
        (&www["zone"], &www["rcode"], &www["truncated"]),
        (&"shop.example".into(), &"noerror".into(), &false.into())
    );
    assert!(www["size"].as_u64().unwrap() > 30 && www.get("region").is_none());
    assert!(www["time"].as_str().unwrap().starts_with("20") && www["time"].as_str().unwrap().ends_with('Z'));
    let steered = of("shop.example");
    assert_eq!((&steered["transport"], &steered["region"]), (&"tcp".into(), &"here".into()));
    assert!(steered["steering"].is_string());
    assert_eq!(of("none.shop.example")["rcode"], "nxdomain");
    assert_eq!((&of("elsewhere.example")["rcode"], of("elsewhere.example").get("zone")), (&"refused".into(), None));
    node.metric_becomes("meridian_dns_log_lines_total", 4);
}

#[test]
fn a_sample_is_logged_and_a_reload_moves_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    let node = meridian(&config(&log(&first, 0.2)));
    flood(&node, 1000);
    let logged = lines(&first, 100).len();
    assert!(logged < 320, "{logged}");
    node.reload(&config(&log(&second, 1.0)));
    node.metric_becomes(r#"meridian_reloads_total{result="applied"}"#, 1);
    flood(&node, 10);
    assert_eq!(lines(&second, 10).len(), 10);
    node.reload(&config(""));
    node.metric_becomes(r#"meridian_reloads_total{result="applied"}"#, 2);
    flood(&node, 10);
    assert_eq!(lines(&second, 10).len(), 10);
}

#[test]
fn what_was_logged_is_written_before_the_node_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queries.json");
    let mut node = meridian(&config(&log(&path, 1.0)));
    flood(&node, 100);
    assert!(node.stop().success());
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 100);
}
