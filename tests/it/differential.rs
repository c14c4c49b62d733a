//! Our answers to questions that nobody thought of, beside those of a name server that is as plain as the standards tell it. Two other
//! implementations read ours, and have to read the same (`scenarios/answer.rs`).

mod oracle;

use std::{net::IpAddr, str::FromStr as _};

use domain::{
    base::{Name, Rtype, name::ToLabelIter, rdata::ComposeRecordData},
    zonefile::inplace::{Entry, Zonefile},
};
use meridian::{
    clock::{Random, seeded},
    config::{self, Config, Identity, RecordSet},
    dns::Transport,
    fleet::DnsName,
};
use oracle::{Labels, Oracle, labels, wire};

use crate::{
    scenarios::{Answer, Line},
    stage::{SERIAL, Stage},
};

/// Questions that are asked.
const QUESTIONS: usize = 8000;
/// Types that are asked for beside those that are there.
const KINDS: [u16; 16] = [1, 2, 5, 6, 13, 15, 16, 28, 33, 39, 43, 46, 65, 99, 255, 65400];

const CONFIG: &str = r#"
[node]
region = "eu"
[regions.eu]
addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
[[pools.shop.origins]]
address = "10.0.0.1:8080"
[zones."shop.example"]
nameservers = ["ns1.shop.example", "ns2.elsewhere.example"]
ttl = "300s"
[zones."shop.example".steer.app]
pools = ["shop"]
policy = "weighted"
[zones."second.example"]
nameservers = ["ns1.shop.example"]
ttl = "10m"
negative_ttl = "15s"
[zones."www.third.example"]
nameservers = ["ns1.shop.example"]
ttl = "10m"
negative_ttl = "15s"
"#;

/// A zone file's records as another implementation composes them, but for the SOA and the apex's name servers, which the config has.
pub(crate) fn records(file: &str, apex: &DnsName) -> Vec<RecordSet> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut sets: Vec<RecordSet> = Vec::new();
    for entry in Zonefile::from(text.as_str()) {
        let Entry::Record(record) = entry.unwrap() else { panic!("{file} includes others") };
        let mut owner = Vec::new();
        for label in record.owner().iter_labels() {
            owner.push(u8::try_from(label.len()).unwrap());
            owner.extend(label.as_slice().to_ascii_lowercase());
        }
        let owner = DnsName::from_wire(&owner).unwrap();
        let (kind, ttl) = (record.rtype().to_int(), record.ttl().as_secs());
        if kind == 6 || (kind == 2 && owner == *apex) {
            continue;
        }
        let mut data = Vec::new();
        record.data().compose_rdata(&mut data).unwrap();
        match sets.iter_mut().find(|set| set.owner == owner && set.kind == kind) {
            Some(set) => set.data.push(data.into()),
            None => sets.push(RecordSet { owner, kind, ttl, data: vec![data.into()] }),
        }
    }
    assert!(!sets.is_empty(), "{file} was read");
    sets
}

/// A config whose zones hold everything that zones can hold.
fn everything() -> Config {
    let loaded = config::from_text("everything.toml", CONFIG, &Identity::default());
    let mut config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)));
    for zone in &mut config.zones {
        let zone = std::sync::Arc::make_mut(zone);
        let file = match zone.name.to_string().as_str() {
            "shop.example" => "everything",
            "second.example" => "second",
            _ => "third",
        };
        zone.records = records(&format!("tests/dns/zones/{file}.zone"), &zone.name);
        if file == "everything" {
            let target = DnsName::from_str("app.shop.example").unwrap();
            zone.aliases.push(config::Alias { owner: zone.name.clone(), target });
            // No config with circles is taken, but nothing may hang on that.
            for (owner, target) in [("*.loop", "again.loop"), ("there", "back"), ("back", "there")] {
                let [owner, target] = [owner, target].map(|name| DnsName::below(name, &zone.name).unwrap());
                zone.records.push(RecordSet { owner, kind: 5, ttl: 300, data: vec![target.as_wire().into()] });
            }
        }
    }
    config
}

/// A question that somebody might ask.
#[derive(Debug)]
struct Asked {
    name: Vec<u8>,
    kind: u16,
    transport: Transport,
    /// Of EDNS, where it is spoken.
    payload: Option<u16>,
}

impl Asked {
    fn draw(names: &[(Labels, Vec<u16>)], random: &mut Random) -> Self {
        let (name, kinds) = &names[random.usize(..names.len())];
        match random.u8(..100) {
            // What does not fit into a datagram.
            0 | 1 => return Self::of(&labels(b"\x06middle\x04shop\x07example\0"), 16, Transport::Udp, random),
            // What does not fit into a name.
            2 => {
                let name = [&[vec![b'x'; random.usize(1..64)]][..], &labels(b"\x04lost\x04shop\x07example\0")].concat();
                return Self::of(&name, 1, Transport::Tcp, random);
            }
            _ => {}
        }
        let mut name = name.clone();
        let label = |random: &mut Random| match random.u8(..6) {
            0 => b"*".to_vec(),
            1 => names[random.usize(..names.len())].0[0].clone(),
            2 => vec![random.u8(..); random.usize(1..64)],
            _ => vec![random.lowercase() as u8; random.usize(1..9)],
        };
        for _ in 0..[0, 0, 0, 1, 1, 2, 4][random.usize(..7)] {
            match random.u8(..4) {
                0 if name.len() > 1 => _ = name.remove(0),
                1 => name[0] = label(random),
                _ => name.insert(0, label(random)),
            }
        }
        while wire(&name).len() > 255 {
            name.remove(0);
        }
        let kind = if kinds.is_empty() || random.bool() {
            KINDS[random.usize(..KINDS.len())]
        } else {
            kinds[random.usize(..kinds.len())]
        };
        Self::of(&name, kind, Transport::ALL[random.usize(..4)], random)
    }

    /// In any spelling.
    fn of(name: &Labels, kind: u16, transport: Transport, random: &mut Random) -> Self {
        let mut spelled = wire(name);
        // Letters alone: a length is none, as it is below 64.
        for byte in spelled.iter_mut().filter(|byte| byte.is_ascii_alphabetic()) {
            *byte ^= if random.u8(..4) == 0 { 0x20 } else { 0 };
        }
        Self { name: spelled, kind, transport, payload: random.bool().then(|| random.u16(..1500)) }
    }

    fn message(&self, id: u16) -> Vec<u8> {
        let mut message: Vec<u8> =
            [id, 0, 1, 0, 0, u16::from(self.payload.is_some())].iter().flat_map(|word| word.to_be_bytes()).collect();
        message.extend_from_slice(&self.name);
        message.extend([self.kind, 1].iter().flat_map(|word| word.to_be_bytes()));
        if let Some(payload) = self.payload {
            message.extend_from_slice(&[0, 0, 41]);
            message.extend_from_slice(&payload.to_be_bytes());
            message.extend_from_slice(&[0; 6]);
        }
        message
    }

    fn limit(&self) -> usize {
        match self.transport {
            Transport::Udp => usize::from(self.payload.unwrap_or(512).clamp(512, 1232)),
            _ => 65_535,
        }
    }
}

/// What is not as the oracle has it.
fn difference(asked: &Asked, answer: &Answer, oracle: &Oracle) -> Option<String> {
    let expected = oracle.answer(&labels(&asked.name), asked.kind);
    let lower = |lines: &[Line]| {
        let mut lines: Vec<_> = lines.iter().cloned().map(Line::in_lower_case).collect();
        lines.sort();
        lines
    };
    let [records, authority, additional] = answer.sections.each_ref().map(|lines| lower(lines));
    let is_authoritative = answer.flags & 0x0400 != 0;
    // What was cut does not have to know where it would have ended.
    if answer.flags & 0x0200 != 0 {
        let is_empty = answer.sections.iter().all(Vec::is_empty);
        return (asked.transport != Transport::Udp || !is_empty).then(|| "truncated".into());
    }
    if (answer.rcode, is_authoritative) != (expected.rcode, expected.is_authoritative) {
        return Some(format!("rcode {}, authority {is_authoritative}", answer.rcode));
    }
    if records != expected.answer {
        return Some("the answers differ".into());
    }
    if authority != expected.authority {
        return Some("the authorities differ".into());
    }
    let mut left = additional;
    for needed in &expected.needed {
        match left.iter().position(|one| one == needed) {
            Some(at) => _ = left.remove(at),
            None => return Some(format!("needed: {needed}")),
        }
    }
    left.retain(|one| !expected.allowed.contains(one));
    left.first().map(|one| format!("nobody needs {one}"))
}

#[test]
fn what_is_answered_is_what_a_plain_server_answers() {
    let config = everything();
    let oracle = Oracle::new(&config, SERIAL);
    let mut stage = Stage::new(config).unwrap();
    let (names, mut random) = (oracle.names(), seeded(4711));
    let (mut truncated, mut seen) = (0, std::collections::BTreeMap::<u16, usize>::new());
    let from = IpAddr::from([127, 0, 0, 1]);
    for at in 0..QUESTIONS {
        let asked = Asked::draw(&names, &mut random);
        let id = random.u16(..);
        let bytes = stage.answer(&asked.message(id), from, asked.transport).expect("nobody is limited on loopback");
        let name = Name::from_octets(asked.name.clone()).unwrap();
        let about = || format!("question {at}: {name} {} by {:?}", Rtype::from_int(asked.kind), asked.transport);
        let answer = Answer::read(&bytes).unwrap_or_else(|why| panic!("{}: {why}\n{bytes:02x?}", about()));
        assert!(bytes.len() <= asked.limit(), "{}: {} bytes", about(), bytes.len());
        assert_eq!(
            (answer.id, answer.question.clone()),
            (id, Some((asked.name.clone(), asked.kind, 1))),
            "{}",
            about()
        );
        if let Some(why) = difference(&asked, &answer, &oracle) {
            let expected = oracle.answer(&labels(&asked.name), asked.kind);
            panic!("{}: {why}\n{answer}\nexpected: {expected:#?}", about());
        }
        truncated += usize::from(answer.flags & 0x0200 != 0);
        *seen.entry(answer.rcode).or_default() += 1;
    }
    // Every way to answer was gone often.
    assert!(truncated > 50, "{truncated} truncated");
    for (rcode, least) in [(0, 3000), (3, 1000), (5, 100), (6, 20)] {
        assert!(seen.get(&rcode).is_some_and(|count| *count > least), "{seen:?}");
    }
}

/// Sets with their data in lower case, sorted: names come out of the config so, and texts of these zones lose nothing by it.
fn in_lower_case(sets: &[RecordSet]) -> Vec<(DnsName, u16, u32, Vec<Vec<u8>>)> {
    let lower = |set: &RecordSet| set.data.iter().map(|data| data.to_ascii_lowercase()).collect::<Vec<_>>();
    let mut sets: Vec<_> = sets
        .iter()
        .map(|set| {
            let mut data = lower(set);
            data.sort();
            (set.owner.clone(), set.kind, set.ttl, data)
        })
        .collect();
    sets.sort_by(|one, other| (one.0.as_wire(), one.1).cmp(&(other.0.as_wire(), other.1)));
    sets
}

#[test]
fn zone_files_come_to_the_records_that_another_reader_finds() {
    let text = std::fs::read_to_string("tests/dns/configs/everything.toml").unwrap();
    let loaded = config::from_text("everything.toml", &text, &Identity::default());
    let config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)));
    for (zone, file) in config.zones.iter().zip(["second", "everything", "third"]) {
        let theirs = records(&format!("tests/dns/zones/{file}.zone"), &zone.name);
        assert_eq!(in_lower_case(&zone.records), in_lower_case(&theirs), "{file}");
    }
}

/// One of every type that a config can hold: its key, what is written, and the same as a zone file has it.
const TYPES: [(&str, &str, &str); 21] = [
    ("A", r#"["192.0.2.7", "192.0.2.8"]"#, "A 192.0.2.7\nA 192.0.2.8"),
    ("AAAA", r#"["2001:db8::7"]"#, "AAAA 2001:db8::7"),
    ("CNAME", r#""www.elsewhere.example""#, "CNAME www.elsewhere.example."),
    ("MX", r#"["10 mail.elsewhere.example", "20 ."]"#, "MX 10 mail.elsewhere.example.\nMX 20 ."),
    ("TXT", r#"["one", ["two", "three \"3\" ;"], ""]"#, r#"TXT "one"|TXT "two" "three \"3\" ;"|TXT """#),
    ("SRV", r#"["1 2 443 a.elsewhere.example"]"#, "SRV 1 2 443 a.elsewhere.example."),
    ("CAA", r#"["128 issue \"ca.example; a=b\""]"#, r#"CAA 128 issue "ca.example; a=b""#),
    ("PTR", r#"["host.elsewhere.example"]"#, "PTR host.elsewhere.example."),
    ("NS", r#"["ns.elsewhere.example"]"#, "NS ns.elsewhere.example."),
    ("DNAME", r#""elsewhere.example""#, "DNAME elsewhere.example."),
    (
        "HTTPS",
        r#"["1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1"]"#,
        "HTTPS 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1",
    ),
    ("SVCB", r#"["0 svc.elsewhere.example"]"#, "SVCB 0 svc.elsewhere.example."),
    (
        "TLSA",
        r#"["3 1 1 00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff"]"#,
        "TLSA 3 1 1 00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff",
    ),
    (
        "SSHFP",
        r#"["4 2 00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff"]"#,
        "SSHFP 4 2 00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff",
    ),
    (
        "NAPTR",
        r#"["100 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.elsewhere.example"]"#,
        r#"NAPTR 100 10 "s" "SIP+D2U" "" _sip._udp.elsewhere.example."#,
    ),
    ("other", r#"["HINFO \"a\" \"b\""]"#, r#"HINFO "a" "b""#),
    ("other", r#"["OPENPGPKEY mQENBFVHHksBCADd"]"#, "OPENPGPKEY mQENBFVHHksBCADd"),
    ("other", r#"["DNSKEY 257 3 13 mQENBFVHHksBCADd"]"#, "DNSKEY 257 3 13 mQENBFVHHksBCADd"),
    ("other", r#"["TYPE65400 \\# 4 0A000001"]"#, r"TYPE65400 \# 4 0A000001"),
    ("other", r#"["TYPE1 \\# 4 0A000001"]"#, "A 10.0.0.1"),
    (
        "other",
        r#"["TYPE29 \\# 16 00123456700000000000000000000000"]"#,
        r"TYPE29 \# 16 00123456700000000000000000000000",
    ),
];

#[test]
fn every_type_of_a_config_is_answered_with_the_bytes_that_another_composes() {
    let from = IpAddr::from([127, 0, 0, 1]);
    for (key, written, zoned) in TYPES {
        let shared = std::fs::read_to_string("tests/dns/configs/one-region.toml").unwrap();
        let text = format!("{shared}\n[zones.\"shop.example\".records.one]\n{key} = {written}\n");
        let loaded = config::from_text("types.toml", &text, &Identity::default());
        let config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)));
        let mut stage = Stage::new(config).unwrap();
        let lines = zoned.replace('|', "\n").lines().map(|line| format!("one 60 IN {line}\n")).collect::<String>();
        let text = format!("$ORIGIN shop.example.\n{lines}");
        let mut theirs = Vec::new();
        let mut kind = 0;
        for entry in Zonefile::from(text.as_str()) {
            let Entry::Record(record) = entry.unwrap_or_else(|error| panic!("{text}: {error}")) else {
                panic!("{text}")
            };
            let mut data = Vec::new();
            record.data().compose_rdata(&mut data).unwrap();
            theirs.push(data);
            kind = record.rtype().to_int();
        }
        // What is delegated is told by the parent alone as a referral.
        let section = usize::from(kind == 2);
        let message =
            Asked { name: b"\x03one\x04shop\x07example\0".to_vec(), kind, transport: Transport::Tcp, payload: None };
        let bytes = stage.answer(&message.message(7), from, Transport::Tcp).unwrap();
        let answer = Answer::read(&bytes).unwrap_or_else(|why| panic!("{key}: {why}"));
        let mut ours: Vec<_> = answer.sections[section].iter().map(|line| line.wire.clone()).collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{key} = {written}");
    }
}
