//! Bodies on their way through: read from one wire, framed anew, written to another, never more than one buffer behind.

mod pump;
mod reader;
mod writer;

pub(super) use pump::{Broken, Pump, Side};
pub(super) use reader::{Reader, Unread};
pub(super) use writer::Writer;
