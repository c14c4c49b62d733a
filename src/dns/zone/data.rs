//! The SOA's data in wire form, names uncompressed.

use crate::{config::Soa, fleet::DnsName};

/// The zone's authority (RFC 1035 §3.3.13). Refresh, retry and expire are for secondaries.
pub(super) fn soa(primary: &DnsName, soa: &Soa, serial: u32) -> Vec<u8> {
    let numbers = [serial, soa.refresh, soa.retry, soa.expire, soa.negative_ttl].map(u32::to_be_bytes);
    [primary.as_wire(), soa.contact.as_wire(), numbers.as_flattened()].concat()
}
