//! Which route a request takes and what that does to it: compiled once per config, found and done without allocation.
//!
//! Of the routes that a request fits, the most specific takes it. In this order:
//!
//! 1. the host: exact, then the longest `*.` pattern, then `*` (`hosts`)
//! 2. the path: exact, then the longest prefix, on whole segments (`paths`)
//! 3. the number of further conditions, more of them first (`conditions`)
//! 4. the order in the config
//!
//! A route that has the better host or path, but whose further conditions do not hold, gives way to the next in that order.
//!
//! What counts as the path is said in `segments`.

mod action;
mod asked;
mod conditions;
mod edits;
mod fences;
mod hosts;
mod line;
mod paths;
mod rewrite;
mod routing;
mod segments;
mod template;

pub(super) use action::{Action, Forward, Limits, Redirect};
pub use asked::Asked;
pub(super) use edits::{Changes, Edits};
pub(super) use fences::Fence;
pub(super) use line::{Door, Line, Passing};
pub(super) use rewrite::Rewrite;
pub use routing::Routing;
pub(super) use routing::{PoolPlan, RoutePlan};
pub(super) use template::Values;
