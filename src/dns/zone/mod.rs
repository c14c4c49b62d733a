//! Zones, compiled: every name in a map, every record in wire form.

mod compile;
mod data;
mod lookup;

pub use compile::Zones;
pub(super) use compile::{Node, Zone};
pub(super) use lookup::Found;
