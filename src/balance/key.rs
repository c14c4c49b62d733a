//! From what requests have in common to a number, the same on all nodes and in all versions.
//!
//! The function is a secret of nobody's: whoever chooses keys can choose where they go, and the bound is what keeps an origin from it.

use std::{hash::Hasher, net::IpAddr};

use siphasher::sip::SipHasher13;

/// Bits of an IPv6 address that make a client: the rest it draws anew as it likes (RFC 8981).
const CLIENT_BITS: usize = 64;

/// The key of a header, a cookie or a path.
pub fn key_of(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}

/// The key of a client.
pub fn key_of_address(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => key_of(&address.octets()),
        IpAddr::V6(address) => key_of(&address.octets()[..CLIENT_BITS / 8]),
    }
}

/// Another number, as unlike as any, for the same key (the finish of `SplitMix64`, after David Stafford).
pub(super) fn again(key: u64, time: u64) -> u64 {
    let mut mixed = key.wrapping_add(time.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A position below `length`, evenly from the upper bits.
#[allow(clippy::cast_possible_truncation, reason = "the product of a fraction and a length is below the length")]
pub(super) fn scaled(key: u64, length: usize) -> usize {
    ((u128::from(key) * length as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_everywhere_and_forever() {
        assert_eq!(key_of(b""), 0xd1fb_a762_150c_532c);
        let key = |address: &str| key_of_address(address.parse().unwrap());
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"));
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:2"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
    }

    #[test]
    fn keys_fall_evenly_and_never_outside() {
        let mut counts = [0_u32; 7];
        (0..70_000).for_each(|time| counts[scaled(again(1, time), 7)] += 1);
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        assert_eq!((scaled(u64::MAX, 7), scaled(0, 7)), (6, 0));
    }
}
