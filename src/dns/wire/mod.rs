//! Messages as bytes: a query read in place, an answer written into a buffer that is used again.

mod answer;
mod opt;
mod query;

pub(super) use answer::{Answer, RECORD_HEAD, Records, Section, bare, record};
pub(super) use opt::{Explanation, Opt};
pub(super) use query::{CLIENT_COOKIE, Cookie, Malformed, Query, Subnet};
pub use rcode::Rcode;

mod rcode;

/// The types that this server treats in a way of their own.
pub(super) mod kind {
    pub(in crate::dns) const A: u16 = 1;
    pub(in crate::dns) const NS: u16 = 2;
    pub(in crate::dns) const CNAME: u16 = 5;
    pub(in crate::dns) const SOA: u16 = 6;
    pub(in crate::dns) const MX: u16 = 15;
    pub(in crate::dns) const TXT: u16 = 16;
    pub(in crate::dns) const AAAA: u16 = 28;
    pub(in crate::dns) const SRV: u16 = 33;
    pub(in crate::dns) const DNAME: u16 = 39;
    pub(in crate::dns) const OPT: u16 = 41;
    pub(in crate::dns) const DS: u16 = 43;
    pub(in crate::dns) const HTTPS: u16 = 65;
    pub(in crate::dns) const TKEY: u16 = 249;
    pub(in crate::dns) const TSIG: u16 = 250;
    pub(in crate::dns) const IXFR: u16 = 251;
    pub(in crate::dns) const AXFR: u16 = 252;
    pub(in crate::dns) const ANY: u16 = 255;
    pub(in crate::dns) const CAA: u16 = 257;
}

/// The options of OPT that this server speaks.
pub(super) mod option {
    pub(in crate::dns) const NSID: u16 = 3;
    pub(in crate::dns) const SUBNET: u16 = 8;
    pub(in crate::dns) const COOKIE: u16 = 10;
    pub(in crate::dns) const KEEPALIVE: u16 = 11;
    pub(in crate::dns) const PADDING: u16 = 12;
    pub(in crate::dns) const EXPLANATION: u16 = 15;
}

/// The internet.
pub(super) const CLASS_IN: u16 = 1;
/// What servers say about themselves.
pub(super) const CLASS_CHAOS: u16 = 3;
/// Header length.
pub(super) const HEADER: usize = 12;
