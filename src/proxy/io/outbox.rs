//! Bytes on their way out: a head, data behind it, and what frames the data, written with as few calls as they allow.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use tokio::io::AsyncWrite;

use super::{Buffer, Buffers};

/// Data up to this size is copied behind its head, so that both go in one plain write.
const SMALL: usize = 4096;

/// What was handed over and not written yet.
#[derive(Debug)]
pub(in crate::proxy) struct Outbox {
    head: Vec<u8>,
    data: Option<Buffer>,
    /// What stands behind the data: the end of its chunk.
    tail: &'static [u8],
    /// Bytes of all three that were written.
    written: usize,
    /// Bytes that were written since the beginning.
    total: u64,
    buffers: Rc<Buffers>,
}

impl Outbox {
    pub(in crate::proxy) fn new(buffers: &Rc<Buffers>) -> Self {
        Self { head: Vec::new(), data: None, tail: b"", written: 0, total: 0, buffers: Rc::clone(buffers) }
    }

    /// Bytes that were written since the beginning.
    pub(in crate::proxy) fn total(&self) -> u64 {
        self.total
    }

    /// Whether all was written.
    pub(in crate::proxy) fn is_empty(&self) -> bool {
        self.head.is_empty() && self.data.is_none()
    }

    /// Whether data may be handed over: what was before is written, or is a head that the data may follow.
    pub(in crate::proxy) fn takes_data(&self) -> bool {
        self.data.is_none() && self.head.len() < SMALL
    }

    /// Where to write a head, a chunk's size or anything else small.
    pub(in crate::proxy) fn head(&mut self) -> &mut Vec<u8> {
        debug_assert!(self.data.is_none(), "nothing may overtake data");
        if self.head.capacity() == 0 {
            self.head = self.buffers.scratch();
        }
        &mut self.head
    }

    /// Data, and what stands behind it.
    pub(in crate::proxy) fn data(&mut self, data: Buffer, tail: &'static [u8]) {
        if data.len() <= SMALL {
            let head = self.head();
            head.extend_from_slice(&data);
            head.extend_from_slice(tail);
        } else {
            (self.data, self.tail) = (Some(data), tail);
        }
    }

    /// Writes until all is written.
    pub(in crate::proxy) fn poll_flush<S>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        while !self.is_empty() {
            let wrote = ready!(self.poll_write(stream, cx))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += wrote;
            self.total += wrote as u64;
            let data = self.data.as_ref().map_or(0, |data| data.len() + self.tail.len());
            if self.written == self.head.len() + data {
                (self.data, self.tail, self.written) = (None, b"", 0);
                self.buffers.give_back(std::mem::take(&mut self.head));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write<S>(&self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite + Unpin,
    {
        let stream = Pin::new(stream);
        let Some(data) = &self.data else { return stream.poll_write(cx, &self.head[self.written..]) };
        let mut skip = self.written;
        let parts = [&self.head[..], data, self.tail].map(|part| {
            let here = skip.min(part.len());
            skip -= here;
            IoSlice::new(&part[here..])
        });
        let first = parts.iter().position(|part| !part.is_empty()).unwrap_or_default();
        stream.poll_write_vectored(cx, &parts[first..])
    }
}
