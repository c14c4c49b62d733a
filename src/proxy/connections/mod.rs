//! One worker's connections to origins: opened on demand, lent for one request at a time, kept a while when idle.
//!
//! The last one given back is the first one lent (it is the least likely to have been closed). What idles is bounded in number per
//! origin and in time. Nothing here is shared between workers, so nothing is locked.

mod idle;
mod open;

pub(super) use idle::{Connections, Lent};
pub(super) use open::open;
