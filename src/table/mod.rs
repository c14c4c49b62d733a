//! The one table of what is alive and how much it weighs: written by control, read by DNS and HTTP.
//!
//! Two things change at two speeds. *Membership* (which pools, origins and regions exist) is a [`Generation`] behind one
//! swap. *Rows* (what is believed of each of them now) are single atomic words that outlive generations. Reading a row is
//! one pointer and one relaxed load, a few nanoseconds, and never waits for anyone (`benches/table.rs`).
//!
//! Not here: who decides what a row says (`control`), and how an origin is chosen (`balance`, injected as a selector).

mod generation;
#[cfg(all(test, loom))]
mod loom_tests;
mod reader;
mod row;
mod sync;
mod writer;

pub use generation::{
    Compiled, Generation, Membership, Origin, OriginSpec, Pool, PoolRegion, PoolSpec, Region, RegionSpec, Selector,
};
pub use reader::{Reader, Snapshot, Table};
pub use row::{Measure, RowHandle, RowState};
pub use writer::{RowKey, SelectorBuilder, Writer};
