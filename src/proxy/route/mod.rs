//! Which route a request takes: compiled once per config, found without allocation.

mod matcher;
mod routing;

pub(super) use routing::PoolPlan;
pub use routing::Routing;
