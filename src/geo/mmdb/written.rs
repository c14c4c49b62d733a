//! A writer of MMDB files, for tests and benches: a search tree, records, metadata.
//!
//! Written to the format's description, version 2.0. Names nothing of the crate, so that a bench can include it.

use std::net::IpAddr;

/// A value in a record.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Text.
    Text(String),
    /// A double.
    Double(f64),
    /// An unsigned number of 32 bits.
    Number(u32),
    /// A list.
    List(Vec<Self>),
    /// Names and values.
    Map(Vec<(&'static str, Self)>),
}

/// A text.
pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A map.
pub(crate) fn map<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    Value::Map(fields.into())
}

/// The flat layout.
pub(crate) fn flat(country: &str) -> Value {
    map([("country_code", text(country))])
}

/// The layout of GeoIP2 Country.
pub(crate) fn country(continent: &str, country: &str) -> Value {
    map([("continent", map([("code", text(continent))])), ("country", map([("iso_code", text(country))]))])
}

/// The layout of GeoIP2 City, with names that nobody asks for.
pub(crate) fn city(continent: &str, country: &str, part: &str, latitude: f64, longitude: f64) -> Value {
    map([
        ("city", map([("geoname_id", Value::Number(1)), ("names", map([("en", text("Somewhere"))]))])),
        ("continent", map([("code", text(continent)), ("geoname_id", Value::Number(2))])),
        ("country", map([("iso_code", text(country)), ("names", map([("en", text("Land"))]))])),
        ("location", map([("latitude", Value::Double(latitude)), ("longitude", Value::Double(longitude))])),
        ("subdivisions", Value::List(vec![map([("iso_code", text(part))]), map([("iso_code", text("ZZZ"))])])),
    ])
}

/// A database that is being written. Networks may nest: what is longer has to come later.
#[derive(Debug)]
pub(crate) struct Writer {
    kind: &'static str,
    is_v6: bool,
    record_bits: u8,
    built: u32,
    /// Two children each: a node, nothing, or a record by its number.
    nodes: Vec<[Child; 2]>,
    records: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Child {
    Nothing,
    Node(usize),
    Record(usize),
}

impl Writer {
    /// Both families, records of 28 bits, built on 2026-06-17.
    pub(crate) fn new(kind: &'static str) -> Self {
        let (nodes, records) = (vec![[Child::Nothing; 2]], Vec::new());
        Self { kind, is_v6: true, record_bits: 28, built: 1_781_697_600, nodes, records }
    }

    /// IPv4 alone.
    pub(crate) fn only_v4(mut self) -> Self {
        self.is_v6 = false;
        self
    }

    /// 24, 28 or 32.
    pub(crate) fn record_bits(mut self, bits: u8) -> Self {
        self.record_bits = bits;
        self
    }

    /// A record that networks may share.
    pub(crate) fn record(&mut self, value: &Value) -> usize {
        let mut bytes = Vec::new();
        encode(value, &mut bytes);
        self.records.push(bytes);
        self.records.len() - 1
    }

    /// A network with a record of its own.
    pub(crate) fn with(mut self, network: &str, value: &Value) -> Self {
        let record = self.record(value);
        let (address, bits) = network.split_once('/').expect("a network");
        self.put(address.parse().expect("an address"), bits.parse().expect("a length"), record);
        self
    }

    /// A network with a record.
    pub(crate) fn put(&mut self, address: IpAddr, bits: u8, record: usize) {
        let (key, bits) = match address {
            IpAddr::V4(address) if self.is_v6 => (u128::from(address.to_bits()), bits + 96),
            IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, bits),
            IpAddr::V6(address) => (address.to_bits(), bits),
        };
        self.set(key, bits, Child::Record(record));
    }

    /// Leads `::ffff:0:0/96` to where IPv4 is, as vendors' databases do.
    pub(crate) fn alias_mapped(mut self) -> Self {
        let mut at = 0;
        for _ in 0..96 {
            let Child::Node(next) = self.nodes[at][0] else { return self };
            at = next;
        }
        self.set(0xffff_u128 << 32, 96, Child::Node(at));
        self
    }

    fn set(&mut self, key: u128, bits: u8, child: Child) {
        let mut at = 0;
        for depth in 0..bits {
            let side = usize::from(key >> (127 - depth) & 1 == 1);
            if depth + 1 == bits {
                self.nodes[at][side] = child;
                return;
            }
            at = match self.nodes[at][side] {
                Child::Node(next) => next,
                // What was one leaf becomes two.
                leaf => {
                    self.nodes.push([leaf; 2]);
                    let next = self.nodes.len() - 1;
                    self.nodes[at][side] = Child::Node(next);
                    next
                }
            };
        }
    }

    /// The file.
    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut at = 0;
        let mut offsets = Vec::new();
        for record in &self.records {
            offsets.push(at);
            at += record.len();
        }
        let number = |child: Child| match child {
            Child::Nothing => self.nodes.len(),
            Child::Node(node) => node,
            Child::Record(record) => self.nodes.len() + 16 + offsets[record],
        };
        let mut file = Vec::new();
        for [left, right] in &self.nodes {
            self.node(number(*left), number(*right), &mut file);
        }
        file.extend([0; 16]);
        file.extend(self.records.iter().flatten());
        file.extend(b"\xab\xcd\xefMaxMind.com");
        self.metadata(&mut file);
        file
    }

    fn node(&self, left: usize, right: usize, file: &mut Vec<u8>) {
        let (left, right) =
            (u32::try_from(left).expect("small").to_be_bytes(), u32::try_from(right).expect("small").to_be_bytes());
        match self.record_bits {
            24 => file.extend(left[1..].iter().chain(&right[1..])),
            28 => {
                file.extend(&left[1..]);
                file.push(left[0] << 4 | right[0]);
                file.extend(&right[1..]);
            }
            _ => file.extend(left.iter().chain(&right)),
        }
    }

    fn metadata(&self, file: &mut Vec<u8>) {
        let short = |number: u16| Raw(5, number.to_be_bytes().to_vec());
        let fields = [
            ("binary_format_major_version", short(2)),
            ("binary_format_minor_version", short(0)),
            ("build_epoch", Raw(9, u64::from(self.built).to_be_bytes().to_vec())),
            ("database_type", Raw(2, self.kind.into())),
            ("description", Raw(7, Vec::new())),
            ("ip_version", short(if self.is_v6 { 6 } else { 4 })),
            ("languages", Raw(11, Vec::new())),
            ("node_count", Raw(6, u32::try_from(self.nodes.len()).expect("small").to_be_bytes().to_vec())),
            ("record_size", short(self.record_bits.into())),
        ];
        control(7, fields.len(), file);
        for (name, Raw(kind, bytes)) in fields {
            encode(&text(name), file);
            control(kind, bytes.len(), file);
            file.extend(bytes);
        }
    }
}

struct Raw(u8, Vec<u8>);

fn encode(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Text(text) => {
            control(2, text.len(), into);
            into.extend(text.as_bytes());
        }
        Value::Double(number) => {
            control(3, 8, into);
            into.extend(number.to_be_bytes());
        }
        Value::Number(number) => {
            control(6, 4, into);
            into.extend(number.to_be_bytes());
        }
        Value::List(values) => {
            control(11, values.len(), into);
            for value in values {
                encode(value, into);
            }
        }
        Value::Map(fields) => {
            control(7, fields.len(), into);
            for (name, value) in fields {
                encode(&text(name), into);
                encode(value, into);
            }
        }
    }
}

/// The type and the size of what follows; sizes to 284 are all that is needed.
fn control(kind: u8, size: usize, into: &mut Vec<u8>) {
    let (short, further) = if size < 29 { (size, None) } else { (29, Some(size - 29)) };
    let short = u8::try_from(short).expect("below 30");
    if kind < 8 {
        into.push(kind << 5 | short);
    } else {
        into.extend([short, kind - 7]);
    }
    into.extend(further.map(|further| u8::try_from(further).expect("below 285")));
}
