//! A side that speaks HTTP/1: bodies framed on a wire.

use std::{
    io,
    task::{Context, Poll, ready},
};

use http::HeaderMap;

use super::{End, Reader, Unread, Writer};
use crate::proxy::{
    h1::{Length, Malformed},
    io::{Piece, Wire},
};

/// A wire, and how the two bodies on it are framed.
#[derive(Debug)]
pub(in crate::proxy) struct H1End<R> {
    pub(in crate::proxy) wire: Wire,
    pub(in crate::proxy) reader: Reader,
    pub(in crate::proxy) writer: Writer,
    /// What it is besides: a client or an origin.
    pub(in crate::proxy) role: R,
}

impl<R> H1End<R> {
    pub(in crate::proxy) fn new(wire: Wire, role: R) -> Self {
        Self { wire, reader: Reader::Done, writer: Writer::new(Length::None), role }
    }

    /// `comes` says how the body is framed that comes from here, `goes` how the one that goes here.
    pub(in crate::proxy) fn expect(&mut self, comes: Length, goes: Length) {
        (self.reader, self.writer) = (Reader::new(comes), Writer::new(goes));
    }
}

impl<R> End for H1End<R> {
    fn poll_next(&mut self, most: usize, cx: &mut Context<'_>) -> Poll<Result<Option<Piece>, Unread>> {
        self.reader.poll_next(&mut self.wire, most, cx).map_ok(|data| data.map(Piece::Lent))
    }

    fn trailers(&mut self) -> Result<Option<HeaderMap>, Malformed> {
        self.reader.trailers()
    }

    fn is_at_end(&self) -> bool {
        self.reader.is_done()
    }

    fn poll_room(&mut self, _is_end: bool, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if !self.wire.outbox.takes_data() {
            ready!(self.wire.poll_flush(cx))?;
        }
        Poll::Ready(Ok(usize::MAX))
    }

    fn give(&mut self, piece: Piece) -> io::Result<()> {
        self.writer.data(&mut self.wire.outbox, piece)
    }

    fn finish(&mut self, trailers: Option<HeaderMap>) -> io::Result<()> {
        self.writer.end(&mut self.wire.outbox, trailers.as_ref())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wire.poll_flush(cx)
    }

    fn traffic(&self) -> u64 {
        self.wire.traffic()
    }

    fn rest(&mut self) {
        self.wire.rest();
    }
}
