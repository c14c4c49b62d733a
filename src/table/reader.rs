//! How everybody but control sees the table.

use std::sync::Arc;

use super::{
    generation::Generation,
    sync::{Cached, Published},
};
use crate::clock::{Clock, Ticks};

/// A handle from which readers are made; clones see the same table.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) current: Published<Generation>,
}

impl Table {
    /// A reader for one worker or thread.
    pub fn reader(&self, clock: Clock) -> Reader {
        Reader { seen: self.current.cached(), clock }
    }

    /// The current generation, kept alive for as long as wanted; for whoever is not in a hurry.
    pub fn load(&self) -> Arc<Generation> {
        self.current.load()
    }
}

/// One worker's eye on the table.
#[derive(Debug)]
pub struct Reader {
    seen: Cached<Generation>,
    clock: Clock,
}

impl Reader {
    /// The table at this moment. One load where nothing changed since the last look.
    ///
    /// It borrows the reader, so it cannot be taken along across an await by a worker that shares its reader.
    #[inline]
    pub fn snapshot(&mut self) -> Snapshot<'_> {
        let now = self.clock.ticks();
        Snapshot { generation: self.seen.look(), now }
    }
}

/// What one reader sees while it settles one request or query: one generation, one time.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// What exists.
    pub generation: &'a Arc<Generation>,
    /// The time that rows are read at.
    pub now: Ticks,
}
