//! What DNS and HTTP both ask before they choose: how much a region keeps, how fast that changes, and who is asked when things
//! fail.
//!
//! Pure: everything is read from a snapshot and arguments, so both halves give the same answer to the same state.
//!
//! | file | |
//! |---|---|
//! | `grade` | what a front door and a pool leave of a region, and why it is left out |
//! | `carry` | what is left of a region carries more than its share |
//! | `ladder` | who is asked for a request |
//! | `flow` | what this node sees of requests: room for others' clients, and what of its own stays |
//! | `comeback` | how fast clients move |
//!
//! Not here: which origin within a region (`balance`).

mod carry;
mod comeback;
mod flow;
mod grade;
mod ladder;

use carry::share_of_capacity;
pub use carry::{carry, share_that_carries};
pub use comeback::{Kept, Pace};
pub use flow::{Flow, Keeps};
pub use grade::{Grade, LeftOut};
pub use ladder::{Climb, Rung, climb};
