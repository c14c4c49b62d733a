//! Queries sent by mistake or in malice: `tests/dns/hostile.txt` says which, and what becomes of them. Then seeded queries with some bytes
//! changed, of which nobody knows what becomes of them but that nothing breaks.

#[path = "../dns/corpus.rs"]
mod corpus;

use std::{
    io::{Read, Write},
    net::{IpAddr, TcpStream, UdpSocket},
    time::Duration,
};

use corpus::{Hostile, Outcome, corpus};
use meridian::{
    clock::{Random, seeded},
    config::{self, Identity},
    dns::Transport,
};

use crate::{
    scenarios::Answer,
    scene::{Meridian, meridian},
    stage::Stage,
};

const HEADER: usize = 12;
/// OPT without options.
const OPT: usize = 11;
/// What stands in front of every query of the corpus, and of none other.
const ID: u16 = 0x4d21;
/// `www.shop.example A`, with another id.
const GOOD: &[u8] = b"\x00\x07\0\0\0\x01\0\0\0\0\0\0\x03www\x04shop\x07example\0\0\x01\0\x01";
/// Queries with some bytes changed.
const MANGLED: usize = 30_000;

fn config_text() -> String {
    std::fs::read_to_string("tests/dns/configs/one-region.toml").unwrap()
}

fn stage(config: &str) -> Stage {
    let loaded = config::from_text("test.toml", config, &Identity::default());
    Stage::new(loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)))).unwrap()
}

/// Good queries for everything that a zone can hold, with everything that a client can say of itself.
fn good_queries() -> Vec<Vec<u8>> {
    let names = [
        "shop",
        "app",
        "www.shop",
        "c1",
        "out",
        "to-cut",
        "to-dname-apex",
        "x.sub",
        "sub",
        "a.moved",
        "x.lost",
        "host.gone",
        "host3.w",
        "any.alias.w",
        "f",
        "none",
        "types",
        "middle",
        "ns1",
        "x.unsigned.deep",
    ];
    let options: &[&[u8]] = &[
        b"",
        b"\0\x08\0\x07\0\x01\x18\0\xc0\0\x02",
        b"\0\x0a\0\x08\x24\x64\xc4\xab\xcf\x10\xc9\x57\0\x03\0\0\0\x0b\0\0",
        b"\0\x0c\0\x04\0\0\0\0\0\x08\0\x0a\0\x02\x30\0\x20\x01\x0d\xb8\0\x0e\0\x0a\0\x10\x24\x64\xc4\xab\xcf\x10\xc9\x57\x01\0\0\0\0\0\0\0",
    ];
    let mut queries = Vec::new();
    for (name, kind) in names.iter().flat_map(|name| [1_u16, 2, 16, 28, 43, 65, 255].map(|kind| (name, kind))) {
        for options in options {
            let mut query = vec![0x4d, 0x21, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
            for label in name.split('.').chain(["shop", "example"]) {
                query.push(u8::try_from(label.len()).unwrap());
                query.extend_from_slice(label.as_bytes());
            }
            query.push(0);
            query.extend([kind, 1].iter().flat_map(|word| word.to_be_bytes()));
            query.extend_from_slice(b"\0\0\x29\x04\xd0\0\0\x80\0\0");
            query.push(u8::try_from(options.len()).unwrap());
            query.extend_from_slice(options);
            queries.push(query);
        }
    }
    queries
}

/// What became of a query, if it is not what should have.
fn wrong(hostile: &Hostile, answer: Option<&[u8]>) -> Option<String> {
    let Some(bytes) = answer else {
        return (hostile.outcome != Outcome::Dropped).then(|| "nobody was answered".into());
    };
    let answer = match Answer::read(bytes) {
        Ok(answer) => answer,
        Err(why) => return Some(why),
    };
    let is_bare = answer.question.is_none() && bytes.len() <= HEADER + OPT;
    let outcome = if is_bare { Outcome::Bare(answer.rcode) } else { Outcome::Code(answer.rcode) };
    let has_echo = answer.question.as_ref().is_none_or(|(name, ..)| hostile.bytes[HEADER..].starts_with(name));
    let is_sound = answer.id == ID && answer.flags & 0x8000 != 0 && has_echo;
    (outcome != hostile.outcome || !is_sound)
        .then(|| format!("{outcome:?} instead of {:?}:\n{answer}", hostile.outcome))
}

#[test]
fn hostile_queries_come_to_what_they_should() {
    let (mut stage, mut found) = (stage(&config_text()), Vec::new());
    for hostile in corpus() {
        for transport in Transport::ALL {
            let answer = stage.answer(&hostile.bytes, IpAddr::from([127, 0, 0, 1]), transport);
            if let Some(why) = wrong(&hostile, answer.as_deref()) {
                found.push(format!("{} by {}: {why}", hostile.what, transport.as_str()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

/// The next message of a stream; nothing where it ends.
fn next(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

fn is_good(answer: &[u8]) -> bool {
    Answer::read(answer).is_ok_and(|answer| answer.id == 7 && answer.sections[0].len() == 1)
}

/// Sends a query and a good one behind it: what was dropped is answered by the second answer coming first.
fn over_udp(node: &Meridian, bytes: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket.connect(node.dns()).unwrap();
    socket.send(bytes).unwrap();
    socket.send(GOOD).unwrap();
    let mut buffer = [0; 4096];
    let mut receive = || {
        let length = socket.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    };
    let first = receive();
    if is_good(&first) {
        return None;
    }
    assert!(is_good(&receive()));
    Some(first)
}

/// The same by a stream, which may end instead.
fn over_tcp(node: &Meridian, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(node.dns()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(&[framed(bytes), framed(GOOD)].concat()).unwrap();
    let first = next(&mut stream)?;
    if is_good(&first) {
        return None;
    }
    assert!(is_good(&next(&mut stream).unwrap()));
    Some(first)
}

#[test]
fn a_node_outlives_hostile_queries_and_answers_what_comes_behind_them() {
    let node = meridian(&config_text());
    let (mut found, mut dropped) = (Vec::new(), 0);
    for hostile in corpus() {
        dropped += i64::from(hostile.outcome == Outcome::Dropped);
        for (way, answer) in [("udp", over_udp(&node, &hostile.bytes)), ("tcp", over_tcp(&node, &hostile.bytes))] {
            if let Some(why) = wrong(&hostile, answer.as_deref()) {
                found.push(format!("{} by {way}: {why}", hostile.what));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    let counted =
        ["short", "response"].map(|reason| node.metric(&format!("meridian_dns_dropped_total{{reason=\"{reason}\"}}")));
    assert!(counted.iter().sum::<i64>() >= dropped, "{counted:?} of {dropped}");
}

/// Some bytes changed, lost, added or repeated.
fn mangle(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..[1, 1, 2, 3][random.usize(..4)] {
        let at = random.usize(..=bytes.len());
        match random.u8(..8) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.u8(..)),
            2 => _ = bytes.splice(at.., other[other.len().min(at)..].iter().copied()),
            3 => bytes.extend(std::iter::repeat_n(random.u8(..), random.usize(..600))),
            _ if at == bytes.len() => {}
            4 => _ = bytes.remove(at),
            5 => bytes[at] ^= 1 << random.u8(..8),
            6 => bytes[at] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff][random.usize(..8)],
            _ => bytes[at] = random.u8(..),
        }
    }
}

#[test]
fn whatever_is_asked_nothing_breaks_and_every_answer_can_be_read() {
    let everything = std::fs::read_to_string("tests/dns/configs/everything.toml").unwrap();
    let (mut stage, mut random) = (stage(&everything), seeded(1987));
    let corpus: Vec<_> = corpus().into_iter().map(|hostile| hostile.bytes).chain(good_queries()).collect();
    let mut readable = 0;
    for at in 0..MANGLED {
        let mut bytes = corpus[random.usize(..corpus.len())].clone();
        mangle(&mut bytes, &corpus[random.usize(..corpus.len())], &mut random);
        let transport = Transport::ALL[random.usize(..4)];
        let Some(answer) = stage.answer(&bytes, IpAddr::from([127, 0, 0, 1]), transport) else { continue };
        let about = || format!("query {at}: {bytes:02x?}\nanswer: {answer:02x?}");
        let limit = if transport == Transport::Udp { 1232 } else { 65_535 };
        assert!(answer.len() <= limit, "{}", about());
        assert_eq!((&answer[..2], answer[2] & 0x80), (&bytes[..2], 0x80), "{}", about());
        let read = Answer::read(&answer).unwrap_or_else(|why| panic!("{why}\n{}", about()));
        // What could not be read is never sent back. Whoever asks for a cookie alone asks no question.
        let is_cookie = read.edns.as_ref().is_some_and(|edns| edns.option(10).is_some());
        assert!(read.question.is_some() || answer.len() <= HEADER + OPT || is_cookie, "{}", about());
        readable += usize::from(read.question.is_some());
    }
    // Not all of them were nonsense.
    assert!(readable > MANGLED / 6, "{readable}");
}
