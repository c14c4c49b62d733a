//! Origins that are named: a node follows what their names lead to, on a DNS server that says what a test tells it to.

use std::{
    net::{Ipv6Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use hickory_proto::op::ResponseCode;
use socket2::{Domain, Socket, Type};

use crate::scene::{Meridian, Nameserver, Word, eventually, get, meridian, nameserver, origin, origin_at};

/// One pool of one origin with that address, none of whose connections are kept unless `pool` says so.
fn config(dns: &Nameserver, address: &str, pool: &str) -> String {
    format!(
        "http.workers = 1\n[resolver]\nservers = [\"{}\"]\ntimeout = \"300ms\"\nmin_ttl = \"100ms\"\nmax_ttl = \"200ms\"\n\
         [regions.here]\naddresses = [\"127.0.0.1\"]\n[pools.shop]\n{pool}\n\
         origins = [{{ address = \"{address}\" }}]\n\
         [pools.shop.check.tcp]\ninterval = \"100ms\"\nrecheck = \"50ms\"\n[[routes]]\npool = \"shop\"\n",
        dns.address
    )
}

const NONE_KEPT: &str = "max_idle_connections = 0";

fn status(node: &Meridian) -> u16 {
    get(node.http(), "shop.example", "/").unwrap().status
}

fn text(node: &Meridian) -> String {
    get(node.http(), "shop.example", "/").unwrap().text()
}

fn names(node: &Meridian, state: &str) -> i64 {
    node.metric(&format!("meridian_resolver_names{{state=\"{state}\"}}"))
}

#[test]
fn requests_follow_a_name_to_another_address_and_leave_no_connection_behind() {
    let (dns, a) = (nameserver(), origin("a"));
    let port = a.address.port();
    let b = origin_at("b", &format!("127.0.0.2:{port}"));
    dns.leads("app.test", &["127.0.0.1"]);
    let node = meridian(&config(&dns, &format!("App.test:{port}"), ""));
    eventually("the name leads to a", || (text(&node) == "a").then_some(()));
    dns.leads("app.test", &["127.0.0.2"]);
    eventually("the name leads to b", || (text(&node) == "b").then_some(()));
    let served = a.requests();
    for _ in 0..10 {
        assert_eq!(text(&node), "b");
    }
    assert_eq!((a.requests(), b.connections() > 0), (served, true));
    eventually("the connection to a is closed", || {
        let count = |what: &str| node.metric(&format!("meridian_origin_connections_{what}_total{{pool=\"shop\"}}"));
        (count("opened") - count("closed") == 1).then_some(())
    });
}

#[test]
fn a_name_that_stops_resolving_keeps_the_addresses_it_had_last() {
    let (dns, a) = (nameserver(), origin("a"));
    dns.leads("app.test", &["127.0.0.1"]);
    let node = meridian(&config(&dns, &format!("app.test:{}", a.address.port()), NONE_KEPT));
    for failure in [Word::Code(ResponseCode::ServFail), Word::Code(ResponseCode::NXDomain), Word::Silence] {
        eventually("the name resolves", || (names(&node, "good") == 1).then_some(()));
        dns.says("app.test", failure.clone());
        eventually("the name is stale", || (names(&node, "stale") == 1).then_some(()));
        assert_eq!((text(&node).as_str(), names(&node, "good")), ("a", 0), "{failure:?}");
        dns.leads("app.test", &["127.0.0.1"]);
    }
    node.said("a name stopped resolving: its last addresses stay");
    let count = |result: &str| node.metric(&format!("meridian_resolver_lookups_total{{result=\"{result}\"}}"));
    assert!(count("good") > 2 && count("empty") > 0 && count("failed") > 1);
}

#[test]
fn a_name_unknown_at_the_start_is_refused_and_works_once_it_resolves() {
    let (dns, a) = (nameserver(), origin("a"));
    // Ready all the same: `meridian` waits for that.
    let node = meridian(&config(&dns, &format!("app.test:{}", a.address.port()), ""));
    let answer = get(node.http(), "shop.example", "/").unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, problem["refusal"].as_str()), (502, Some("connect-failed")));
    assert_eq!((names(&node, "unknown"), a.connections()), (1, 0));
    dns.leads("app.test", &["127.0.0.1"]);
    eventually("requests arrive", || (status(&node) == 200).then_some(()));
}

#[test]
fn health_and_overrides_go_by_the_name_as_it_is_written() {
    let (dns, a) = (nameserver(), origin("a"));
    let address = format!("app.test:{}", a.address.port());
    dns.leads("app.test", &["127.0.0.1"]);
    let node = meridian(&config(&dns, &address, ""));
    let up = format!("meridian_origin_up{{pool=\"shop\",origin=\"{address}\"}}");
    node.metric_becomes(&up, 1);
    dns.leads("app.test", &["127.0.0.3"]);
    node.metric_becomes(&up, 0);
    dns.leads("app.test", &["127.0.0.1"]);
    node.metric_becomes(&up, 1);

    let order = format!(
        "{{\"subject\": {{\"origin\": {{\"pool\": \"shop\", \"address\": \"{address}\"}}}}, \"action\": \"down\", \
         \"author\": \"ann\", \"reason\": \"test\"}}"
    );
    assert!(node.command("PUT", "/v1/overrides", &order).status < 300);
    node.metric_becomes(&up, 0);
    assert!(node.command("GET", "/v1/status", "").text().contains(&format!("\"address\":\"{address}\"")));
}

#[test]
fn a_reload_follows_names_that_come_and_leaves_those_that_go() {
    let (dns, a, b) = (nameserver(), origin("a"), origin("b"));
    dns.leads("a.test", &["127.0.0.1"]);
    dns.leads("b.test", &["127.0.0.1"]);
    let node = meridian(&config(&dns, &format!("a.test:{}", a.address.port()), ""));
    assert_eq!(text(&node), "a");
    node.reload(&config(&dns, &format!("b.test:{}", b.address.port()), ""));
    eventually("requests go to b", || (text(&node) == "b").then_some(()));
    assert_eq!(names(&node, "good"), 1);
    // No name at all, and the hosts file.
    node.reload(&config(&dns, &a.address.to_string(), ""));
    eventually("requests go to a", || (text(&node) == "a").then_some(()));
    assert_eq!(names(&node, "good"), 0);
    node.reload(&config(&dns, &format!("localhost:{}", b.address.port()), ""));
    eventually("requests go to b again", || (text(&node) == "b").then_some(()));
}

/// Takes every connection attempt and answers none: its queue is full.
fn black_hole(port: u16) -> Option<(Socket, Vec<TcpStream>)> {
    let address = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    let socket = Socket::new(Domain::IPV6, Type::STREAM, None).ok()?;
    socket.bind(&address.into()).ok()?;
    socket.listen(0).ok()?;
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queued.push(stream);
        assert!(queued.len() < 1_000, "its queue has no end");
    }
    Some((socket, queued))
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test measures in real time")]
fn a_black_hole_in_one_family_costs_a_moment() {
    let (dns, a) = (nameserver(), origin("a"));
    let port = a.address.port();
    // A machine without IPv6 has nothing to race.
    let Some(_hole) = black_hole(port) else { return };
    dns.leads("app.test", &["::1", "127.0.0.1"]);
    let node = meridian(&config(&dns, &format!("app.test:{port}"), NONE_KEPT));
    node.metric_becomes(&format!("meridian_origin_up{{pool=\"shop\",origin=\"app.test:{port}\"}}"), 1);
    let began = Instant::now();
    assert_eq!(text(&node), "a");
    // The hole was met, and left for the other family: waited for, it would have cost the pool's `connect` and the answer.
    assert!(began.elapsed() >= Duration::from_millis(240), "{:?}", began.elapsed());
}
