//! Zones, compiled: every name in one table, every record in wire form.

mod compile;
mod lookup;
mod names;

pub(super) use compile::Zone;
pub use compile::Zones;
pub(super) use lookup::Found;
pub(super) use names::{NOBODY, Node, NodeId};
