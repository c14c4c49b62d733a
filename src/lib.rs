#![doc = include_str!("ARCHITECTURE.md")]
// The loom build holds what loom looks at, and no more: several crates below the rest change their meaning under it.

pub mod clock;
#[cfg(not(loom))]
pub mod config;
pub mod fleet;
pub mod table;
#[cfg(not(loom))]
pub mod telemetry;
