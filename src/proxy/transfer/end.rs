//! One side of an exchange, whatever it speaks: bytes of a body come from it, and bytes of another go to it.

use std::{
    io,
    task::{Context, Poll},
};

use http::HeaderMap;

use super::Unread;
use crate::proxy::{h1::Malformed, io::Piece};

/// A client or an origin, for the time of one request.
pub(in crate::proxy) trait End {
    /// The next stretch of the body that comes from here, at most so many bytes; nothing at its end.
    fn poll_next(&mut self, most: usize, cx: &mut Context<'_>) -> Poll<Result<Option<Piece>, Unread>>;

    /// What came behind the body.
    fn trailers(&mut self) -> Result<Option<HeaderMap>, Malformed>;

    /// Whether nothing more comes but the end.
    fn is_at_end(&self) -> bool;

    /// How many bytes may be given now; one at least. Where nothing but the end is left to give, its room is all that counts.
    fn poll_room(&mut self, is_end: bool, cx: &mut Context<'_>) -> Poll<io::Result<usize>>;

    /// Takes a stretch of the body that goes here, never an empty one, and never more than there was room for.
    fn give(&mut self, piece: Piece) -> io::Result<()>;

    /// Takes the end.
    fn finish(&mut self, trailers: Option<HeaderMap>) -> io::Result<()>;

    /// Sends what was given.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Bytes that moved so far, both ways: whether they change is all that counts.
    fn traffic(&self) -> u64;

    /// Holds no more memory than there are bytes, until it is read from again.
    fn rest(&mut self) {}
}
