//! Asking origins and front doors whether they work, watching what requests meet, and turning both into signals.
//!
//! Every target has one task that probes it, counts its answers into a verdict and sends the verdict as a signal after every
//! probe. Verdicts expire, so a silent prober shows as stale rows, never as healthy ones.
//!
//! | metric | labels |
//! |---|---|
//! | `meridian_probes_total` | `result` (`good`, `bad`, `unasked`: failed on this side, and says nothing) |
//! | `meridian_probe_targets` | |
//!
//! Not here: what a signal does to a row (`control`).

mod passive;
mod probe;
mod schedule;
mod target;
mod verdict;

pub use passive::{Ejector, watchlist};
pub use schedule::Prober;
pub use target::{Target, targets};
pub use verdict::Verdict;
