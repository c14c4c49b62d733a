//! IPv6, by the upper half of an address.
//!
//! All of the internet is in `2000::/3`, and most of that is empty: five registries give out of a /12 each, one after the other. So
//! each /16 of it has slots of its own, as many as suit what begins in it, down to one for each /32. What lies elsewhere (local
//! addresses, translated ones) is a handful of ranges.

use super::{
    Found,
    lists::{Cursor, Lists, scope_within},
};
use crate::geo::ranges::{Key, Ranges};

/// The /16s of `2000::/3`.
const PARTS: u64 = 1 << 13;
/// Bits of a key below its /16.
const BELOW: u32 = 48;
/// A part has no more slots than two to this.
const MAX_SLOT_BITS: u32 = 16;

#[derive(Debug)]
pub(super) struct Index {
    /// By a key's upper 16 bits but three: where the part's slots are.
    parts: Box<[u32]>,
    /// What the parts lead to.
    tables: Vec<Table>,
    /// Slots of all parts.
    slots: Vec<u32>,
    lists: Lists<u64>,
    /// What is not in `2000::/3`.
    elsewhere: Vec<Stretch>,
}

/// The slots of one part.
#[derive(Clone, Copy, Debug)]
struct Table {
    /// The first of them.
    first: u32,
    /// Bits of a key below a slot.
    shift: u32,
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
    pub(super) fn new(ranges: &Ranges<u64>) -> Self {
        let mut this = Self {
            parts: Box::default(),
            tables: Vec::new(),
            slots: Vec::new(),
            lists: Lists::with_room_for(ranges.len()),
            elsewhere: elsewhere(ranges),
        };
        let mut cursor = Cursor::new(ranges);
        this.parts = (0..PARTS).map(|part| this.part(&mut cursor, 1 << 61 | part << BELOW)).collect();
        this.slots.shrink_to_fit();
        this.lists.finish();
        this
    }

    /// The table of the part that begins there. Parts in which nothing begins share one when they have the same word.
    #[allow(clippy::cast_possible_truncation, reason = "`MAX_RANGES` keeps positions within 31 bits")]
    fn part(&mut self, cursor: &mut Cursor<'_, u64>, first: u64) -> u32 {
        cursor.go_to(first);
        let count = cursor.beginning_until(first | mask(BELOW));
        let bits = if count == 0 { 0 } else { (2 * count).next_power_of_two().ilog2().min(MAX_SLOT_BITS) };
        let table = Table { first: self.slots.len() as u32, shift: BELOW - bits };
        for slot in 0..1_u64 << bits {
            let first = first | slot << table.shift;
            let word = self.lists.slot(cursor, first, first | mask(table.shift));
            if count == 0
                && let Some(last) = self.tables.last()
                && last.shift == BELOW
                && self.slots.last() == Some(&word)
            {
                return self.tables.len() as u32 - 1;
            }
            self.slots.push(word);
        }
        self.tables.push(table);
        self.tables.len() as u32 - 1
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "13 bits, and at most 16")]
    pub(super) fn find(&self, key: u64) -> Found {
        if key >> 61 != 1 {
            return self.find_elsewhere(key);
        }
        let table = self.tables[self.parts[(key >> BELOW & (PARTS - 1)) as usize] as usize];
        let slot = (key & mask(BELOW)) >> table.shift;
        self.lists.find::<u64>(self.slots[table.first as usize + slot as usize], key & mask(table.shift))
    }

    #[cold]
    fn find_elsewhere(&self, key: u64) -> Found {
        let after = self.elsewhere.partition_point(|stretch| stretch.first <= key);
        let Stretch { first, next, view } = self.elsewhere[after - 1];
        Found { view, scope: scope_within::<u64>(key, first, next) }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.parts)
            + size_of_val(&*self.tables)
            + size_of_val(&*self.slots)
            + size_of_val(&*self.elsewhere)
            + self.lists.bytes()
    }
}

/// The lowest bits.
const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

#[allow(clippy::cast_possible_truncation, reason = "values are numbers of views")]
fn elsewhere(ranges: &Ranges<u64>) -> Vec<Stretch> {
    let all =
        ranges.iter().map(|(first, last, value)| (last, Stretch { first, next: last.next(), view: value as u16 }));
    all.filter(|(last, stretch)| stretch.first >> 61 != 1 || last >> 61 != 1).map(|(_, stretch)| stretch).collect()
}
