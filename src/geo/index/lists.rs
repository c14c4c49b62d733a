//! Slots: one word for all addresses between two bounds, and the list that it may lead to.

use super::Found;
use crate::geo::ranges::{Key, Ranges};

/// In a slot's word: there is one view and one scope, below it. Without it the word is where the slot's list begins.
const SETTLED: u32 = 1 << 31;

/// An offset into a slot, and the view that begins there.
pub(super) trait Entry: Copy {
    fn new(offset: u64, view: u16) -> Self;
    fn offset(self) -> u64;
    fn view(self) -> u16;
}

#[allow(clippy::cast_possible_truncation, reason = "an offset is 16 bits here, 48 below, and a view the lowest 16")]
impl Entry for u32 {
    fn new(offset: u64, view: u16) -> Self {
        (offset as Self) << 16 | Self::from(view)
    }

    fn offset(self) -> u64 {
        u64::from(self >> 16)
    }

    fn view(self) -> u16 {
        self as u16
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a view is the lowest 16 bits")]
impl Entry for u64 {
    fn new(offset: u64, view: u16) -> Self {
        offset << 16 | Self::from(view)
    }

    fn offset(self) -> u64 {
        self >> 16
    }

    fn view(self) -> u16 {
        self as u16
    }
}

/// The lists of all slots of one family. The first entry of each holds the view where the slot begins, and instead of an offset, which
/// would be 0, how many follow.
#[derive(Debug)]
pub(super) struct Lists<E> {
    entries: Vec<E>,
}

/// Goes over ranges once, in order.
pub(super) struct Cursor<'a, K> {
    ranges: &'a Ranges<K>,
    at: usize,
}

impl<'a, K: Key> Cursor<'a, K> {
    pub(super) fn new(ranges: &'a Ranges<K>) -> Self {
        Self { ranges, at: 0 }
    }

    /// Goes on to the range that holds `first`.
    pub(super) fn go_to(&mut self, first: K) {
        let starts = self.ranges.starts();
        while starts.get(self.at + 1).is_some_and(|next| *next <= first) {
            self.at += 1;
        }
    }

    /// How many ranges begin after the one at the cursor, up to `last`.
    pub(super) fn beginning_until(&self, last: K) -> usize {
        self.ranges.starts()[self.at + 1..].iter().take_while(|start| **start <= last).count()
    }
}

impl<E: Entry> Lists<E> {
    pub(super) fn with_room_for(entries: usize) -> Self {
        Self { entries: Vec::with_capacity(entries) }
    }

    /// The word for `first` to `last`. Slots are asked for in order.
    #[allow(clippy::cast_possible_truncation, reason = "`MAX_RANGES` keeps positions within 31 bits")]
    pub(super) fn slot<K: Key>(&mut self, cursor: &mut Cursor<'_, K>, first: K, last: K) -> u32 {
        cursor.go_to(first);
        let (at, inner) = (cursor.at, cursor.beginning_until(last));
        let (starts, values) = (cursor.ranges.starts(), cursor.ranges.values());
        if inner == 0 {
            let scope = scope_within::<K>(first, starts[at], starts.get(at + 1).copied());
            return SETTLED | u32::from(scope) << 16 | u32::from(values[at] as u16);
        }
        let word = self.entries.len() as u32;
        self.entries.push(E::new(inner as u64, values[at] as u16));
        for at in at + 1..=at + inner {
            self.entries.push(E::new(starts[at].into() - first.into(), values[at] as u16));
        }
        word
    }

    pub(super) fn finish(&mut self) {
        self.entries.shrink_to_fit();
    }

    /// What a slot's word says of the address at `offset` in it.
    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the parts of a word, and the length of a list that is in memory"
    )]
    pub(super) fn find<K: Key>(&self, word: u32, offset: u64) -> Found {
        if word & SETTLED != 0 {
            return Found { view: word as u16, scope: (word >> 16) as u8 & 0x7f };
        }
        let list = &self.entries[word as usize..];
        let list = &list[..=list[0].offset() as usize];
        // The first entry is for offset 0, whatever it holds instead.
        let at = list[1..].partition_point(|entry| entry.offset() <= offset);
        let before = (at > 0).then(|| list[at].offset() - 1);
        let after = list.get(at + 1).map(|next| next.offset());
        Found { view: list[at].view(), scope: scope::<K>(offset, before, after) }
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.len() * size_of::<E>()
    }
}

/// The shortest prefix of `key` that holds neither of two other addresses, or parts of addresses that begin alike.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "at most 64")]
fn scope<K: Key>(key: u64, before: Option<u64>, after: Option<u64>) -> u8 {
    let unused = u64::BITS as u8 - K::BITS;
    let shared = |other: u64| (key ^ other).leading_zeros() as u8 - unused;
    let reach = |other: Option<u64>| other.map_or(0, |other| 1 + shared(other));
    reach(before).max(reach(after))
}

/// The same for an address of the range from `start` to before `next`.
pub(super) fn scope_within<K: Key>(key: K, start: K, next: Option<K>) -> u8 {
    scope::<K>(key.into(), start.into().checked_sub(1), next.map(Into::into))
}
