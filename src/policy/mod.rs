//! What DNS and HTTP both ask before they choose: how much a region keeps, how fast that changes, and who is asked when things
//! fail.
//!
//! Pure: everything is read from a snapshot and arguments, so both halves give the same answer to the same state.
//!
//! Not here: which origin within a region (`balance`).

mod carry;
mod comeback;
mod ladder;
mod spare;

pub use carry::{carry, share_that_carries};
pub use comeback::{Kept, Pace};
pub use ladder::{Climb, LeftOut, Rung, climb};
pub use spare::Spare;
