//! What an origin is carrying now: written by every worker, so it lives outside the table, on a cache line of its own.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// One origin's load. The alignment keeps neighbours from slowing each other down.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct Load {
    in_flight: AtomicU32,
}

impl Load {
    /// Requests that were sent and whose answer has not ended.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a request until the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }
}

/// One request under way at an origin.
#[derive(Debug)]
pub struct InFlight(Arc<Load>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
