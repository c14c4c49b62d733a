//! What `hickory-server` writes says what we said.

use std::net::Ipv4Addr;

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::{
        Name, RecordType,
        rdata::opt::{EdnsCode, EdnsOption},
    },
};
use hickory_server::{net::xfer::Protocol, proto::serialize::binary::BinEncoder, server::Request};
use proptest::prelude::*;

use super::{super::rebuilt::Rebuilt, *};
use crate::{
    clock::{Ticks, seeded},
    dns::{Client, Moment, Responder, Transport},
    table::Snapshot,
};

fn question(name: &str, kind: RecordType, edns: Option<Edns>) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.edns = edns;
    message.to_vec().unwrap()
}

/// The same answer, as the frame writes it.
fn through(answer: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let rebuilt = Rebuilt::read(answer).unwrap();
    rebuilt.response().destructive_emit(&mut BinEncoder::new(&mut bytes)).unwrap();
    bytes
}

/// A message without its padding, which has a length of its own.
fn read(bytes: &[u8]) -> Message {
    let mut message = Message::from_vec(bytes).unwrap();
    if let Some(edns) = &mut message.edns {
        edns.options_mut().remove(EdnsCode::Padding);
    }
    message
}

fn options() -> Vec<Option<Edns>> {
    let edns = |options: &[(EdnsCode, &[u8])]| {
        let mut edns = Edns::new();
        edns.set_max_payload(1232).set_dnssec_ok(options.len() % 2 == 1);
        for (code, bytes) in options {
            edns.options_mut().as_mut().push((*code, EdnsOption::Unknown((*code).into(), bytes.to_vec())));
        }
        Some(edns)
    };
    let (subnet, cookie) = (&[0, 1, 24, 0, 198, 51, 100][..], &[1, 2, 3, 4, 5, 6, 7, 8][..]);
    let (padding, none) = (&[0; 40][..], &[][..]);
    let mut future = Edns::new();
    future.set_version(1);
    vec![
        None,
        edns(&[]),
        edns(&[(EdnsCode::Padding, padding)]),
        edns(&[(EdnsCode::Subnet, subnet), (EdnsCode::Cookie, cookie)]),
        edns(&[
            (EdnsCode::NSID, none),
            (EdnsCode::Keepalive, none),
            (EdnsCode::Padding, none),
            (EdnsCode::Cookie, cookie),
        ]),
        edns(&[(EdnsCode::Subnet, &[0, 1, 24, 0, 198, 51, 100, 7])]),
        Some(future),
    ]
}

#[test]
fn every_answer_of_ours_says_the_same_and_stays_padded() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let mut writer = Writer::new(None);
    let compiled = Compiled::default().with(zones(&config));
    writer.publish(Membership { revision: 1, compiled, ..Membership::default() });
    let generation = writer.table().load();
    let snapshot = Snapshot { generation: &generation, now: Ticks(0) };
    let client = Client { address: Ipv4Addr::LOCALHOST.into(), transport: Transport::Tls };
    let (mut responder, mut answer, mut padded) = (Responder::new(seeded(1)), Vec::new(), 0);
    let names = ["", "www.", "alias.", "away.", "text.", "_sip._tcp.", "caa.", "big.", "none.", "NS1."];
    let kinds = [
        RecordType::A,
        RecordType::AAAA,
        RecordType::NS,
        RecordType::SOA,
        RecordType::MX,
        RecordType::TXT,
        RecordType::SRV,
        RecordType::CAA,
        RecordType::CNAME,
        RecordType::ANY,
        RecordType::AXFR,
        RecordType::Unknown(65_400),
    ];
    let all = names.iter().flat_map(|name| kinds.map(|kind| (format!("{name}shop.example."), kind)));
    let elsewhere = ("host.elsewhere.example.".to_owned(), RecordType::A);
    for (name, kind) in all.chain([elsewhere]) {
        for edns in options() {
            let message = question(&name, kind, edns);
            responder.respond(&message, client, Moment::default(), snapshot, &mut answer);
            let same = through(&answer);
            let (ours, theirs) = (read(&answer), read(&same));
            assert_eq!(ours.metadata, theirs.metadata, "{name} {kind}");
            assert_eq!(ours.edns, theirs.edns, "{name} {kind}");
            let sections = |message: &Message| {
                [&message.answers, &message.authorities, &message.additionals].map(|records| format!("{records:?}"))
            };
            assert_eq!(sections(&ours), sections(&theirs), "{name} {kind}");
            assert_eq!(ours.queries, theirs.queries);
            let is_padded = |bytes: &[u8]| {
                Message::from_vec(bytes).unwrap().edns.is_some_and(|edns| edns.option(EdnsCode::Padding).is_some())
            };
            assert_eq!(is_padded(&answer), is_padded(&same));
            if is_padded(&answer) {
                padded += 1;
                assert_eq!((answer.len() % 468, same.len() % 468), (0, 0), "{name} {kind}");
            }
        }
    }
    assert!(padded > 100, "{padded}");
}

/// An answer with this record, as bytes: its type, its data.
fn answer_of(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 7, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0];
    bytes.extend_from_slice(b"\x03WwW\x04shop\x07example\0\0\x01\0\x01\xc0\x0c");
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
    bytes.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

#[test]
fn data_that_another_reader_might_not_like_goes_through_as_it_is() {
    // An SVCB parameter out of order and unknown, an NAPTR, a type of nobody, no data at all, a TXT of strange bytes.
    let alias = b"\x00\x01\x00\xff\xff\x00\x01x\x00\x01\x00\x03\x02h2";
    let naptr = b"\x00\x0a\x00\x0a\x01u\x03foo\x02^$\x00";
    for (kind, data) in
        [(65, &alias[..]), (64, alias), (35, naptr), (65_400, b"\xff\0"), (10, b""), (16, b"\x02\xff\0")]
    {
        let answer = answer_of(kind, data);
        let (same, behind_the_name) = (through(&answer), &answer[answer.len() - data.len() - 10..]);
        assert!(same.ends_with(behind_the_name), "type {kind}: {same:?}");
    }
    // A name that points back is written out or points back again, with the letters that were asked.
    let answer = answer_of(5, b"\x05other\xc0\x10");
    let target = Message::from_vec(&through(&answer)).unwrap().answers[0].data.to_string();
    assert_eq!(target, "other.shop.example.");
    assert!(through(&answer).windows(13).any(|bytes| bytes == b"WwW\x04shop\x07exam"));
}

proptest! {
    #[test]
    fn no_bytes_are_too_much_for_the_frame(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0_usize..80, to: u8) {
        _ = Rebuilt::read(&bytes);
        let mut changed = question("www.shop.example.", RecordType::A, options().remove(4));
        if let Some(byte) = changed.get_mut(at) {
            *byte = to;
        }
        for message in [bytes, changed] {
            if let Some(rebuilt) = Rebuilt::read(&message) {
                _ = rebuilt.response().destructive_emit(&mut BinEncoder::new(&mut Vec::new()));
            }
            _ = Request::from_bytes(message, "192.0.2.1:1".parse().unwrap(), Protocol::Tls);
        }
    }
}
