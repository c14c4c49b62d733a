//! Record data, read and in wire form.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::fleet::DnsName;

/// What one record says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RecordData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The name's canonical name.
    Cname(DnsName),
    /// Texts of at most 255 bytes each.
    Txt(Vec<Box<[u8]>>),
    /// A mail exchange.
    Mx {
        /// Lower is asked first.
        preference: u16,
        /// Who takes the mail.
        exchange: DnsName,
    },
    /// A service's location.
    Srv {
        /// Lower is asked first.
        priority: u16,
        /// Share among equals.
        weight: u16,
        /// Its port.
        port: u16,
        /// Its host.
        target: DnsName,
    },
    /// Who may issue certificates.
    Caa {
        /// 128 where the tag is critical.
        flags: u8,
        /// `issue`, `issuewild` or `iodef`, mostly.
        tag: Box<str>,
        /// The tag's value.
        value: Box<[u8]>,
    },
}

impl RecordData {
    /// Bytes of its data in a message, names written out.
    pub(crate) fn wire_length(&self) -> usize {
        match self {
            Self::A(_) => 4,
            Self::Aaaa(_) => 16,
            Self::Cname(name) => name.as_wire().len(),
            Self::Txt(texts) => texts.iter().map(|text| 1 + text.len()).sum(),
            Self::Mx { exchange, .. } => 2 + exchange.as_wire().len(),
            Self::Srv { target, .. } => 6 + target.as_wire().len(),
            Self::Caa { tag, value, .. } => 2 + tag.len() + value.len(),
        }
    }
}

/// The type and the data of a record.
pub(crate) fn encode(data: &RecordData) -> (u16, Vec<u8>) {
    match data {
        RecordData::A(address) => (1, address.octets().to_vec()),
        RecordData::Aaaa(address) => (28, address.octets().to_vec()),
        RecordData::Cname(name) => (5, name.as_wire().to_vec()),
        RecordData::Txt(texts) => (16, texts.iter().flat_map(|text| character_string(text)).collect()),
        RecordData::Mx { preference, exchange } => (15, [&preference.to_be_bytes(), exchange.as_wire()].concat()),
        RecordData::Srv { priority, weight, port, target } => {
            let numbers = [*priority, *weight, *port].map(u16::to_be_bytes);
            (33, [numbers.as_flattened(), target.as_wire()].concat())
        }
        RecordData::Caa { flags, tag, value } => {
            (257, [&[*flags], &character_string(tag.as_bytes())[..], value].concat())
        }
    }
}

/// A length and as many bytes. The config allows no longer ones.
fn character_string(text: &[u8]) -> Vec<u8> {
    let text = &text[..text.len().min(255)];
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    [&[length], text].concat()
}
