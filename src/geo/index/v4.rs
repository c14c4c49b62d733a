//! IPv4: a root of 65,536 slots by the upper 16 bits, and a list of the lower ones where they matter.

use super::{
    Found,
    lists::{Cursor, Lists},
};
use crate::geo::ranges::Ranges;

#[derive(Debug)]
pub(super) struct Index {
    /// By the upper 16 bits.
    root: Box<[u32]>,
    lists: Lists<u32>,
}

impl Index {
    pub(super) fn new(ranges: &Ranges<u32>) -> Self {
        let (mut lists, mut cursor) = (Lists::with_room_for(ranges.len()), Cursor::new(ranges));
        let firsts = (0..=u32::MAX).step_by(1 << 16);
        let root = firsts.map(|first| lists.slot(&mut cursor, first, first | 0xffff)).collect();
        lists.finish();
        Self { root, lists }
    }

    #[inline]
    pub(super) fn find(&self, key: u32) -> Found {
        let word = self.root[(key >> 16) as usize];
        self.lists.find::<u32>(word, u64::from(key & 0xffff))
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.root) + self.lists.bytes()
    }
}
