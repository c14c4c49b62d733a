//! One worker's connections to origins: opened on demand, kept a while when idle.
//!
//! HTTP/1: lent for one request at a time; the last one given back is the first one lent (it is the least likely to have been closed). HTTP/2:
//! shared by as many requests as the origin takes at once. What is kept is bounded in number per origin and in time, and what is opened in number
//! at the same time. Nothing here is shared between workers, so nothing is locked.

mod gate;
mod idle;
mod open;
mod shared;
mod way;

pub(super) use idle::{Connections, Lent};
pub(super) use open::{Opened, open};
pub(super) use shared::{Shared, Stream, open_stream};

/// What carries one request to its origin.
#[derive(Debug)]
pub(super) enum Carrier {
    /// A connection for it alone.
    H1(Box<Lent>),
    /// A stream among others.
    H2(Box<Stream>),
}
