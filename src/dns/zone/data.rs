//! Record data in wire form, names uncompressed.

use crate::{config::RecordData, dns::wire::kind, fleet::DnsName};

/// The type and the data of a record.
pub(super) fn encode(data: &RecordData) -> (u16, Vec<u8>) {
    match data {
        RecordData::A(address) => (kind::A, address.octets().to_vec()),
        RecordData::Aaaa(address) => (kind::AAAA, address.octets().to_vec()),
        RecordData::Cname(name) => (kind::CNAME, name.as_wire().to_vec()),
        RecordData::Ns(name) => (kind::NS, name.as_wire().to_vec()),
        RecordData::Txt(texts) => (kind::TXT, texts.iter().flat_map(|text| character_string(text)).collect()),
        RecordData::Mx { preference, exchange } => (kind::MX, [&preference.to_be_bytes(), exchange.as_wire()].concat()),
        RecordData::Srv { priority, weight, port, target } => {
            let numbers = [*priority, *weight, *port].map(u16::to_be_bytes);
            (kind::SRV, [numbers.as_flattened(), target.as_wire()].concat())
        }
        RecordData::Caa { flags, tag, value } => {
            (kind::CAA, [&[*flags], &character_string(tag.as_bytes())[..], value].concat())
        }
    }
}

/// The zone's authority (RFC 1035 §3.3.13). Refresh, retry and expire are for secondaries.
pub(super) fn soa(primary: &DnsName, contact: &DnsName, serial: u32, negative_ttl: u32) -> Vec<u8> {
    const REFRESH: u32 = 3600;
    const RETRY: u32 = 600;
    const EXPIRE: u32 = 604_800;
    let numbers = [serial, REFRESH, RETRY, EXPIRE, negative_ttl].map(u32::to_be_bytes);
    [primary.as_wire(), contact.as_wire(), numbers.as_flattened()].concat()
}

/// A length and as many bytes. The config allows no longer ones.
fn character_string(text: &[u8]) -> Vec<u8> {
    let text = &text[..text.len().min(255)];
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    [&[length], text].concat()
}
