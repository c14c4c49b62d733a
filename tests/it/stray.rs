//! Origins of HTTP/2 that send a body where there can be none: for a client it is never an answer of its own.

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::scene::{House, Io, Tongue, eventually, house, request, wait};

/// Answers with a body that their heads rule out, by the method they are asked with.
const STRAYS: [(&str, &str); 10] = [
    ("GET", "/stray/204"),
    ("GET", "/stray/204/length"),
    ("GET", "/stray/204/late"),
    ("GET", "/stray/204/length/late"),
    ("GET", "/stray/304"),
    ("GET", "/stray/304/length"),
    ("GET", "/stray/304/late"),
    ("GET", "/stray/304/length/late"),
    ("HEAD", "/stray/200"),
    ("HEAD", "/stray/200/late"),
];

/// Everything that comes on a kept connection until it ends.
async fn everything(house: &House, client: Tongue, origin: Tongue, method: &str, path: &str) -> String {
    let (address, tls) = house.door(client);
    let mut io = Io::open(address, tls, origin.host()).await.unwrap();
    let asked = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n\r\n", origin.host());
    io.write_all(asked.as_bytes()).await.unwrap();
    io.flush().await.unwrap();
    let mut all = Vec::new();
    while !String::from_utf8_lossy(&all).contains("\r\n\r\n") {
        if io.read_buf(&mut all).await.unwrap_or_default() == 0 {
            break;
        }
    }
    if path.ends_with("late") {
        house.server(origin).seen.let_on();
    }
    // However it ends: what counts is what was said before.
    _ = io.read_to_end(&mut all).await;
    String::from_utf8(all).unwrap()
}

#[test]
fn a_body_where_there_is_none_is_no_second_answer() {
    let house = house();
    for origin in [Tongue::H2, Tongue::H2Tls] {
        let mut asked = 0;
        for client in [Tongue::H1, Tongue::H1Tls] {
            for (method, path) in STRAYS {
                let all = wait((client, origin, path), everything(&house, client, origin, method, path));
                let told = format!("{client:?} {origin:?} {method} {path}: {all}");
                assert!(!all.contains("stray"), "{told}");
                assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{told}");
                assert!(all.ends_with("\r\n\r\n"), "{told}");
                asked += 1;
            }
        }
        assert_eq!(house.outcomes(origin, "origin-truncated"), asked, "{origin:?}");
    }
    house.nothing_stays_open();
}

#[test]
fn a_body_where_there_is_none_reaches_nobody_and_ends_no_other_stream() {
    let house = house();
    for origin in [Tongue::H2, Tongue::H2Tls] {
        let mut asked = 0;
        for client in [Tongue::H2, Tongue::H2Tls] {
            for (method, path) in STRAYS {
                wait((client, origin, path), async {
                    let mut asker = house.open(client, origin).await;
                    let method: Method = method.parse().unwrap();
                    let stray = request(method, origin, path).body(()).unwrap();
                    let (_sink, awaited) = asker.ask(stray, true).await.unwrap();
                    // A reset may overtake the head before it.
                    let heard = awaited.heard().await;
                    if path.ends_with("late") {
                        house.server(origin).seen.let_on();
                    }
                    if let Ok(mut heard) = heard {
                        let whole = heard.body.rest().await;
                        assert!(whole.bytes.is_empty(), "{client:?} {origin:?} {path}: {:?} {whole:?}", heard.head);
                    }
                    let (_, whole) = asker.get(request(Method::GET, origin, "/")).await;
                    assert_eq!((&whole.bytes[..], whole.is_complete), (&b"here"[..], true), "{client:?} {origin:?}");
                });
                asked += 1;
            }
        }
        eventually("counted", || (house.outcomes(origin, "origin-truncated") == asked).then_some(()));
    }
}
