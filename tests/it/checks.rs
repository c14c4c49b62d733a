//! Checks as an operator sees them: why something is red, what an origin says of itself, and what it means that nobody asks.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

use crate::scene::{Meridian, eventually, get, meridian, origin};

/// Says its name, and at `/healthz` what it is told to say. It ends with the process.
struct Patient {
    address: SocketAddr,
    says: Arc<Mutex<String>>,
}

impl Patient {
    fn say(&self, head: &str) {
        *self.says.lock().unwrap() = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    }
}

fn patient(name: &'static str, head: &str) -> Patient {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = Patient { address: listener.local_addr().unwrap(), says: Arc::default() };
    one.say(head);
    let says = Arc::clone(&one.says);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let says = Arc::clone(&says);
            thread::spawn(move || answer(&stream, name, &says));
        }
    });
    one
}

fn answer(mut stream: &TcpStream, name: &str, says: &Mutex<String>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let text = if head.starts_with("GET /healthz ") {
        says.lock().unwrap().clone()
    } else {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{name}", name.len())
    };
    stream.write_all(text.as_bytes()).ok()
}

/// A pool with these origins, its check as it is given, and a front door that nobody asks.
fn config(origins: &[SocketAddr], check: &str) -> String {
    let origins: String = origins.iter().map(|at| format!("[[pools.shop.origins]]\naddress = \"{at}\"\n")).collect();
    format!(
        "regions.here = {{ addresses = [\"127.0.0.1\"], check = \"none\" }}\n[pools.shop]\nslow_start.window = \"0s\"\n{check}\n{origins}[[routes]]\npool = \"shop\"\n"
    )
}

const TIMING: &str = "interval = \"100ms\", recheck = \"50ms\", timeout = \"5s\", rise = 2, fall = 2";

fn http(more: &str) -> String {
    format!("check.http = {{ path = \"/healthz\", {TIMING}{more} }}")
}

/// What the node says of the pool's first origin.
fn first_origin(node: &Meridian) -> Value {
    let status: Value = serde_json::from_str(&node.command("GET", "/v1/status", "").text()).unwrap();
    status["pools"][0]["origins"][0].clone()
}

fn becomes(node: &Meridian, health: &str) -> Value {
    eventually(health, || Some(first_origin(node)).filter(|origin| origin["health"] == health))
}

fn probe(config: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meridian.toml");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
    command.arg("probe").args(arguments).arg("--config").arg(file).output().unwrap()
}

#[test]
fn what_is_red_says_why_until_it_is_not() {
    let one = patient("one", "503 Busy");
    let text = config(&[one.address], &http(""));
    let node = meridian(&text);
    assert_eq!(becomes(&node, "down")["said"], "status 503");
    let page = node.page("/metrics").text();
    assert!(page.contains("meridian_probe_seconds_count{kind=\"http\",result=\"bad\"} "), "{page}");
    one.say("200 OK");
    let origin = becomes(&node, "up");
    assert!(origin.get("said").is_none(), "{origin}");
}

#[test]
fn a_probe_from_the_command_line_shows_what_came_back_and_ends_as_it_was() {
    let one = patient("one", "503 Busy");
    let text = config(&[one.address], &http(""));
    let asked = probe(&text, &["shop"]);
    let table = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert_eq!(asked.status.code(), Some(1), "{table}");
    let line = table.lines().find(|line| line.contains(&format!("http {}", one.address))).unwrap();
    assert!(line.contains("bad") && line.contains("status 503") && line.contains(" ms"), "{table}");
    one.say("204 Good");
    let asked = probe(&text, &["--json"]);
    assert_eq!(asked.status.code(), Some(0));
    let said: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!((&said[0]["is_good"], &said[0]["probes"][0]["answer"]), (&true.into(), &"status 204".into()), "{said}");
    // The region's front door is checked by nobody.
    assert_eq!(said.as_array().unwrap().len(), 1);
    let unknown = probe(&text, &["shap"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no pool and no region `shap`"));
}

#[test]
fn a_probe_of_whom_nobody_checks_says_who_that_is_and_cannot_tell() {
    let one = patient("one", "200 OK");
    let text = config(&[one.address], "check = \"none\"");
    let asked = probe(&text, &["shop"]);
    assert_eq!(String::from_utf8_lossy(&asked.stderr), "nobody checks pool `shop`\n");
    assert_eq!((asked.status.code(), asked.stdout.len()), (Some(2), 0));
    // Who is left out is named beside those who are asked.
    let asked = probe(&config(&[one.address], &http("")), &[]);
    assert_eq!(asked.status.code(), Some(0));
    let left_out = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(left_out.starts_with("nobody checks the front door of region `") && left_out.lines().count() == 1);
}

#[test]
fn who_is_not_checked_is_never_healthy_and_still_asked_when_nothing_healthy_is_left() {
    let one = origin("one");
    let tcp = format!("check.tcp = {{ {TIMING} }}");
    // Ready, though nobody will ever give a verdict.
    let node = meridian(&config(&[one.address], "check = \"none\""));
    assert_eq!(first_origin(&node)["health"], "unknown");
    assert_eq!(get(node.http(), "x", "/").unwrap().text(), "one");
    node.reload(&config(&[one.address], &tcp));
    becomes(&node, "up");
    node.reload(&config(&[one.address], "check = \"none\""));
    let origin = becomes(&node, "unknown");
    assert_eq!(origin["is_stale"], false, "what was seen once is forgotten, not kept: {origin}");
    node.metric_becomes("meridian_probe_targets", 0);
}

#[test]
fn an_origin_that_wants_no_new_work_gets_none_until_it_takes_it_back() {
    let (tired, other) = (patient("tired", "200 OK\r\nx-meridian-drain: true"), patient("other", "200 OK"));
    let node = meridian(&config(&[tired.address, other.address], &http(", report = true")));
    let answers = || (0..10).map(|_| get(node.http(), "x", "/").unwrap().text()).collect::<Vec<_>>();
    let is_rested = || answers().iter().all(|name| name == "other").then_some(());
    eventually("no request goes to who drains", is_rested);
    let origin = becomes(&node, "up");
    assert_eq!(origin["is_draining"], true, "it is healthy, and drains: {origin}");
    tired.say("200 OK\r\nx-meridian-weight: 50%");
    eventually("it takes its part again", || answers().iter().any(|name| name == "tired").then_some(()));
    let origin = eventually("half of it", || Some(first_origin(&node)).filter(|it| it["share_percent"] == 50.0));
    assert_eq!(origin["is_draining"], false, "{origin}");
    tired.say("200 OK");
    eventually("all of it", || (first_origin(&node)["share_percent"] == 100.0).then_some(()));
}
