//! What is looked up at a query: the view of an address, and how far around it the same view holds.
//!
//! Ranges are cut into slots of addresses that share their first bits. Most slots lie inside one range and are settled by their word
//! alone, scope included; the others have a short sorted list, and a scope that is longer than the slot's prefix, so that nothing
//! outside the list matters for it. An entry is an offset and a view in one word, so a list is one or two cache lines.
//!
//! A lookup is two loads for IPv4 (one where the slot is settled), three for IPv6, and a binary search in between; it allocates
//! nothing. Memory: 256 KiB and 4 bytes for each range of IPv4, 32 KiB and 16 bytes at most for each of IPv6.
//!
//! Not here: where ranges come from (`ranges`), and what a view says (`chart`).

mod lists;
mod v4;
mod v6;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use super::ranges::{Keyed, Ranges};

/// More than this in one family are not indexed: positions have 31 bits.
pub(super) const MAX_RANGES: usize = 1 << 28;

/// What is known of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The number of its view.
    pub(super) view: u16,
    /// The shortest prefix of it that has the same view throughout.
    pub(super) scope: u8,
}

/// Both families.
#[derive(Debug)]
pub(super) struct Index {
    v4: v4::Index,
    v6: v6::Index,
}

impl Index {
    /// Values have to be numbers of views, and ranges no more than [`MAX_RANGES`].
    pub(super) fn new(v4: &Ranges<u32>, v6: &Ranges<u64>) -> Self {
        Self { v4: v4::Index::new(v4), v6: v6::Index::new(v6) }
    }

    /// IPv4 mapped into IPv6 is looked up as IPv4; its scope counts in bits of the address as it was given.
    #[inline]
    pub(super) fn find(&self, address: IpAddr) -> Found {
        match Keyed::new(address) {
            Keyed::V4(key) => {
                let found = self.v4.find(key);
                let mapped = if address.is_ipv6() { 96 } else { 0 };
                Found { scope: found.scope + mapped, ..found }
            }
            Keyed::V6(key) => self.v6.find(key),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.v4.bytes() + self.v6.bytes()
    }
}
