//! Messages as bytes: a query read in place, an answer written into a buffer that is used again.

mod answer;
mod query;

pub use answer::Rcode;
pub(super) use answer::{Answer, Edns, Section, bare, record};
pub(super) use query::{Malformed, Query};

/// The types that this server knows by name.
pub(super) mod kind {
    pub(in crate::dns) const A: u16 = 1;
    pub(in crate::dns) const NS: u16 = 2;
    pub(in crate::dns) const CNAME: u16 = 5;
    pub(in crate::dns) const SOA: u16 = 6;
    pub(in crate::dns) const MX: u16 = 15;
    pub(in crate::dns) const TXT: u16 = 16;
    pub(in crate::dns) const AAAA: u16 = 28;
    pub(in crate::dns) const SRV: u16 = 33;
    pub(in crate::dns) const OPT: u16 = 41;
    pub(in crate::dns) const IXFR: u16 = 251;
    pub(in crate::dns) const AXFR: u16 = 252;
    pub(in crate::dns) const ANY: u16 = 255;
    pub(in crate::dns) const CAA: u16 = 257;
}

/// The internet.
pub(super) const CLASS_IN: u16 = 1;
/// Header length.
pub(super) const HEADER: usize = 12;
