//! One worker's buffers: lent while bytes move, given back when they rest.

use std::{
    cell::RefCell,
    ops::{Deref, DerefMut},
    rc::Rc,
};

/// Bytes of a buffer for reading: 128 KiB and a head. Half of it costs a tenth more per megabyte; twice as much gains little and is held
/// by every client that is slower than its origin.
pub(in crate::proxy) const SIZE: usize = 132 * 1024;
/// Buffers kept for the next who needs one; more than are in use at once on a worker, mostly.
const MOST_FREE: usize = 32;
/// The largest scratch that is kept.
const MOST_SCRATCH: usize = 16 * 1024;

/// What lies ready.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Buffers {
    free: RefCell<Vec<Box<[u8]>>>,
    scratch: RefCell<Vec<Vec<u8>>>,
}

/// Bytes that were read and not used up yet.
#[derive(Debug)]
pub(in crate::proxy) struct Buffer {
    bytes: Box<[u8]>,
    begin: usize,
    end: usize,
    home: Rc<Buffers>,
}

impl Buffers {
    /// A buffer with room for [`SIZE`] bytes.
    pub(in crate::proxy) fn take(self: &Rc<Self>) -> Buffer {
        let bytes = self.free.borrow_mut().pop().unwrap_or_else(|| vec![0; SIZE].into());
        Buffer { bytes, begin: 0, end: 0, home: Rc::clone(self) }
    }

    /// An empty vector for writing a head into.
    pub(in crate::proxy) fn scratch(&self) -> Vec<u8> {
        self.scratch.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes a scratch back.
    pub(in crate::proxy) fn give_back(&self, mut scratch: Vec<u8>) {
        let mut kept = self.scratch.borrow_mut();
        if (1..=MOST_SCRATCH).contains(&scratch.capacity()) && kept.len() < MOST_FREE {
            scratch.clear();
            kept.push(scratch);
        }
    }
}

impl Buffer {
    /// Uses up bytes at the front.
    pub(in crate::proxy) fn advance(&mut self, used: usize) {
        self.begin = self.begin.saturating_add(used).min(self.end);
    }

    /// Leaves out everything behind the first `length` bytes.
    pub(in crate::proxy) fn truncate(&mut self, length: usize) {
        self.end = self.end.min(self.begin.saturating_add(length));
    }

    /// Room behind what is there; nothing if it is full of unused bytes.
    pub(in crate::proxy) fn room(&mut self) -> &mut [u8] {
        if self.bytes.len() < SIZE || (self.begin > 0 && self.end == self.bytes.len()) {
            let mut larger = self.home.take();
            larger.extend(self);
            *self = larger;
        }
        &mut self.bytes[self.end..]
    }

    /// Bytes were read into the room.
    pub(in crate::proxy) fn filled(&mut self, bytes: usize) {
        self.end = (self.end + bytes).min(self.bytes.len());
    }

    /// Keeps no more memory than there are bytes: for those who wait.
    pub(in crate::proxy) fn shrink(&mut self) {
        if self.bytes.len() == SIZE && self.len() < SIZE / 2 {
            let bytes: Box<[u8]> = Box::from(&self[..]);
            self.release();
            (self.begin, self.end, self.bytes) = (0, bytes.len(), bytes);
        }
    }

    /// Splits off the first `length` bytes: copied, as they are few or the rest is.
    pub(in crate::proxy) fn split(&mut self, length: usize) -> Self {
        let mut rest = self.home.take();
        rest.extend(&self[length..]);
        self.truncate(length);
        std::mem::replace(self, rest)
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.bytes[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    fn release(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut free = self.home.free.borrow_mut();
        if bytes.len() == SIZE && free.len() < MOST_FREE {
            free.push(bytes);
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.begin..self.end]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.begin..self.end]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.release();
    }
}
