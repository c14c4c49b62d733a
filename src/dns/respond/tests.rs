use std::sync::{Arc, LazyLock};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query as Question, ResponseCode},
    rr::{Name, RData, RecordType},
};
use proptest::prelude::*;

use super::*;
use crate::{
    clock::{Ticks, seeded},
    config::{self, Config},
    dns::{reply::MAX_CHAIN, steer::Steering, wire::HEADER},
    fleet::{Balance, BasisPoints, Health},
    geo::{Atlas, Charts},
    table::{Compiled, Generation, Membership, OriginSpec, PoolSpec, RegionSpec, RowKey, RowState, Writer},
};

const REGIONS: [&str; 3] = ["eu", "us", "ap"];
const OPEN: &str = "open";
const CLOSED: &str = "closed";

/// Three regions, of which the third has IPv6 alone; one pool in each; a zone with one of everything.
fn config(when_all_down: &str) -> Config {
    let region = |(at, name): (usize, &&str)| {
        let v4 = if at == 2 { String::new() } else { format!("\"192.0.2.{}\", ", at + 1) };
        format!("[regions.{name}]\naddresses = [{v4}\"2001:db8::{}\"]\n", at + 1)
    };
    let regions: String = REGIONS.iter().enumerate().map(region).collect();
    let origins: String = (0..3)
        .map(|at| {
            let (address, region) = (origin_at(at), REGIONS[usize::from(at)]);
            format!("[[pools.shop.origins]]\naddress = \"{address}\"\nregion = \"{region}\"\n")
        })
        .collect();
    let big: String = (0..60).map(|at| format!("\"192.0.2.{at}\", ")).collect();
    let chain: String = (0..10).map(|at| format!("c{at} = {{ CNAME = \"c{}.shop.example\" }}\n", at + 1)).collect();
    let text = format!(
        r#"
        node.region = "eu"
        {regions}
        [pools.shop]
        when_all_down = "{when_all_down}"
        {origins}
        [zones."shop.example"]
        nameservers = ["ns1.shop.example", "ns2.elsewhere.example"]
        [zones."shop.example".records]
        "@" = {{ MX = ["10 mail.shop.example"] }}
        ns1 = {{ A = ["192.0.2.53"] }}
        www = {{ CNAME = "app.shop.example" }}
        away = {{ CNAME = "host.elsewhere.example" }}
        {chain}
        dead = {{ CNAME = "nothing.shop.example" }}
        "a.deep" = {{ TXT = [["hello", "world"]] }}
        "_sip._tcp" = {{ SRV = ["1 2 5060 sip.shop.example"] }}
        "*.wild" = {{ A = ["192.0.2.77"] }}
        "host.wild" = {{ TXT = ["here"] }}
        caa = {{ CAA = ["0 issue \"ca.example\""] }}
        big = {{ A = [{big}] }}
        [zones."shop.example".steer.app]
        pools = ["shop"]
        weights = {{ eu = 3, us = 1, ap = 1 }}
        "#
    );
    let loaded = config::from_text("test.toml", &text, &config::Identity::default());
    loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)))
}

fn origin_at(region: u16) -> std::net::SocketAddr {
    ([127, 0, 0, 1], 1000 + region).into()
}

const UP: RowState = RowState::of(Health::Up);
const DOWN: RowState = RowState { health: Health::Down, ..UP };
const UNKNOWN: RowState = RowState { health: Health::Unknown, ..UP };

fn zones(config: &Config) -> Zones {
    /// Reading it takes a while where nothing is optimized.
    static ATLAS: LazyLock<Atlas> = LazyLock::new(|| Atlas::load(&self::config(OPEN).geo).unwrap());
    let charts = Charts::build(config, &ATLAS).unwrap();
    Zones::build(config, &charts, Guard::build(&config.dns, None).unwrap().into(), 2026)
}

fn client(transport: Transport) -> Client {
    Client { address: std::net::Ipv4Addr::LOCALHOST.into(), transport }
}

struct Scene {
    writer: Writer,
    generation: Arc<Generation>,
}

/// All regions up.
fn scene(when_all_down: &str) -> Scene {
    let config = config(when_all_down);
    let mut writer = Writer::new(None);
    let origin = |origin: &config::Origin| OriginSpec {
        address: origin.address.clone(),
        region: origin.region,
        weight: origin.weight,
        tier: origin.tier,
    };
    let origins = config.pools[0].origins.iter().map(origin).collect();
    let region = |region: &Arc<config::Region>| RegionSpec { name: region.name.clone(), capacity_per_second: 0 };
    writer.publish(Membership {
        revision: 1,
        pools: vec![PoolSpec { name: "shop".into(), balance: Balance::RoundRobin, origins }],
        regions: config.regions.iter().map(region).collect(),
        compiled: Compiled::default().with(zones(&config)),
    });
    let generation = writer.table().load();
    let mut scene = Scene { writer, generation };
    for region in REGIONS {
        scene.door(region, UP);
        scene.pool(region, UP);
    }
    scene
}

impl Scene {
    fn set(&mut self, key: &RowKey, state: RowState) {
        let row = self.writer.row(key).unwrap().clone();
        self.writer.set(&row, state);
    }

    fn door(&mut self, region: &str, state: RowState) {
        self.set(&RowKey::FrontDoor(region.into()), state);
    }

    fn pool(&mut self, region: &str, state: RowState) {
        self.set(&RowKey::PoolRegion("shop".into(), region.into()), state);
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot { generation: &self.generation, now: Ticks(10_000) }
    }

    fn raw(&self, message: &[u8], transport: Transport, seed: u64) -> Option<(Message, Outcome, usize)> {
        let (mut responder, mut out) = (Responder::new(seeded(seed)), Vec::new());
        match responder.respond(message, client(transport), Moment::default(), self.snapshot(), &mut out) {
            Asked::Answered(outcome) => Some((Message::from_vec(&out).unwrap(), outcome, out.len())),
            Asked::Dropped(_) => None,
        }
    }

    fn ask(&self, name: &str, kind: RecordType) -> Message {
        let (answer, ..) = self.raw(&question(name, kind, None), Transport::Udp, 1).unwrap();
        assert_eq!(answer.metadata.id, 7);
        answer
    }

    /// How often each address was answered in 1,000 queries; `None` is no address.
    fn drawn(&self, kind: RecordType) -> std::collections::BTreeMap<Option<String>, u32> {
        let mut counts = std::collections::BTreeMap::new();
        let (mut responder, mut out) = (Responder::new(seeded(5)), Vec::new());
        for _ in 0..1_000 {
            responder.respond(
                &question("app.shop.example.", kind, None),
                client(Transport::Udp),
                Moment::default(),
                self.snapshot(),
                &mut out,
            );
            let answer = Message::from_vec(&out).unwrap();
            let first = answer.answers.first().map(|record| record.data.to_string());
            *counts.entry(first).or_default() += 1;
        }
        counts
    }

    fn only(&self, kind: RecordType) -> Vec<Option<String>> {
        self.drawn(kind).into_keys().collect()
    }
}

/// A query; with EDNS where a payload is given.
fn question(name: &str, kind: RecordType, payload: Option<u16>) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Question::query(Name::from_ascii(name).unwrap(), kind));
    let mut bytes = message.to_vec().unwrap();
    if let Some(payload) = payload {
        bytes[11] = 1;
        bytes.extend_from_slice(&[0, 0, 41]);
        bytes.extend_from_slice(&payload.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0x80, 0, 0, 0]);
    }
    bytes
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn static_records_are_answered_as_written() {
    let scene = scene(OPEN);
    let rows = [
        ("ns1.shop.example.", RecordType::A, "192.0.2.53"),
        ("shop.example.", RecordType::MX, "10 mail.shop.example."),
        ("_sip._tcp.shop.example.", RecordType::SRV, "1 2 5060 sip.shop.example."),
        ("caa.shop.example.", RecordType::CAA, "0 issue \"ca.example\""),
        ("shop.example.", RecordType::NS, "ns1.shop.example."),
    ];
    for (name, kind, expected) in rows {
        let answer = scene.ask(name, kind);
        assert!(answer.metadata.authoritative && !answer.metadata.recursion_available);
        assert_eq!(answer.answers[0].data.to_string(), expected);
        assert_eq!(answer.answers[0].name, Name::from_ascii(name).unwrap());
    }
    let texts = scene.ask("a.deep.shop.example.", RecordType::TXT);
    let RData::TXT(texts) = &texts.answers[0].data else { panic!("{texts:?}") };
    assert_eq!(texts.txt_data.iter().map(|text| &text[..]).collect::<Vec<_>>(), [b"hello", b"world"]);
    let soa = scene.ask("shop.example.", RecordType::SOA);
    let RData::SOA(soa) = &soa.answers[0].data else { panic!("{soa:?}") };
    assert_eq!((soa.serial, soa.minimum), (2026, 30));
}

#[test]
fn what_is_not_there_comes_with_the_zones_authority() {
    let scene = scene(OPEN);
    let rows = [
        ("none.shop.example.", RecordType::A, ResponseCode::NXDomain),
        ("www.none.shop.example.", RecordType::A, ResponseCode::NXDomain),
        ("ns1.shop.example.", RecordType::AAAA, ResponseCode::NoError),
        // An empty non-terminal exists.
        ("deep.shop.example.", RecordType::A, ResponseCode::NoError),
        ("app.shop.example.", RecordType::TXT, ResponseCode::NoError),
    ];
    for (name, kind, code) in rows {
        let answer = scene.ask(name, kind);
        assert_eq!((answer.metadata.response_code, answer.answers.len()), (code, 0), "{name}");
        let soa = &answer.authorities[0];
        assert_eq!((soa.name.to_ascii().as_str(), soa.ttl), ("shop.example.", 30), "{name}");
    }
}

#[test]
fn what_is_not_ours_is_refused() {
    let scene = scene(OPEN);
    for name in ["elsewhere.example.", "example.", ".", "workshop.example."] {
        assert_eq!(scene.ask(name, RecordType::A).metadata.response_code, ResponseCode::Refused, "{name}");
    }
    assert_eq!(scene.ask("shop.example.", RecordType::AXFR).metadata.response_code, ResponseCode::Refused);
}

#[test]
fn the_clients_spelling_comes_back() {
    let scene = scene(OPEN);
    let answer = scene.ask("nS1.ShOp.exAMPle.", RecordType::A);
    assert_eq!(answer.queries[0].name().to_ascii(), "nS1.ShOp.exAMPle.");
    assert_eq!(answer.answers[0].name.to_ascii(), "nS1.ShOp.exAMPle.");
}

#[test]
fn aliases_are_followed_within_our_zones() {
    let scene = scene(OPEN);
    let answer = scene.ask("www.shop.example.", RecordType::A);
    assert_eq!(answer.answers.len(), 2);
    assert_eq!(answer.answers[1].name.to_ascii(), "app.shop.example.");
    assert_eq!(scene.ask("www.shop.example.", RecordType::CNAME).answers.len(), 1);
    assert_eq!(scene.ask("away.shop.example.", RecordType::A).answers.len(), 1);
    let dead = scene.ask("dead.shop.example.", RecordType::A);
    assert_eq!((dead.metadata.response_code, dead.answers.len()), (ResponseCode::NXDomain, 1));
    assert_eq!(scene.ask("c0.shop.example.", RecordType::A).answers.len(), MAX_CHAIN);
}

#[test]
fn any_is_answered_with_as_little_as_possible() {
    let answer = scene(OPEN).ask("shop.example.", RecordType::ANY);
    assert_eq!(answer.answers.len(), 1);
    assert_eq!(answer.answers[0].record_type(), RecordType::HINFO);
}

#[test]
fn regions_are_drawn_by_weight_and_only_where_they_have_such_an_address() {
    let scene = scene(OPEN);
    let v4 = scene.drawn(RecordType::A);
    assert_eq!(v4.keys().cloned().collect::<Vec<_>>(), some(&["192.0.2.1", "192.0.2.2"]));
    assert!((700..800).contains(&v4[&Some("192.0.2.1".into())]), "{v4:?}");
    let v6 = scene.drawn(RecordType::AAAA);
    assert!((560..640).contains(&v6[&Some("2001:db8::1".into())]), "{v6:?}");
    assert_eq!(scene.ask("app.shop.example.", RecordType::A).answers[0].ttl, 30);
}

#[test]
fn a_region_is_left_out_when_its_door_or_its_pool_is_lost_or_drained() {
    let draining = RowState { is_draining: true, ..UP };
    for bad in [DOWN, draining, UNKNOWN, RowState { weight: BasisPoints::ZERO, ..UP }] {
        let mut by_door = scene(OPEN);
        by_door.door("eu", bad);
        assert_eq!(by_door.only(RecordType::A), some(&["192.0.2.2"]), "{bad:?}");
        let mut by_pool = scene(OPEN);
        by_pool.pool("eu", bad);
        assert_eq!(by_pool.only(RecordType::A), some(&["192.0.2.2"]), "{bad:?}");
    }
}

#[test]
fn a_weakened_region_keeps_what_it_can_carry() {
    let mut scene = scene(OPEN);
    scene.pool("eu", RowState { weight: BasisPoints::new(2_380), ..UP });
    // 3 × 0.333 beside 1: half.
    let drawn = scene.drawn(RecordType::A);
    assert!((450..550).contains(&drawn[&Some("192.0.2.1".into())]), "{drawn:?}");
    scene.pool("eu", RowState { weight: BasisPoints::new(7_500), ..UP });
    let drawn = scene.drawn(RecordType::A);
    assert!((700..800).contains(&drawn[&Some("192.0.2.1".into())]), "{drawn:?}");
}

#[test]
fn when_nothing_is_proven_the_ladder_goes_on() {
    let mut scene = scene(OPEN);
    for region in REGIONS {
        scene.pool(region, DOWN);
    }
    scene.pool("us", UNKNOWN);
    assert_eq!(scene.only(RecordType::A), some(&["192.0.2.2"]));
    scene.pool("us", DOWN);
    assert_eq!(scene.only(RecordType::A), some(&["192.0.2.1", "192.0.2.2"]), "open: all of them");
    scene.door("us", RowState { is_forced: true, ..DOWN });
    assert_eq!(scene.only(RecordType::A), some(&["192.0.2.1"]), "but not what an operator took out");
}

#[test]
fn a_pool_that_closes_makes_no_data_when_all_is_down() {
    let mut scene = scene(CLOSED);
    for region in REGIONS {
        scene.pool(region, DOWN);
    }
    let (answer, outcome, _) =
        scene.raw(&question("app.shop.example.", RecordType::A, None), Transport::Udp, 1).unwrap();
    assert_eq!((answer.metadata.response_code, answer.answers.len()), (ResponseCode::NoError, 0));
    assert_eq!(answer.authorities.len(), 1);
    assert_eq!(outcome.steering, Some(Steering::Closed));
}

#[test]
fn what_does_not_fit_is_truncated_over_udp_and_whole_over_tcp() {
    let scene = scene(OPEN);
    let plain = question("big.shop.example.", RecordType::A, None);
    let (answer, outcome, length) = scene.raw(&plain, Transport::Udp, 1).unwrap();
    assert!(answer.metadata.truncation && outcome.is_truncated && length <= 512);
    assert_eq!(answer.answers.len(), 0);
    let (answer, ..) = scene.raw(&plain, Transport::Tcp, 1).unwrap();
    assert_eq!((answer.metadata.truncation, answer.answers.len()), (false, 60));
    let with_room = question("big.shop.example.", RecordType::A, Some(4096));
    let (answer, _, length) = scene.raw(&with_room, Transport::Udp, 1).unwrap();
    assert!(length <= 1232 && !answer.metadata.truncation);
    let edns = answer.edns.unwrap();
    assert_eq!((edns.max_payload(), edns.flags().dnssec_ok), (1232, true));
}

#[test]
fn other_versions_operations_classes_and_nonsense_are_told_apart() {
    let scene = scene(OPEN);
    let good = question("ns1.shop.example.", RecordType::A, Some(1232));
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        let answered = scene.raw(&bytes, Transport::Udp, 1);
        answered.map(|(_, outcome, _)| outcome.rcode)
    };
    let version = good.len() - 5;
    let class = good.len() - 12;
    assert_eq!(with(version, 1), Some(Rcode::BadVers));
    assert_eq!(with(2, 0x20), Some(Rcode::NotImp));
    assert_eq!(with(class, 3), Some(Rcode::Refused));
    assert_eq!(with(5, 0), Some(Rcode::FormErr));
    assert_eq!(with(2, 0x80), None, "an answer is not answered");
    assert!(scene.raw(&good[..11], Transport::Udp, 1).is_none());
    let two_opts = [&good[..], &good[good.len() - 11..]].concat();
    let mut two_opts = two_opts;
    two_opts[11] = 2;
    let (_, outcome, _) = scene.raw(&two_opts, Transport::Udp, 1).unwrap();
    assert_eq!(outcome.rcode, Rcode::FormErr);
}

proptest! {
    #[test]
    fn any_bytes_come_to_an_answer_that_others_can_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check_readable(&scene(OPEN), &bytes)?;
    }

    #[test]
    fn so_do_queries_with_some_bytes_changed(changes in prop::collection::vec((0_usize..60, any::<u8>()), 1..4)) {
        let mut bytes = question("www.shop.example.", RecordType::A, Some(900));
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        check_readable(&scene(OPEN), &bytes)?;
    }
}

fn check_readable(scene: &Scene, bytes: &[u8]) -> Result<(), TestCaseError> {
    let answer = fuzz_respond(bytes, scene.snapshot());
    if answer.len() > HEADER {
        prop_assert!(Message::from_vec(&answer).is_ok(), "{answer:?}");
    }
    Ok(())
}

#[test]
fn a_wildcard_stands_for_what_does_not_exist_below_it() {
    let scene = scene("open");
    for name in ["any.wild.shop.example.", "a.b.wild.shop.example."] {
        let answer = scene.ask(name, RecordType::A);
        assert_eq!(answer.answers[0].data.to_string(), "192.0.2.77", "{name}");
        assert_eq!(answer.answers[0].name, Name::from_ascii(name).unwrap());
        let other = scene.ask(name, RecordType::TXT);
        assert!(other.answers.is_empty() && other.metadata.response_code == ResponseCode::NoError, "{name}");
    }
    // What exists, or hides the wildcard by existing, is not covered (RFC 4592 section 2.2.1).
    assert!(scene.ask("host.wild.shop.example.", RecordType::A).answers.is_empty());
    assert_eq!(scene.ask("x.host.wild.shop.example.", RecordType::A).metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(scene.ask("nothing.shop.example.", RecordType::A).metadata.response_code, ResponseCode::NXDomain);
}

#[test]
fn a_front_doors_weight_is_taken_at_its_word() {
    let mut scene = scene("open");
    scene.door("us", RowState { weight: BasisPoints::new(5_000), ..UP });
    scene.door("ap", DOWN);
    let drawn = scene.drawn(RecordType::A);
    // 3 to a half of 1.
    let share = drawn[&Some("192.0.2.2".to_owned())];
    assert!((110..180).contains(&share), "{drawn:?}");
}
