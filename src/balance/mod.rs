//! Which origin of a region takes the next request.
//!
//! What can be prepared is prepared when the pool changes ([`build`], injected into the table's writer); a pick reads rows and
//! thins the configured weights by accept or reject.
//!
//! Not here: which region (`policy`), and whether the request may go at all (`govern`).

mod load;
mod pick;
mod round_robin;
mod selector;

pub use load::{InFlight, Load};
pub use pick::{Standard, pick};
pub use round_robin::Turns;
pub use selector::{Selector, build};
