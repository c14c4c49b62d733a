//! A body as it goes out, framed by us alone.

use std::io::Write;

use crate::proxy::{
    h1::Length,
    io::{Buffer, Outbox},
};

/// How a body is framed on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) struct Writer(Length);

impl Writer {
    pub(in crate::proxy) fn new(length: Length) -> Self {
        Self(length)
    }

    /// Hands over a stretch of data, never an empty one: that would be the last chunk.
    pub(in crate::proxy) fn data(self, out: &mut Outbox, data: Buffer) {
        if self.0 == Length::Chunked {
            let size = data.len();
            // A vector takes every write.
            _ = write!(out.head(), "{size:x}\r\n");
            out.data(data, b"\r\n");
        } else {
            out.data(data, b"");
        }
    }

    /// Hands over the end. Trailers are lines with an empty line at their end, or nothing.
    pub(in crate::proxy) fn end(self, out: &mut Outbox, trailers: &[u8]) {
        if self.0 == Length::Chunked {
            let head = out.head();
            head.extend_from_slice(b"0\r\n");
            head.extend_from_slice(if trailers.is_empty() { b"\r\n" } else { trailers });
        }
    }
}
