//! Slots: one word for all addresses that begin alike, and the list or the further slots that it may lead to.
//!
//! Which way an address goes cannot be foretold, so a list is searched without a branch: it is short, and everything in its reach is
//! compared at once.

use std::hint::select_unpredictable;

use super::Found;
use crate::geo::ranges::{Key, Ranges};

/// A word that has it is settled: the view in the lowest 16 bits, the scope above them.
const SETTLED: u32 = 1 << 31;
/// A word that has it leads to further slots: where they begin, in steps of [`ALIGN`], and by how many bits they are told apart.
const FURTHER: u32 = 1 << 30;
const FURTHER_BITS: u32 = 25;
const ALIGN: usize = 8;
/// Any other leads to a list: where it begins, and how many changes are in it.
const LIST_BITS: u32 = 26;
/// Bits by which further slots are told apart, at most.
const MAX_BITS: u32 = 16;

/// An offset into a slot, and the view that begins there. A list begins with offset 0.
pub(super) trait Entry: Copy + Default + Ord {
    /// Entries that are compared at once, the first of a list included: 32 bytes, of one cache line mostly.
    const LINE: usize;

    fn new(offset: u64, view: u16) -> Self;
    fn offset(self) -> u64;
    fn view(self) -> u16;
}

#[allow(clippy::cast_possible_truncation, reason = "an offset has 16 bits, and a view is the lowest 16")]
impl Entry for u32 {
    const LINE: usize = 8;

    fn new(offset: u64, view: u16) -> Self {
        (offset as Self) << 16 | Self::from(view)
    }

    #[inline]
    fn offset(self) -> u64 {
        u64::from(self >> 16)
    }

    #[inline]
    fn view(self) -> u16 {
        self as u16
    }
}

#[allow(clippy::cast_possible_truncation, reason = "an offset has 48 bits, and a view is the lowest 16")]
impl Entry for u64 {
    const LINE: usize = 4;

    fn new(offset: u64, view: u16) -> Self {
        offset << 16 | Self::from(view)
    }

    #[inline]
    fn offset(self) -> u64 {
        self >> 16
    }

    #[inline]
    fn view(self) -> u16 {
        self as u16
    }
}

/// All slots of one family below its root, and their lists.
#[derive(Debug)]
pub(super) struct Slots<E> {
    words: Vec<u32>,
    entries: Vec<E>,
}

/// Makes slots out of ranges, in order.
pub(super) struct Builder<'a, K, E> {
    ranges: &'a Ranges<K>,
    /// The range that holds where the next slot begins.
    at: usize,
    slots: Slots<E>,
}

impl<'a, K: Key, E: Entry> Builder<'a, K, E> {
    pub(super) fn new(ranges: &'a Ranges<K>) -> Self {
        Self { ranges, at: 0, slots: Slots { words: Vec::new(), entries: Vec::new() } }
    }

    /// The word for the addresses that begin as `first` does, all but the lowest `width` bits. They are asked for in order.
    pub(super) fn slot(&mut self, first: u64, width: u32) -> u32 {
        let (starts, values) = (self.ranges.starts(), self.ranges.values());
        while starts.get(self.at + 1).is_some_and(|next| (*next).into() <= first) {
            self.at += 1;
        }
        let (at, last) = (self.at, first | low_bits(width));
        let changes = starts[at + 1..].iter().take_while(|start| (**start).into() <= last).count();
        if changes == 0 {
            let scope = scope_within::<K>(first, starts[at].into(), starts.get(at + 1).map(|next| (*next).into()));
            return SETTLED | u32::from(scope) << 16 | u32::from(view(values[at]));
        }
        if changes >= E::LINE {
            return self.further(first, width, changes);
        }
        let word = word(self.slots.entries.len(), changes, LIST_BITS);
        self.slots.entries.push(E::new(0, view(values[at])));
        for at in at + 1..=at + changes {
            self.slots.entries.push(E::new(starts[at].into() - first, view(values[at])));
        }
        word
    }

    /// As many slots as leave one change or less to each, were they spread evenly: twice as many make a lookup a tenth faster, half as
    /// many a quarter slower.
    fn further(&mut self, first: u64, width: u32, changes: usize) -> u32 {
        let bits = changes.next_power_of_two().ilog2().clamp(1, width.min(MAX_BITS));
        let shift = width - bits;
        let begin = self.slots.words.len();
        self.slots.words.resize((begin + (1 << bits)).next_multiple_of(ALIGN), 0);
        for slot in 0..1_usize << bits {
            self.slots.words[begin + slot] = self.slot(first | (slot as u64) << shift, shift);
        }
        FURTHER | word(begin / ALIGN, bits as usize, FURTHER_BITS)
    }

    /// Nothing where there is more than words can lead to.
    pub(super) fn finish(self) -> Option<Slots<E>> {
        let Slots { mut words, mut entries } = self.slots;
        // The last list is compared by the line, too.
        entries.resize(entries.len() + E::LINE, E::default());
        words.shrink_to_fit();
        entries.shrink_to_fit();
        let fits = words.len() / ALIGN <= 1 << FURTHER_BITS && entries.len() <= 1 << LIST_BITS;
        fits.then_some(Slots { words, entries })
    }
}

impl<E: Entry> Slots<E> {
    /// What a word says of the address of which the lowest `width` bits are `low`.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "at most 16 bits are left")]
    pub(super) fn find<K: Key>(&self, mut word: u32, mut low: u64, mut width: u32) -> Found {
        loop {
            if word & SETTLED != 0 {
                return Found { view: lowest(word), scope: lowest(word >> 16).to_le_bytes()[0] & 0x7f };
            }
            if word & FURTHER == 0 {
                return self.find_in_list::<K>(word, low);
            }
            let (begin, bits) = (word & ((1 << FURTHER_BITS) - 1), (word & !FURTHER) >> FURTHER_BITS);
            width -= bits;
            word = self.words[begin as usize * ALIGN + (low >> width) as usize];
            low &= low_bits(width);
        }
    }

    #[inline]
    fn find_in_list<K: Key>(&self, word: u32, low: u64) -> Found {
        let (begin, changes) = ((word & ((1 << LIST_BITS) - 1)) as usize, (word >> LIST_BITS) as usize);
        let line = &self.entries[begin..begin + E::LINE];
        // What lies behind the list is compared, and not counted.
        let until = E::new(low, u16::MAX);
        let is_before = |at: usize| at <= changes && line[at] <= until;
        let at: usize = (1..E::LINE).map(|at| usize::from(is_before(at))).sum();
        let here = line[at];
        let before = reach::<K>(low, here.offset().wrapping_sub(1));
        let after = reach::<K>(low, line[(at + 1) % E::LINE].offset());
        let before = select_unpredictable(at > 0, before, 0);
        let after = select_unpredictable(at < changes, after, 0);
        Found { view: here.view(), scope: before.max(after) }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.words) + size_of_val(&*self.entries)
    }
}

/// Bits of the shortest prefix that tells two addresses apart, by what is left of them where they begin alike. Of the same address
/// twice, and of one that is none, it is a number that means nothing.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "at most 64")]
fn reach<K: Key>(one: u64, other: u64) -> u8 {
    ((1 + (one ^ other).leading_zeros()) as u8).wrapping_sub(u64::BITS as u8 - K::BITS)
}

/// The shortest prefix of an address of the range from `start` to before `next` that lies within it.
pub(super) fn scope_within<K: Key>(key: u64, start: u64, next: Option<u64>) -> u8 {
    let before = start.checked_sub(1).map_or(0, |before| reach::<K>(key, before));
    before.max(next.map_or(0, |next| reach::<K>(key, next)))
}

#[inline]
pub(super) const fn low_bits(bits: u32) -> u64 {
    (1 << bits) - 1
}

#[allow(clippy::cast_possible_truncation, reason = "the lowest 16 bits are asked for")]
#[inline]
fn lowest(word: u32) -> u16 {
    word as u16
}

/// Values are numbers of views.
pub(super) fn view(value: u32) -> u16 {
    lowest(value)
}

/// Where something begins, and a number beside it. What does not fit is found out at the end.
#[allow(clippy::cast_possible_truncation, reason = "checked when all is built")]
fn word(begin: usize, number: usize, bits: u32) -> u32 {
    (begin as u32 & ((1 << bits) - 1)) | (number as u32) << bits
}
