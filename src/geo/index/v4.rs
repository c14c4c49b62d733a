//! IPv4: a root of 65,536 slots by the upper 16 bits.

use super::{
    Found,
    slots::{Builder, Slots},
};
use crate::geo::ranges::Ranges;

/// Bits of a key below the root.
const BELOW: u32 = 16;

#[derive(Debug)]
pub(super) struct Index {
    root: Box<[u32]>,
    slots: Slots<u32>,
}

impl Index {
    pub(super) fn new(ranges: &Ranges<u32>) -> Option<Self> {
        let mut builder = Builder::new(ranges);
        let root = (0..1 << 16).map(|slot| builder.slot(slot << BELOW, BELOW)).collect();
        Some(Self { root, slots: builder.finish()? })
    }

    #[inline]
    pub(super) fn find(&self, key: u32) -> Found {
        self.slots.find::<u32>(self.root[(key >> BELOW) as usize], u64::from(key & 0xffff), BELOW)
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.root) + self.slots.bytes()
    }
}
