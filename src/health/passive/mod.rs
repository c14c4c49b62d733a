//! What requests show of origins, and ejecting those that fail: a second opinion beside the checks, from what clients really meet.
//!
//! A worker writes down how each try ended (`fleet::Book`) and says it now and then over a bounded channel; what does not fit is dropped and
//! counted, so judging never holds up a request. Here it is summed up by origin over a window, and looked at by **detectors**: failures in a
//! row at once, the others once a second. What they find is ejected: control is told "down", from traffic, for as long as the ejection lasts.
//! Never more than the pool's `max_ejected` is out at a time, so that a mistake here leaves half of a pool; all of a region may be.
//!
//! In observe mode everything happens but telling control, so what is counted is what would have been.
//!
//! | metric | labels |
//! |---|---|
//! | `meridian_ejections_total` | `pool`, `detector` (`consecutive`, `success-rate`, `failure-ratio`, `latency`, `asked`), `enforced` |
//! | `meridian_ejected`: those that are out now | `pool` |
//! | `meridian_ejections_withheld_total`: too many were out already | `pool` |
//! | `meridian_observations_total`, and by workers `meridian_observations_dropped_total` | |
//!
//! Not here: what counts as a failure (`proxy/exchange/conduct`), whose word beats whose (`control/merge`).

mod detect;
mod ejector;
mod pool;
mod record;
mod window;

pub use ejector::{Ejector, watchlist};
