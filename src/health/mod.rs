//! Asking origins and front doors whether they work, watching what requests meet, and turning both into signals.
//!
//! What is asked at an address is one probe, however many origins and front doors it is asked for. Each probe has one task, which counts
//! its answers into a verdict. What follows for an origin or a front door is made of the verdicts of its probes, and is sent as a signal after
//! each of them that agrees with its verdict, but never "up" after a bad one. Verdicts expire, so a silent prober shows as stale rows, never as healthy ones.
//!
//! An answer from the network is bounded before it is looked at: 16 KiB of head, 5,120 bytes of body, and the time of the check for all of it.
//!
//! | metric | labels |
//! |---|---|
//! | `meridian_probes_total` | `result` (`good`, `bad`, `unasked`: failed on this side, and says nothing) |
//! | `meridian_probe_seconds` | `kind` (`http`, `grpc`, `tls`, `tcp`, `command`), `result` |
//! | `meridian_probe_targets` | what is probed: origins and front doors |
//! | `meridian_probe_tasks` | what is asked: at most one for each check of each of them |
//!
//! Not here: what a signal does to a row (`control`).

mod composite;
mod once;
mod passive;
mod probe;
mod schedule;
mod target;
mod verdict;
mod watch;

pub use composite::Tree;
pub use once::{Brought, Outcome, ask_once};
pub use passive::{Ejector, watchlist};
pub use schedule::Prober;
pub use target::{Asked, Target, targets};
pub use verdict::Verdict;
