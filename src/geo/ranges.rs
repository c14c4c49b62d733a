//! Who has what of all addresses: a value for each range of them, ranges side by side without a gap.
//!
//! This is the form in which places, overrides and measurements are brought together before anything is looked up: what two of them
//! say of each address is one walk over both. A value is a number that only its owner can read (a place, a choice, a view).
//!
//! Invariant: the first range begins at the first address, starts rise, neighbours differ.
//!
//! Not here: what is looked up at a query (`chart/index`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The value of what nobody spoke about.
pub(super) const NOTHING: u32 = u32::MAX;

/// An address as its family is looked up by: IPv4 whole, of IPv6 the upper half, since nobody is given less than a /64.
pub(super) trait Key: Copy + Ord + Into<u64> {
    /// Bits that count.
    const BITS: u8;
    /// The last address.
    const LAST: Self;

    /// From its number, of which the lowest [`Self::BITS`] count.
    fn at(number: u64) -> Self;

    /// The one after it; nothing after the last.
    fn next(self) -> Option<Self> {
        (self < Self::LAST).then(|| Self::at(self.into() + 1))
    }
}

impl Key for u32 {
    const BITS: u8 = 32;
    const LAST: Self = Self::MAX;

    #[allow(clippy::cast_possible_truncation, reason = "the lowest 32 bits are what is wanted")]
    fn at(number: u64) -> Self {
        number as Self
    }
}

impl Key for u64 {
    const BITS: u8 = 64;
    const LAST: Self = Self::MAX;

    fn at(number: u64) -> Self {
        number
    }
}

/// An address in the family that counts: IPv4 mapped into IPv6 is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyed {
    V4(u32),
    V6(u64),
}

impl Keyed {
    pub(super) fn new(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6(upper_half(address)),
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "64 bits are left")]
fn upper_half(address: Ipv6Addr) -> u64 {
    (address.to_bits() >> 64) as u64
}

/// A network: its first address and how many bits it shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Net<K> {
    pub(super) first: K,
    pub(super) bits: u8,
}

impl<K: Key> Net<K> {
    pub(super) fn last(self) -> K {
        let whole: u64 = K::LAST.into();
        // All ones where the prefix ends; a shift by the whole width is none.
        K::at(self.first.into() | whole.checked_shr(self.bits.into()).unwrap_or(0))
    }
}

/// A network of either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EitherNet {
    V4(Net<u32>),
    V6(Net<u64>),
}

impl EitherNet {
    /// Nothing where it is IPv6 and longer than /64. Networks of IPv4 mapped into IPv6 are IPv4.
    pub(super) fn new(net: IpNet) -> Option<Self> {
        let bits = net.prefix_len();
        match net.network() {
            IpAddr::V4(first) => Some(Self::V4(Net { first: first.to_bits(), bits })),
            IpAddr::V6(first) => match mapped(first, bits) {
                Some(net) => Some(Self::V4(net)),
                None => (bits <= <u64 as Key>::BITS).then(|| Self::V6(Net { first: upper_half(first), bits })),
            },
        }
    }
}

fn mapped(first: Ipv6Addr, bits: u8) -> Option<Net<u32>> {
    let first: Ipv4Addr = first.to_ipv4_mapped()?;
    Some(Net { first: first.to_bits(), bits: bits.checked_sub(96)? })
}

/// A value for each address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranges<K> {
    starts: Vec<K>,
    values: Vec<u32>,
}

impl<K: Key> Ranges<K> {
    /// The same everywhere.
    pub(super) fn whole(value: u32) -> Self {
        Self { starts: vec![K::at(0)], values: vec![value] }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(super) fn shrink(&mut self) {
        self.starts.shrink_to_fit();
        self.values.shrink_to_fit();
    }

    /// From `start` on; no earlier than what was set last, which ends there.
    pub(super) fn set(&mut self, start: K, value: u32) {
        if self.starts.last() == Some(&start) {
            self.starts.pop();
            self.values.pop();
        }
        if self.values.last() != Some(&value) {
            self.starts.push(start);
            self.values.push(value);
        }
    }

    /// Nested networks: of those that hold an address the longest counts, and of two that are the same the later.
    pub(super) fn of_networks(mut networks: Vec<(Net<K>, u32)>) -> Self {
        networks.sort_by_key(|(net, _)| *net);
        let mut this = Self::whole(NOTHING);
        let mut open: Vec<(K, u32)> = Vec::new();
        for (net, value) in networks {
            this.close(&mut open, Some(net.first));
            this.set(net.first, value);
            open.push((net.last(), value));
        }
        this.close(&mut open, None);
        this.shrink();
        this
    }

    /// Ends what ends before `next`, the innermost first.
    fn close(&mut self, open: &mut Vec<(K, u32)>, next: Option<K>) {
        while let Some((last, _)) = open.last().copied()
            && next.is_none_or(|next| last < next)
        {
            open.pop();
            if let Some(after) = last.next() {
                self.set(after, open.last().map_or(NOTHING, |(_, outer)| *outer));
            }
        }
    }

    /// What was set last begins there.
    pub(super) fn last_start(&self) -> K {
        self.starts.last().copied().unwrap_or(K::at(0))
    }

    pub(super) fn find(&self, key: K) -> u32 {
        // The first start is the first address, so one is always at or before the key.
        let after = self.starts.partition_point(|start| *start <= key);
        self.values[after - 1]
    }

    /// First, last and value of each range.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, K, u32)> + '_ {
        let lasts = self.starts[1..].iter().map(|next| K::at((*next).into() - 1)).chain([K::LAST]);
        self.starts.iter().copied().zip(lasts).zip(&self.values).map(|((first, last), value)| (first, last, *value))
    }

    pub(super) fn starts(&self) -> &[K] {
        &self.starts
    }

    pub(super) fn values(&self) -> &[u32] {
        &self.values
    }

    /// Other values in their stead; what becomes the same becomes one range.
    pub(super) fn map(&self, mut into: impl FnMut(u32) -> u32) -> Self {
        let mut this = Self { starts: Vec::with_capacity(self.len()), values: Vec::with_capacity(self.len()) };
        for (start, value) in self.starts.iter().zip(&self.values) {
            this.set(*start, into(*value));
        }
        this.shrink();
        this
    }

    /// Other values in their stead, of which no two are the same where they were not.
    pub(super) fn renumber(&mut self, mut into: impl FnMut(u32) -> u32) {
        for value in &mut self.values {
            *value = into(*value);
        }
    }

    /// What two say of each address, made one.
    pub(super) fn zip(&self, other: &Self, mut into: impl FnMut(u32, u32) -> u32) -> Self {
        let room = self.len() + other.len();
        let mut this = Self { starts: Vec::with_capacity(room), values: Vec::with_capacity(room) };
        let (mut mine, mut theirs, mut start) = (0, 0, K::at(0));
        loop {
            this.set(start, into(self.values[mine], other.values[theirs]));
            let next = (self.starts.get(mine + 1), other.starts.get(theirs + 1));
            start = match next {
                (Some(one), Some(two)) => *one.min(two),
                (Some(one), None) | (None, Some(one)) => *one,
                (None, None) => break,
            };
            mine += usize::from(next.0 == Some(&start));
            theirs += usize::from(next.1 == Some(&start));
        }
        this.shrink();
        this
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(text: &str) -> EitherNet {
        EitherNet::new(text.parse().unwrap()).unwrap()
    }

    /// Networks in the first 256 addresses, so that they meet.
    fn networks() -> impl Strategy<Value = Vec<(Net<u32>, u32)>> {
        let one = (0..256_u32, 22..=32_u8, 0..5_u32).prop_map(|(address, bits, value)| {
            (Net { first: u32::try_from(u64::from(address) >> (32 - bits) << (32 - bits)).unwrap(), bits }, value)
        });
        proptest::collection::vec(one, 0..20)
    }

    fn is_sound(ranges: &Ranges<u32>) -> bool {
        ranges.starts[0] == 0
            && ranges.starts.is_sorted_by(|one, two| one < two)
            && ranges.values.windows(2).all(|pair| pair[0] != pair[1])
    }

    proptest! {
        #[test]
        fn the_longest_network_that_holds_an_address_counts(networks in networks()) {
            let ranges = Ranges::of_networks(networks.clone());
            prop_assert!(is_sound(&ranges), "{ranges:?}");
            for address in 0..1100_u32 {
                let holding = networks.iter().filter(|(net, _)| (net.first..=net.last()).contains(&address));
                let longest = holding.max_by_key(|(net, _)| net.bits).map_or(NOTHING, |(_, value)| *value);
                prop_assert_eq!(ranges.find(address), longest, "{}", address);
            }
        }

        #[test]
        fn two_made_one_say_what_both_say(one in networks(), two in networks()) {
            let (one, two) = (Ranges::of_networks(one), Ranges::of_networks(two));
            let both = one.zip(&two, |mine, theirs| mine.wrapping_mul(10).wrapping_add(theirs) % 7);
            prop_assert!(is_sound(&both), "{both:?}");
            for address in 0..1100_u32 {
                let (mine, theirs) = (one.find(address), two.find(address));
                prop_assert_eq!(both.find(address), mine.wrapping_mul(10).wrapping_add(theirs) % 7);
            }
            let mapped = one.map(|value| value % 2);
            prop_assert!(is_sound(&mapped));
            prop_assert_eq!(mapped, one.zip(&two, |mine, _| mine % 2));
        }
    }

    #[test]
    fn the_whole_and_a_single_address_are_networks() {
        let all = Net { first: 0_u32, bits: 0 };
        let one = Net { first: u32::MAX, bits: 32 };
        assert_eq!((all.last(), one.last()), (u32::MAX, u32::MAX));
        let ranges = Ranges::of_networks(vec![(all, 1), (one, 2)]);
        assert_eq!((ranges.find(0), ranges.find(u32::MAX - 1), ranges.find(u32::MAX)), (1, 1, 2));
        let all = Net { first: 0_u64, bits: 0 };
        assert_eq!(Ranges::of_networks(vec![(all, 1)]), Ranges::whole(1));
    }

    #[test]
    fn mapped_addresses_and_networks_are_ipv4() {
        assert_eq!(Keyed::new("::ffff:1.2.3.4".parse().unwrap()), Keyed::V4(0x0102_0304));
        assert_eq!(Keyed::new("2001:db8::1".parse().unwrap()), Keyed::V6(0x2001_0db8 << 32));
        assert_eq!(net("::ffff:10.0.0.0/104"), net("10.0.0.0/8"));
        assert_eq!(net("2001:db8::/32"), EitherNet::V6(Net { first: 0x2001_0db8 << 32, bits: 32 }));
        assert_eq!(net("::/0"), EitherNet::V6(Net { first: 0, bits: 0 }));
        assert_eq!(EitherNet::new("2001:db8::/65".parse().unwrap()), None);
    }
}
