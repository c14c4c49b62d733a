#![doc = include_str!("ARCHITECTURE.md")]
// The loom build holds what loom looks at, and no more: several crates below the rest change their meaning under it.

#[cfg(not(loom))]
pub mod admin;
#[cfg(not(loom))]
pub mod balance;
#[cfg(not(loom))]
pub mod cli;
pub mod clock;
#[cfg(not(loom))]
pub mod config;
#[cfg(not(loom))]
pub mod control;
#[cfg(not(loom))]
pub mod dns;
pub mod fleet;
#[cfg(not(loom))]
pub mod geo;
#[cfg(not(loom))]
pub mod govern;
#[cfg(not(loom))]
pub mod health;
#[cfg(not(loom))]
pub mod node;
#[cfg(not(loom))]
pub mod policy;
#[cfg(not(loom))]
pub mod proxy;
#[cfg(not(loom))]
pub mod resolver;
pub mod table;
#[cfg(not(loom))]
pub mod telemetry;
#[cfg(not(loom))]
pub mod tls;
