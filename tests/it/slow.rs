//! Who reads slowly or not at all waits for itself: others are served meanwhile, and what it is owed arrives.

use std::{thread, time::Duration};

use http::Method;
use socket2::{Domain, Socket, Type};
use tokio::time::timeout;

use crate::{
    hostile2::{Client, Frame, WINDOW_UPDATE, asks, error, many},
    pairs::settled,
    proxy::one_pool,
    scene::{Tongue, house_with, origin, request, wait},
};

#[test]
fn who_does_not_read_keeps_no_origin_from_others() {
    let house = house_with("[http]\nworkers = 1\n");
    for origin in [Tongue::H2, Tongue::H2Tls] {
        let pool = origin.host().trim_end_matches(".shop.test");
        let opened = || house.node.metric(&format!("meridian_origin_connections_opened_total{{pool=\"{pool}\"}}"));
        let unread = wait(origin, async {
            let mut asker = house.open(Tongue::H2, origin).await;
            let mut unread = Vec::new();
            for _ in 0..40 {
                let flow = request(Method::GET, origin, "/flow").body(()).unwrap();
                let (sink, awaited) = asker.ask(flow, true).await.unwrap();
                unread.push((sink, awaited.heard().await.unwrap()));
            }
            unread
        });
        let seen = &house.server(origin).seen;
        settled(|| seen.moved());
        let before = opened();
        for client in Tongue::ALL {
            let other = async {
                let mut other = house.open(client, origin).await;
                other.get(request(Method::GET, origin, "/")).await
            };
            let (head, whole) = wait((client, origin), async { timeout(Duration::from_secs(2), other).await })
                .unwrap_or_else(|_| panic!("{client:?} {origin:?}: waits for others to read"));
            assert_eq!((head.status.as_u16(), &whole.bytes[..], whole.is_complete), (200, &b"here"[..], true));
        }
        assert_eq!(opened(), before, "{origin:?}: they share a connection");
        drop(unread);
    }
}

/// A connection that holds little which was not read.
fn narrow(address: std::net::SocketAddr) -> std::net::TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_tcp_mss(536).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}

#[test]
fn a_node_that_drains_leaves_a_slow_reader_its_answers() {
    const ANSWERS: u32 = 8;
    const BYTES: usize = 8 * 64 * 1024;
    let a = origin("a");
    let mut node = one_pool(&[&a]);
    // SETTINGS_INITIAL_WINDOW_SIZE of 1 MiB: windows hold nothing back.
    let mut client = Client::over(narrow(node.http()), &[0, 4, 0, 0x10, 0, 0]);
    client.send(&[error(WINDOW_UPDATE, 0, 1 << 20), many(ANSWERS, |stream| asks(stream, "/large"))].concat());
    let answered = r#"meridian_http_requests_total{route="shop.example/",pool="shop",outcome="answered"}"#;
    node.metric_becomes(answered, ANSWERS.into());
    node.signal("TERM");
    // Longer than a client gets that is sent away for what it did.
    thread::park_timeout(Duration::from_millis(2500));
    let (mut bytes, mut ended) = (0, 0);
    while ended < ANSWERS {
        match client.next() {
            Frame::Data(_, data, is_end) => {
                bytes += data.len();
                ended += u32::from(is_end);
            }
            Frame::Answer(_, 200) | Frame::GoAway(0) | Frame::Other => {}
            other => panic!("{other:?} behind {bytes} bytes and {ended} whole answers"),
        }
    }
    assert_eq!(bytes, BYTES);
    drop(client);
    assert!(node.wait().success());
}
