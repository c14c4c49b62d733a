//! One connection: a socket, what came in and was not used yet, what is to go out.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Buffer, Buffers, Outbox, Stream};

/// A connection that speaks in bytes.
#[derive(Debug)]
pub(in crate::proxy) struct Wire {
    stream: Stream,
    input: Option<Buffer>,
    read: u64,
    /// Whether the stream holds nothing back of what the outbox gave it.
    is_flushed: bool,
    pub(in crate::proxy) outbox: Outbox,
    buffers: Rc<Buffers>,
}

impl Wire {
    pub(in crate::proxy) fn new(stream: Stream, buffers: &Rc<Buffers>) -> Self {
        Self {
            stream,
            input: None,
            read: 0,
            is_flushed: true,
            outbox: Outbox::new(buffers),
            buffers: Rc::clone(buffers),
        }
    }

    /// What came in and was not used yet.
    pub(in crate::proxy) fn input(&self) -> &[u8] {
        self.input.as_deref().unwrap_or_default()
    }

    /// Bytes that were written so far.
    pub(in crate::proxy) fn written(&self) -> u64 {
        self.outbox.total()
    }

    /// Bytes that moved so far, both ways.
    pub(in crate::proxy) fn traffic(&self) -> u64 {
        self.read + self.written()
    }

    /// Uses up input.
    pub(in crate::proxy) fn consume(&mut self, used: usize) {
        if let Some(input) = &mut self.input {
            input.advance(used);
            if input.is_empty() {
                self.input = None;
            }
        }
    }

    /// Takes the first `length` bytes of the input, without copying where they are all of it.
    pub(in crate::proxy) fn take(&mut self, length: usize) -> Option<Buffer> {
        let input = self.input.as_mut()?;
        if length >= input.len() { self.input.take() } else { Some(input.split(length)) }
    }

    /// Takes what `unframe` leaves of the input: it moves data to the front, and says how much that is and how many bytes it used up.
    pub(in crate::proxy) fn take_unframed<E>(
        &mut self,
        unframe: impl FnOnce(&mut [u8]) -> Result<(usize, usize), E>,
    ) -> Result<Option<Buffer>, E> {
        let Some(input) = &mut self.input else { return Ok(None) };
        let (kept, used) = unframe(input)?;
        let mut data = self.take(used);
        if let Some(data) = &mut data {
            data.truncate(kept);
        }
        Ok(data)
    }

    /// Reads once, behind what is there. Nothing read means that the other side has closed its half, or that the input is full.
    /// Who has to wait holds no more memory than there are bytes.
    pub(in crate::proxy) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.poll_fill_up_to(usize::MAX, cx)
    }

    /// The same, but no more than `most` bytes.
    pub(in crate::proxy) fn poll_fill_up_to(&mut self, most: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut input = self.input.take().unwrap_or_else(|| self.buffers.take());
        let room = input.room();
        let most = most.min(room.len());
        let mut room = ReadBuf::new(&mut room[..most]);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut room);
        let bytes = room.filled().len();
        input.filled(bytes);
        if read.is_pending() {
            input.shrink();
        }
        self.input = (!input.is_empty()).then_some(input);
        ready!(read)?;
        self.read += bytes as u64;
        Poll::Ready(Ok(bytes))
    }

    /// Holds no more memory than there are bytes of input, until it is read from again.
    pub(in crate::proxy) fn rest(&mut self) {
        if let Some(input) = &mut self.input {
            input.shrink();
        }
    }

    /// Writes until nothing is left to write.
    pub(in crate::proxy) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_flushed &= self.outbox.is_empty();
        ready!(self.outbox.poll_flush(&mut self.stream, cx))?;
        if !self.is_flushed && self.stream.holds_back() {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        }
        self.is_flushed = true;
        Poll::Ready(Ok(()))
    }

    /// Says that nothing more will be written.
    pub(in crate::proxy) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Whether its end is told, so that it has to be told properly.
    pub(in crate::proxy) fn has_an_end_of_its_own(&self) -> bool {
        self.stream.holds_back()
    }

    /// From now on its end is no proper one.
    pub(in crate::proxy) fn reset_when_closed(&self) {
        self.stream.reset_when_closed();
    }

    /// Whether it is silent and open, as a connection that idles has to be.
    pub(in crate::proxy) fn is_quiet(&mut self) -> bool {
        self.input.is_none() && self.outbox.is_empty() && self.stream.is_silent()
    }

    /// The stream, and what came in and was not used: for somebody who speaks another protocol over it.
    pub(in crate::proxy) fn into_parts(self) -> (Stream, Option<Buffer>) {
        (self.stream, self.input)
    }
}
