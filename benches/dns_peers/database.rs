//! Writes places as a MaxMind database of the GeoIP2 Country layout, which all servers read.
//!
//! The format: a binary search tree over the bits of an IPv6 address, IPv4 below `::/96`; values that its leaves point to; and a map
//! of metadata behind a marker.

use crate::places::{Places, REGIONS, Way};

/// Nodes from the root of IPv6 to that of IPv4.
const NODES_ABOVE: u32 = 96;
/// Bytes between the tree and the values.
const GAP: u32 = 16;
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// The kinds of values that are needed.
enum Value<'a> {
    Text(&'a str),
    U16(u16),
    U32(u32),
    U64(u64),
    List(Vec<Self>),
    Map(Vec<(&'a str, Self)>),
}

/// The file's content.
pub(crate) fn encode(places: &Places) -> Vec<u8> {
    let nodes = NODES_ABOVE + places.nodes.len() as u32;
    let mut values = Vec::new();
    let offsets: Vec<Vec<u32>> = REGIONS
        .iter()
        .map(|region| {
            let countries = region.countries.iter().map(|(continent, code)| {
                let offset = values.len() as u32;
                country(continent, code).encode(&mut values);
                offset
            });
            countries.collect()
        })
        .collect();
    let mut file = Vec::with_capacity(nodes as usize * 8 + 4096);
    let mut node = |left: u32, right: u32| file.extend([left.to_be_bytes(), right.to_be_bytes()].concat());
    for above in 0..NODES_ABOVE {
        // The number of nodes means that there is nothing.
        node(above + 1, nodes);
    }
    let record = |way: Way| match way {
        Way::Node(at) => NODES_ABOVE + at,
        Way::Country(region, country) => nodes + GAP + offsets[region][country],
    };
    for [left, right] in &places.nodes {
        node(record(*left), record(*right));
    }
    file.extend([0; GAP as usize]);
    file.append(&mut values);
    file.extend(MARKER);
    metadata(nodes).encode(&mut file);
    file
}

fn country<'a>(continent: &'a str, code: &'a str) -> Value<'a> {
    let names = || ("names", Value::Map(vec![("en", Value::Text(code))]));
    let country = || Value::Map(vec![("iso_code", Value::Text(code)), names()]);
    Value::Map(vec![
        ("continent", Value::Map(vec![("code", Value::Text(continent))])),
        ("country", country()),
        ("registered_country", country()),
    ])
}

fn metadata(nodes: u32) -> Value<'static> {
    Value::Map(vec![
        ("binary_format_major_version", Value::U16(2)),
        ("binary_format_minor_version", Value::U16(0)),
        ("build_epoch", Value::U64(1_790_000_000)),
        ("database_type", Value::Text("GeoIP2-Country")),
        ("description", Value::Map(vec![("en", Value::Text("places of a bench"))])),
        ("ip_version", Value::U16(6)),
        ("languages", Value::List(vec![Value::Text("en")])),
        ("node_count", Value::U32(nodes)),
        ("record_size", Value::U16(32)),
    ])
}

impl Value<'_> {
    fn encode(&self, into: &mut Vec<u8>) {
        match self {
            Self::Text(text) => {
                control(2, text.len(), into);
                into.extend(text.as_bytes());
            }
            Self::U16(number) => number_of(5, &number.to_be_bytes(), into),
            Self::U32(number) => number_of(6, &number.to_be_bytes(), into),
            Self::U64(number) => number_of(9, &number.to_be_bytes(), into),
            Self::List(values) => {
                control(11, values.len(), into);
                for value in values {
                    value.encode(into);
                }
            }
            Self::Map(entries) => {
                control(7, entries.len(), into);
                for (key, value) in entries {
                    Value::Text(key).encode(into);
                    value.encode(into);
                }
            }
        }
    }
}

/// A number without the zeros in front.
fn number_of(kind: u8, bytes: &[u8], into: &mut Vec<u8>) {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    control(kind, bytes.len() - zeros, into);
    into.extend(&bytes[zeros..]);
}

/// What comes next, and how long it is. Kinds above 7 have a byte of their own; sizes of 29 and more, too.
fn control(kind: u8, size: usize, into: &mut Vec<u8>) {
    let (inline, extended) = if kind > 7 { (0, Some(kind - 7)) } else { (kind << 5, None) };
    into.push(inline | size.min(29) as u8);
    into.extend(extended);
    if let Some(more) = size.checked_sub(29) {
        into.push(u8::try_from(more).expect("nothing here is longer than 284"));
    }
}
