//! Bytes in and out of sockets: buffers that nobody holds while idle, and deadlines that cost no timer each.
//!
//! This is the seam under which another event loop may come: everything above asks a `Wire` for bytes and hands it bytes.

mod buffers;
mod deadlines;
mod outbox;
mod piece;
mod stream;
mod wire;

pub(super) use buffers::{Buffer, Buffers};
pub(super) use deadlines::{Deadline, Deadlines, TICK};
pub(super) use outbox::Outbox;
pub(super) use piece::Piece;
pub(super) use stream::Stream;
pub(super) use wire::Wire;
