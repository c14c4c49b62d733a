//! A body as it goes out, framed by us alone.

use std::io::{self, Write};

use http::HeaderMap;

use crate::proxy::{
    h1::Length,
    headers::line,
    io::{Outbox, Piece},
};

/// What is left to write of a body. More than its head announced, or less, is an error and not a second message: whoever reads this believes the
/// head.
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
    pub(in crate::proxy) fn data(&mut self, out: &mut Outbox, data: Piece) -> io::Result<()> {
        match &mut self.0 {
            Length::None => return Err(misframed("a body where there is none")),
            Length::Exact(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or_else(|| misframed("a body longer than announced"))?;
                out.data(data, b"");
            }
            Length::Chunked => {
                // A vector takes every write.
                _ = write!(out.head(), "{:x}\r\n", data.len());
                out.data(data, b"\r\n");
            }
            Length::UntilClose => out.data(data, b""),
        }
        Ok(())
    }

    /// Hands over the end.
    pub(in crate::proxy) fn end(self, out: &mut Outbox, trailers: Option<&HeaderMap>) -> io::Result<()> {
        match self.0 {
            Length::Exact(1..) => return Err(misframed("a body shorter than announced")),
            Length::Chunked => {
                let head = out.head();
                head.extend_from_slice(b"0\r\n");
                for (name, value) in trailers.into_iter().flatten() {
                    line(head, name.as_str(), value.as_bytes());
                }
                head.extend_from_slice(b"\r\n");
            }
            Length::None | Length::Exact(0) | Length::UntilClose => {}
        }
        Ok(())
    }
}

/// The fault of whoever the body comes from.
pub(super) fn misframed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Whether an error is one of these.
pub(super) fn is_misframed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use bytes::Bytes;

    use super::*;
    use crate::proxy::io::Buffers;

    #[test]
    fn a_body_is_as_long_as_its_head_says_or_an_error() {
        let piece = || Piece::Shared(Bytes::from_static(b"hello"));
        for (length, pieces, is_good) in [
            (Length::None, 0, true),
            (Length::None, 1, false),
            (Length::Exact(5), 1, true),
            (Length::Exact(5), 2, false),
            (Length::Exact(6), 1, false),
            (Length::Chunked, 2, true),
            (Length::UntilClose, 2, true),
        ] {
            let (mut writer, mut out) = (Writer::new(length), Outbox::new(&Rc::<Buffers>::default()));
            let written = (0..pieces).try_for_each(|_| writer.data(&mut out, piece()));
            let written = written.and_then(|()| writer.end(&mut out, None));
            assert_eq!(written.is_ok(), is_good, "{length:?} {pieces}");
            assert!(written.err().is_none_or(|error| is_misframed(&error)));
        }
    }
}
