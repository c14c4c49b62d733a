//! The index against a look through all ranges, one after the other.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::geo::ranges::Key;

/// What a look through all ranges finds, and the shortest prefix within one of them by trying each.
fn by_trying<K: Key>(ranges: &Ranges<K>, key: K) -> Found {
    let key: u64 = key.into();
    let (first, last, value) = ranges
        .iter()
        .map(|(first, last, value)| (first.into(), last.into(), value))
        .find(|(first, last, _)| (*first..=*last).contains(&key))
        .unwrap();
    let lies_within = |bits: u8| {
        let free = u64::MAX.checked_shr(64 - u32::from(K::BITS - bits)).unwrap_or(0);
        key & !free >= first && key | free <= last
    };
    let scope = (0..=K::BITS).find(|bits| lies_within(*bits)).unwrap();
    Found { view: u16::try_from(value).unwrap(), scope }
}

fn index(v4: &Ranges<u32>, v6: &Ranges<u64>) -> Index {
    Index::new(v4, v6).unwrap()
}

fn ranges<K: Key>(changes: &[(u64, u16)]) -> Ranges<K> {
    let mut changes: Vec<(u64, u16)> = changes.to_vec();
    changes.sort_unstable();
    let mut ranges = Ranges::whole(0);
    for (start, view) in changes {
        ranges.set(K::at(start), view.into());
    }
    ranges
}

/// Keys that meet: anywhere, around the bounds of slots, and close together in a few of them.
fn key(bits: u32, slot: u32) -> impl Strategy<Value = u64> + Clone {
    let all = u64::MAX >> (64 - bits);
    let near_bound = (0..=all >> slot, -2_i64..=2).prop_map(move |(at, by)| (at << slot).wrapping_add_signed(by) & all);
    let close = (0..4_u64, 0..300_u64).prop_map(move |(at, by)| (at << slot | by) & all);
    prop_oneof![0..=all, near_bound, close, Just(0), Just(all)]
}

fn v6_key() -> impl Strategy<Value = u64> + Clone {
    let internet = key(61, 45).prop_map(|key| 1 << 61 | key);
    let one_part = key(48, 32).prop_map(|key| 0x2a00 << 48 | key);
    let bound = (-2_i64..=2, 1..=2_u32).prop_map(|(by, at)| (u64::from(at) << 61).wrapping_add_signed(by));
    prop_oneof![internet, one_part.clone(), one_part, bound, key(64, 48)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ipv4_finds_what_a_look_through_all_finds_with_the_same_scope(
        changes in proptest::collection::vec((key(32, 16), 0..9_u16), 0..400),
        keys in proptest::collection::vec(key(32, 16), 100),
    ) {
        let ranges = ranges::<u32>(&changes);
        let built = index(&ranges, &Ranges::whole(0));
        for key in keys.into_iter().chain(changes.iter().flat_map(|(start, _)| [*start, start.wrapping_sub(1)])) {
            let key = u32::at(key);
            prop_assert_eq!(built.find(Ipv4Addr::from_bits(key).into()), by_trying(&ranges, key), "{:#x}", key);
        }
    }

    #[test]
    fn ipv6_finds_what_a_look_through_all_finds_with_the_same_scope(
        changes in proptest::collection::vec((v6_key(), 0..9_u16), 0..400),
        keys in proptest::collection::vec(v6_key(), 100),
        below in any::<u64>(),
    ) {
        let ranges = ranges::<u64>(&changes);
        let built = index(&Ranges::whole(0), &ranges);
        for key in keys.into_iter().chain(changes.iter().flat_map(|(start, _)| [*start, start.wrapping_sub(1)])) {
            // The first of these is where IPv4 is mapped to.
            if key == 0 { continue }
            let address = Ipv6Addr::from_bits(u128::from(key) << 64 | u128::from(below));
            prop_assert_eq!(built.find(address.into()), by_trying(&ranges, key), "{:#x}", key);
        }
    }

    #[test]
    fn everything_within_the_scope_has_the_same_view(
        changes in proptest::collection::vec((v6_key(), 0..9_u16), 0..50),
        key in v6_key(),
        others in proptest::collection::vec(any::<u64>(), 100),
    ) {
        let ranges = ranges::<u64>(&changes);
        let built = index(&Ranges::whole(0), &ranges);
        let at = |key: u64| built.find(Ipv6Addr::from_bits(u128::from(key) << 64 | 1 << 63).into());
        let found = at(key);
        let free = u64::MAX.checked_shr(found.scope.into()).unwrap_or(0);
        for other in others.into_iter().chain([0, u64::MAX]) {
            prop_assert_eq!(at(key & !free | other & free).view, found.view);
        }
    }
}

#[test]
fn one_view_for_all_has_scope_0() {
    let built = index(&Ranges::whole(7), &Ranges::whole(8));
    assert_eq!(built.find("192.0.2.1".parse().unwrap()), Found { view: 7, scope: 0 });
    for address in ["2001:db8::1", "::", "fe80::1", "ffff::"] {
        assert_eq!(built.find(address.parse().unwrap()), Found { view: 8, scope: 0 }, "{address}");
    }
}

#[test]
fn mapped_addresses_are_ipv4_and_their_scope_counts_from_their_own_first_bit() {
    let v4 = ranges::<u32>(&[(0x0a00_0000, 1), (0x0b00_0000, 2)]);
    let built = index(&v4, &Ranges::whole(9));
    assert_eq!(built.find("10.1.1.1".parse().unwrap()), Found { view: 1, scope: 8 });
    assert_eq!(built.find("::ffff:10.1.1.1".parse().unwrap()), Found { view: 1, scope: 104 });
    assert_eq!(built.find("::10.1.1.1".parse().unwrap()).view, 9);
}

#[test]
fn a_slot_may_have_a_range_for_each_of_its_addresses() {
    let changes: Vec<(u64, u16)> =
        (0..1 << 16).map(|at| (0x0a01_0000 + at, u16::try_from(1 + at % 2).unwrap())).collect();
    let ranges = ranges::<u32>(&changes);
    assert!(ranges.len() > 1 << 16);
    let built = index(&ranges, &Ranges::whole(0));
    for key in [0x0a00_ffff, 0x0a01_0000, 0x0a01_0001, 0x0a01_fffe, 0x0a01_ffff, 0x0a02_0000, u32::MAX] {
        assert_eq!(built.find(Ipv4Addr::from_bits(key).into()), by_trying(&ranges, key), "{key:#x}");
    }
}
