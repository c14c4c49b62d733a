//! Requests that must not be forwarded: `tests/http/hostile.txt` says which, and what their clients are told.

#[path = "../http/corpus.rs"]
mod corpus;

use corpus::{Hostile, corpus};

use crate::{
    proxy::one_pool,
    scene::{Connection, get, origin},
};

#[test]
fn a_hostile_request_is_refused_and_nothing_behind_it_is_heard() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let (mut wrong, mut followed) = (Vec::new(), 0);
    for Hostile { status, what, bytes } in corpus() {
        let mut client = Connection::open(node.http());
        // What a smuggler would put behind it. The node may have closed by then.
        let sent = [&bytes[..], b"GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n"].concat();
        _ = client.send(&sent);
        let answer = client.receive(false).unwrap_or_default();
        if answer.status != status {
            wrong.push(format!("{what}: {} instead of {status}: {}", answer.status, answer.text()));
            continue;
        }
        assert!(answer.header("date").is_some(), "{what}: {:?}", answer.headers);
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let closes = !["bad-host", "bad-target"].contains(&problem["refusal"].as_str().unwrap());
        let next = client.receive(false).unwrap_or_default().text();
        // Only a refusal that leaves no doubt where its request ends is followed by another answer.
        followed += usize::from(!closes);
        if next != if closes { "" } else { "a" } {
            wrong.push(format!("{what}: then came {next:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(a.requests(), followed, "requests that the origin heard");
    assert_eq!(get(node.http(), "shop.example", "/").unwrap().text(), "a");
}

#[test]
fn hostile_requests_are_refused_however_they_are_cut() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    for Hostile { status, what, bytes } in corpus().into_iter().filter(|hostile| hostile.bytes.len() < 300) {
        let mut client = Connection::open(node.http());
        for byte in bytes {
            // The node may have closed by then.
            if client.send(&[byte]).is_err() {
                break;
            }
        }
        assert_eq!(client.receive(false).unwrap_or_default().status, status, "{what}");
    }
    assert_eq!(a.requests(), 0, "not one of them was forwarded whole");
}
