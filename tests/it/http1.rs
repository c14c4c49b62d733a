//! HTTP/1 as people use it, through a running node, by raw sockets.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    time::Duration,
};

use crate::{
    proxy::one_pool,
    scene::{Connection, eventually, meridian, origin},
};

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n\r\n").into_bytes()
}

/// Everything that comes until the connection ends.
fn everything(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    String::from_utf8(all).unwrap()
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let mut client = Connection::open(node.http());
    let post = b"POST /echo HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhello";
    let chunks =
        b"POST /echo HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    client.send(&[&get("/")[..], post, &get("/chunked"), chunks, &get("/")].concat()).unwrap();
    for expected in ["a", "hello", "hello world", "abc", "a"] {
        assert_eq!(client.receive(false).unwrap().text(), expected);
    }
}

#[test]
fn trailers_pass_both_ways_but_for_those_that_frame_a_message() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let answer = everything(node.http(), "GET /trailers HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n"), "{answer}");
}

#[test]
fn early_hints_reach_clients_that_know_them() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let answer = everything(node.http(), "GET /hints HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n"), "{answer}");
    let old = everything(node.http(), "GET /hints HTTP/1.0\r\nHost: shop.example\r\n\r\n");
    assert!(old.starts_with("HTTP/1.1 200 OK\r\n") && old.ends_with("\r\n\r\na"), "{old}");
}

#[test]
fn http_1_0_gets_bodies_it_can_read() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let answer = everything(node.http(), "GET /chunked HTTP/1.0\r\nHost: shop.example\r\n\r\n");
    assert!(!answer.contains("transfer-encoding") && answer.ends_with("\r\n\r\nhello world"), "{answer}");
    let mut kept = Connection::open(node.http());
    for _ in 0..3 {
        let answer = kept.ask(b"GET / HTTP/1.0\r\nHost: shop.example\r\nConnection: keep-alive\r\n\r\n").unwrap();
        assert_eq!((answer.text().as_str(), answer.header("connection")), ("a", Some("keep-alive")));
    }
}

#[test]
fn a_body_that_ends_with_its_connection_is_framed_for_the_client() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let mut client = Connection::open(node.http());
    for _ in 0..3 {
        let answer = client.ask(&get("/until-close")).unwrap();
        assert_eq!((answer.text().as_str(), answer.is_complete), ("all there is", true));
    }
}

#[test]
fn a_slow_stream_is_passed_on_piece_by_piece() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let mut stream = TcpStream::connect(node.http()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(&get("/events")).unwrap();
    let (mut seen, mut piece) = (String::new(), [0; 4096]);
    while !seen.contains("data: 1") {
        let read = stream.read(&mut piece).unwrap();
        seen += &String::from_utf8_lossy(&piece[..read]);
    }
    assert!(!seen.contains("data: 2"), "the first event came before the second was sent: {seen}");
    while !seen.contains("data: 2") {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "{seen}");
        seen += &String::from_utf8_lossy(&piece[..read]);
    }
}

#[test]
fn an_upgraded_connection_carries_anything_both_ways_until_both_are_done() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let mut stream = TcpStream::connect(node.http()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // The first bytes of the new protocol come right behind the request.
    let request =
        "GET /upgrade HTTP/1.1\r\nHost: shop.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\nx";
    stream.write_all(request.as_bytes()).unwrap();
    stream.write_all(b"yz").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n"), "{all}");
    assert!(all.ends_with("\r\n\r\nreadyxxyyzz"), "{all}");
}

#[test]
fn an_upgrade_to_http_2_in_the_clear_is_not_passed_on() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let request = "GET /head HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade, HTTP2-Settings\r\n\
                   Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    let seen = Connection::open(node.http()).ask(request.as_bytes()).unwrap().text().to_ascii_lowercase();
    assert!(!seen.contains("upgrade") && !seen.contains("http2-settings"), "{seen}");
}

/// An origin that says `100 Continue` when it likes, and may answer before it has read the body.
fn eager_origin(answer: &'static [u8]) -> (TcpListener, std::thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let accepting = listener.try_clone().unwrap();
    let reading = std::thread::spawn(move || {
        // Checks connect, too, and say nothing.
        for mut stream in accepting.incoming().flatten() {
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap_or_default();
            if read > 0 {
                stream.write_all(answer).unwrap();
                let mut body = Vec::new();
                _ = stream.read_to_end(&mut body);
                return [&head[..read], &body].concat();
            }
        }
        unreachable!("a listener accepts without end")
    });
    (listener, reading)
}

fn in_front_of(listener: &TcpListener) -> crate::scene::Meridian {
    meridian(&format!(
        "[http]\nhead_timeout = \"300ms\"\nbody_timeout = \"300ms\"\nidle_timeout = \"600ms\"\n\
         [regions.here]\naddresses = [\"127.0.0.1\"]\n\
         [[pools.shop.origins]]\naddress = \"{}\"\n[[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n",
        listener.local_addr().unwrap()
    ))
}

#[test]
fn a_client_that_waits_to_continue_hears_the_origins_word() {
    let (listener, reading) = eager_origin(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    );
    let node = in_front_of(&listener);
    let mut client = Connection::open(node.http());
    client.send(b"POST / HTTP/1.1\r\nHost: shop.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").unwrap();
    assert_eq!(client.receive(true).unwrap().status, 100);
    client.send(b"hello").unwrap();
    assert_eq!(client.receive(false).unwrap().text(), "ok");
    let seen = String::from_utf8(reading.join().unwrap()).unwrap();
    assert!(seen.contains("Expect: 100-continue\r\n"), "{seen}");
}

#[test]
fn an_answer_before_the_end_of_the_request_reaches_the_client() {
    let (listener, _reading) = eager_origin(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno\n");
    let node = in_front_of(&listener);
    let mut client = Connection::open(node.http());
    client.send(b"POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 10000000\r\n\r\nthe beginning").unwrap();
    let answer = client.receive(false).unwrap();
    assert_eq!((answer.status, answer.text().as_str(), answer.is_complete), (413, "no\n", true));
    assert!(client.is_closed(), "nobody can tell where the rest of that body ends");
}

#[test]
fn who_leaves_is_not_worked_for() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let mut client = Connection::open(node.http());
    client.send(&get("/stall")).unwrap();
    eventually("the origin has the request", || (a.requests() == 1).then_some(()));
    drop(client);
    node.metric_becomes(r#"meridian_http_requests_total{route="shop.example/",pool="shop",outcome="client-left"}"#, 1);
    let open = || {
        node.metric("meridian_origin_connections_opened_total")
            - node.metric("meridian_origin_connections_closed_total")
    };
    eventually("the origin's connection is closed", || (open() == 0).then_some(()));
}

#[test]
fn slow_clients_are_told_and_let_go() {
    let (listener, _reading) = eager_origin(b"");
    let node = in_front_of(&listener);
    let mut head = Connection::open(node.http());
    head.send(b"GET / HT").unwrap();
    assert_eq!(head.receive(false).unwrap().status, 408);
    assert!(head.is_closed());
    let mut body = Connection::open(node.http());
    body.send(b"POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
    assert_eq!(body.receive(false).unwrap().status, 408);
    assert!(body.is_closed());
    assert!(Connection::open(node.http()).is_closed(), "who says nothing is let go without a word");
}

/// Answers must not pile up in memory for somebody who does not read them.
#[test]
fn a_client_that_asks_without_listening_is_not_read_any_further() {
    const ASKED: i64 = 60_000;
    let a = origin("a");
    let node = one_pool(&[&a]);
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&node.http().into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let kept = stream.try_clone().unwrap();
    let asking = std::thread::spawn(move || {
        for _ in 0..ASKED / 1000 {
            let requests = b"GET / HTTP/1.1\r\nHost: nowhere.example\r\n\r\n".repeat(1000);
            if stream.write_all(&requests).is_err() {
                return;
            }
        }
    });
    let refused = || node.metric(r#"meridian_http_requests_total{route="none",pool="none",outcome="no-route"}"#);
    let answered = eventually("the node stops answering", || {
        let before = refused();
        std::thread::park_timeout(Duration::from_secs(1));
        (before > 0 && refused() == before).then_some(before)
    });
    // What the sockets hold: the kernel gives a sender up to 4 MiB.
    assert!(answered < ASKED * 2 / 3, "{answered} of {ASKED} were answered, and nobody read one");
    kept.shutdown(Shutdown::Both).unwrap();
    asking.join().unwrap();
}

/// The body of a refused request must never be taken for the next request.
#[test]
fn nothing_is_read_behind_a_request_whose_body_nobody_read() {
    let (a, b) = (origin("a"), origin("b"));
    let node = one_pool(&[&a]);
    let dead = one_pool(&[&b]);
    b.kill();
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    for (node, host, path, expected) in [
        (&node, "nowhere.example", "/", 404),
        (&node, "shop.example", "/garbage", 502),
        (&dead, "shop.example", "/", 502),
    ] {
        let mut client = Connection::open(node.http());
        let length = smuggled.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n");
        client.send((head + smuggled).as_bytes()).unwrap();
        let answer = client.receive(false).unwrap();
        assert_eq!((answer.status, answer.header("connection")), (expected, Some("close")), "{}", answer.text());
        assert!(client.receive(false).is_none(), "{path}: the body was answered");
    }
}
