//! A body as it goes out, framed by us alone.

use std::io::Write;

use http::HeaderMap;

use crate::proxy::{
    h1::Length,
    headers::line,
    io::{Outbox, Piece},
};

/// How a body is framed on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) struct Writer(Length);

impl Writer {
    pub(in crate::proxy) fn new(length: Length) -> Self {
        Self(length)
    }

    /// Whether nothing but the end of the connection says that a body is whole.
    pub(in crate::proxy) fn ends_with_connection(self) -> bool {
        self.0 == Length::UntilClose
    }

    /// Hands over a stretch of data, never an empty one: that would be the last chunk.
    pub(in crate::proxy) fn data(self, out: &mut Outbox, data: Piece) {
        if self.0 == Length::Chunked {
            let size = data.len();
            // A vector takes every write.
            _ = write!(out.head(), "{size:x}\r\n");
            out.data(data, b"\r\n");
        } else {
            out.data(data, b"");
        }
    }

    /// Hands over the end.
    pub(in crate::proxy) fn end(self, out: &mut Outbox, trailers: Option<&HeaderMap>) {
        if self.0 == Length::Chunked {
            let head = out.head();
            head.extend_from_slice(b"0\r\n");
            for (name, value) in trailers.into_iter().flatten() {
                line(head, name.as_str(), value.as_bytes());
            }
            head.extend_from_slice(b"\r\n");
        }
    }
}
