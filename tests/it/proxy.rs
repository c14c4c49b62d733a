//! Requests through a running node, by raw sockets.

use crate::scene::{Connection, Meridian, Origin, get, meridian, origin};

/// One pool of these origins behind every host, with short patience.
pub(crate) fn one_pool(origins: &[&Origin]) -> Meridian {
    let origins: String =
        origins.iter().map(|origin| format!("[[pools.shop.origins]]\naddress = \"{}\"\n", origin.address)).collect();
    meridian(&format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n\
         [pools.shop.check.tcp]\ninterval = \"100ms\"\nrecheck = \"50ms\"\n\
         [pools.shop.timeouts]\nresponse_head = \"300ms\"\nbetween_bytes = \"300ms\"\n\
         {origins}[[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n"
    ))
}

#[test]
fn origins_take_turns_over_kept_connections() {
    let (a, b) = (origin("a"), origin("b"));
    let node = one_pool(&[&a, &b]);
    let before = a.connections() + b.connections();
    let mut client = Connection::open(node.http());
    let mut seen = String::new();
    for _ in 0..20 {
        seen += &client.ask(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").unwrap().text();
    }
    assert!(seen == "ab".repeat(10) || seen == "ba".repeat(10), "{seen}");
    // Checks connect, too; what must not happen is a connection per request.
    assert!(a.connections() + b.connections() - before < 15);
}

#[test]
fn what_matches_no_route_is_a_problem_document() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let answer = get(node.http(), "other.example", "/").unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem["refusal"], "no-route");
    assert_eq!(problem["request_id"].as_str(), answer.header("x-request-id"));
}

#[test]
fn bodies_pass_both_ways_by_length_and_by_chunks() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let mut client = Connection::open(node.http());
    let body = "x".repeat(300_000);
    let by_length =
        format!("POST /echo HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert_eq!(client.ask(by_length.as_bytes()).unwrap().text(), body);
    let by_chunks = "POST /echo HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(client.ask(by_chunks.as_bytes()).unwrap().text(), "abcde");
    let answer = client.ask(b"GET /chunked HTTP/1.1\r\nHost: shop.example\r\n\r\n").unwrap();
    assert_eq!((answer.text().as_str(), answer.is_complete), ("hello world", true));
    let answer = client.ask(b"HEAD / HTTP/1.1\r\nHost: shop.example\r\n\r\n").unwrap();
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("5")));
}

#[test]
fn origins_see_who_asks_and_nothing_meant_for_this_hop() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let mut client = Connection::open(node.http());
    let request = "GET /head HTTP/1.1\r\nHost: shop.example\r\nConnection: x-private\r\nX-Private: 1\r\n\
                   TE: deflate, trailers\r\nX-Forwarded-For: 203.0.113.9\r\nX-Request-Id: forged\r\n\r\n";
    let answer = client.ask(request.as_bytes()).unwrap();
    let seen = answer.text().to_ascii_lowercase();
    for expected in [
        "x-forwarded-for: 127.0.0.1\r\n",
        "x-forwarded-proto: http\r\n",
        "x-forwarded-host: shop.example\r\n",
        "te: trailers\r\n",
    ] {
        assert!(seen.contains(expected), "{seen}");
    }
    for unwanted in ["x-private", "deflate", "203.0.113.9", "forged"] {
        assert!(!seen.contains(unwanted), "{unwanted} in {seen}");
    }
    let request_id = answer.header("x-request-id").unwrap();
    assert!(seen.contains(&format!("x-request-id: {request_id}\r\n")), "{seen}");
    let answer = client.ask(b"GET /hop HTTP/1.1\r\nHost: shop.example\r\n\r\n").unwrap();
    assert_eq!((answer.header("x-public"), answer.header("x-private")), (Some("1"), None));
    assert_eq!(answer.header("keep-alive"), None);
}

#[test]
fn an_answer_that_breaks_off_reaches_the_client_as_incomplete() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    for path in ["/cut", "/silent"] {
        let answer = get(node.http(), "shop.example", path).unwrap();
        assert_eq!((answer.status, answer.is_complete), (200, false), "{path}");
    }
    node.metric_becomes(
        r#"meridian_http_requests_total{route="shop.example/",pool="shop",outcome="origin-truncated"}"#,
        2,
    );
}

#[test]
fn an_origin_that_does_not_answer_is_a_504_and_one_that_talks_nonsense_a_502() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let answer = get(node.http(), "shop.example", "/stall").unwrap();
    assert_eq!(answer.status, 504, "{}", answer.text());
    let answer = get(node.http(), "shop.example", "/garbage").unwrap();
    assert_eq!(answer.status, 502, "{}", answer.text());
}

#[test]
fn a_kept_connection_that_the_origin_closed_costs_no_request() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let mut client = Connection::open(node.http());
    let paths = [["/close"; 20], ["/last"; 20]].concat();
    for path in paths {
        let request = format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n\r\n");
        let answer = client.ask(request.as_bytes()).unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "a"), "{path}");
    }
}

#[test]
fn a_dead_origin_costs_no_request_while_another_lives() {
    let (a, b) = (origin("a"), origin("b"));
    let node = one_pool(&[&a, &b]);
    a.kill();
    for _ in 0..50 {
        assert_eq!(get(node.http(), "shop.example", "/").unwrap().text(), "b");
    }
}

#[test]
fn when_nothing_is_left_the_refusal_says_so() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    a.kill();
    let answer = get(node.http(), "shop.example", "/").unwrap();
    assert_eq!(answer.status, 502, "{}", answer.text());
}

#[test]
fn a_request_in_flight_is_answered_before_the_node_stops() {
    let a = origin("a");
    let mut node = one_pool(&[&a]);
    let mut in_flight = Connection::open(node.http());
    in_flight.send(b"POST /echo HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhel").unwrap();
    let mut idle = Connection::open(node.http());
    idle.ask(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").unwrap();
    let address = node.http();
    let stopping = std::thread::spawn(move || node.stop());
    assert!(idle.is_closed(), "an idle connection is let go at once");
    crate::scene::eventually("the listener is closed", || std::net::TcpStream::connect(address).is_err().then_some(()));
    in_flight.send(b"lo").unwrap();
    let answer = in_flight.receive(false).unwrap();
    assert_eq!((answer.text().as_str(), answer.header("connection")), ("hello", Some("close")));
    stopping.join().unwrap();
}

#[test]
fn opened_minus_closed_is_open() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    for _ in 0..10 {
        get(node.http(), "shop.example", "/").unwrap();
    }
    let kept = Connection::open(node.http());
    crate::scene::eventually("one is open", || {
        let open = node.metric("meridian_http_connections_opened_total")
            - node.metric("meridian_http_connections_closed_total");
        (open == 1).then_some(())
    });
    drop(kept);
    crate::scene::eventually("none is open", || {
        let open = node.metric("meridian_http_connections_opened_total")
            - node.metric("meridian_http_connections_closed_total");
        (open == 0).then_some(())
    });
}

#[test]
fn what_may_not_be_done_twice_is_sent_once() {
    let (a, b) = (origin("a"), origin("b"));
    let node = one_pool(&[&a, &b]);
    let mut client = Connection::open(node.http());
    for kept in [false, true] {
        if kept {
            // Leaves a connection behind to each origin.
            for _ in 0..4 {
                client.ask(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").unwrap();
            }
        }
        for (method, times) in [("POST", 1..=1), ("GET", 2..=4)] {
            let before = a.requests() + b.requests();
            let request = format!("{method} /drop HTTP/1.1\r\nHost: shop.example\r\n\r\n");
            let answer = client.ask(request.as_bytes()).unwrap();
            assert_eq!(answer.status, 502);
            let sent = a.requests() + b.requests() - before;
            assert!(times.contains(&sent), "{method} was sent {sent} times, over a kept connection: {kept}");
        }
    }
}
