//! Requests that must not be forwarded: `tests/http/hostile.txt` says which, and what their clients are told.

use crate::{
    proxy::one_pool,
    scene::{Connection, get, origin},
};

struct Hostile {
    status: u16,
    what: String,
    bytes: Vec<u8>,
}

fn corpus() -> Vec<Hostile> {
    let text = std::fs::read_to_string("tests/http/hostile.txt").unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let corpus: Vec<Hostile> = lines
        .map(|line| {
            let mut parts = line.splitn(3, " | ");
            let mut part = || parts.next().unwrap_or_else(|| panic!("three parts: {line}"));
            Hostile { status: part().parse().unwrap(), what: part().into(), bytes: unescape(part()) }
        })
        .collect();
    assert!(corpus.len() >= 80, "the corpus was read");
    corpus
}

/// As the corpus's first lines say.
fn unescape(text: &str) -> Vec<u8> {
    let many: String = (0..200).map(|at| format!("X-{at}: 1\r\n")).collect();
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some(symbol) = rest.chars().next() {
        let (escaped, used): (Vec<u8>, usize) = match rest.as_bytes() {
            [b'\\', b'x', high, low, ..] => {
                let digits = String::from_utf8(vec![*high, *low]).unwrap();
                (vec![u8::from_str_radix(&digits, 16).unwrap()], 4)
            }
            [b'\\', kind, ..] => (
                vec![match kind {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'0' => 0,
                    other => *other,
                }],
                2,
            ),
            [b'{', b'M', ..] => (many.clone().into_bytes(), "{MANY}".len()),
            [b'{', ..] => {
                let end = rest.find('}').unwrap();
                let (count, byte) = rest[1..end].split_once('*').unwrap();
                (byte.repeat(count.parse().unwrap()).into_bytes(), end + 1)
            }
            _ => (symbol.to_string().into_bytes(), symbol.len_utf8()),
        };
        bytes.extend(escaped);
        rest = &rest[used..];
    }
    bytes
}

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
