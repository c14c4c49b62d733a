//! IPv6, by the upper half of an address.
//!
//! All of the internet is in `2000::/3`, and most of that is empty: five registries give out of a /12 each, one after the other. So the
//! root is of the /16s there, and what is full below has slots of its own. What lies elsewhere (local addresses, translated ones) is
//! a handful of ranges.

use super::{
    Found,
    slots::{Builder, Slots, low_bits, scope_within, view},
};
use crate::geo::ranges::{Key, Ranges};

/// The /16s of `2000::/3`.
const PARTS: u64 = 1 << 13;
/// Bits of a key below its /16.
const BELOW: u32 = 48;

#[derive(Debug)]
pub(super) struct Index {
    /// By a key's upper 16 bits but three.
    root: Box<[u32]>,
    slots: Slots<u64>,
    /// What is not in `2000::/3`.
    elsewhere: Vec<Stretch>,
}

/// A range in full.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    first: u64,
    /// Where the next begins.
    next: Option<u64>,
    view: u16,
}

impl Index {
    pub(super) fn new(ranges: &Ranges<u64>) -> Option<Self> {
        let mut builder = Builder::new(ranges);
        let root = (0..PARTS).map(|part| builder.slot(1 << 61 | part << BELOW, BELOW)).collect();
        Some(Self { root, slots: builder.finish()?, elsewhere: elsewhere(ranges) })
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "13 bits")]
    pub(super) fn find(&self, key: u64) -> Found {
        if key >> 61 != 1 {
            return self.find_elsewhere(key);
        }
        let part = key >> BELOW & (PARTS - 1);
        self.slots.find::<u64>(self.root[part as usize], key & low_bits(BELOW), BELOW)
    }

    #[cold]
    fn find_elsewhere(&self, key: u64) -> Found {
        let after = self.elsewhere.partition_point(|stretch| stretch.first <= key);
        let Stretch { first, next, view } = self.elsewhere[after - 1];
        Found { view, scope: scope_within::<u64>(key, first, next) }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.root) + self.slots.bytes() + size_of_val(&*self.elsewhere)
    }
}

fn elsewhere(ranges: &Ranges<u64>) -> Vec<Stretch> {
    let is_elsewhere = |key: u64| key >> 61 != 1;
    let all = ranges.iter().filter(|(first, last, _)| is_elsewhere(*first) || is_elsewhere(*last));
    all.map(|(first, last, value)| Stretch { first, next: last.next(), view: view(value) }).collect()
}
