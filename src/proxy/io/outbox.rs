//! Bytes on their way out: a head, data behind it, and what frames the data, written with as few calls as they allow.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Buf;
use tokio::io::AsyncWrite;

use super::{Buffers, Piece};

/// Data up to this size is copied behind its head, so that both go in one plain write.
const SMALL: usize = 4096;

/// What was handed over and not written yet.
#[derive(Debug)]
pub(in crate::proxy) struct Outbox {
    head: Vec<u8>,
    data: Option<Piece>,
    /// What stands behind the data: the end of its chunk.
    tail: &'static [u8],
    /// Bytes of the head that were written.
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
    pub(in crate::proxy) fn data(&mut self, data: Piece, tail: &'static [u8]) {
        if data.len() <= SMALL {
            let head = self.head();
            head.extend_from_slice(&data);
            head.extend_from_slice(tail);
        } else {
            (self.data, self.tail) = (Some(data), tail);
        }
    }

    /// Writes until all is written. Who has to wait holds little more memory than there are bytes.
    pub(in crate::proxy) fn poll_flush<S>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        while !self.is_empty() {
            match self.poll_write(stream, cx)? {
                Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(wrote) => self.wrote(wrote),
                Poll::Pending => {
                    self.data.as_mut().map(Piece::shrink);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write<S>(&self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite + Unpin,
    {
        let (stream, head) = (Pin::new(stream), &self.head[self.written..]);
        match &self.data {
            None => stream.poll_write(cx, head),
            Some(data) if head.is_empty() => {
                stream.poll_write_vectored(cx, &[IoSlice::new(data), IoSlice::new(self.tail)])
            }
            Some(data) => {
                stream.poll_write_vectored(cx, &[IoSlice::new(head), IoSlice::new(data), IoSlice::new(self.tail)])
            }
        }
    }

    fn wrote(&mut self, bytes: usize) {
        self.total += bytes as u64;
        let of_head = bytes.min(self.head.len() - self.written);
        self.written += of_head;
        let rest = bytes - of_head;
        let mut of_data = 0;
        if let Some(data) = &mut self.data {
            of_data = rest.min(data.len());
            data.advance(of_data);
        }
        self.tail = &self.tail[rest - of_data..];
        let is_all = self.written == self.head.len() && self.tail.is_empty();
        if is_all && self.data.as_ref().is_none_or(|data| data.is_empty()) {
            (self.data, self.written) = (None, 0);
            self.buffers.give_back(std::mem::take(&mut self.head));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Takes so many bytes at a time, and makes everybody wait in between.
    struct Narrow {
        taken: Vec<u8>,
        at_once: usize,
        is_ready: bool,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.is_ready = !self.is_ready;
            if !self.is_ready {
                return Poll::Pending;
            }
            let here = bytes.len().min(self.at_once);
            self.taken.extend_from_slice(&bytes[..here]);
            Poll::Ready(Ok(here))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            parts: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let all: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).take(self.at_once).collect();
            self.as_mut().poll_write(cx, &all)
        }
    }

    #[test]
    fn what_is_handed_over_goes_out_in_order_however_narrow_the_way() {
        let buffers = Rc::new(Buffers::default());
        let mut cx = Context::from_waker(Waker::noop());
        for at_once in [13, 4096, 50_000, 1_000_000] {
            for length in [1, 5000, 100_000] {
                let mut out = Outbox::new(&buffers);
                let mut data = buffers.take();
                data.room()[..length].fill(b'd');
                data.filled(length);
                out.head().extend_from_slice(b"head");
                out.data(Piece::Lent(data), b"\r\n");
                let mut narrow = Narrow { taken: Vec::new(), at_once, is_ready: false };
                while out.poll_flush(&mut narrow, &mut cx).is_pending() {}
                let expected = [b"head", &vec![b'd'; length][..], b"\r\n"].concat();
                assert!(narrow.taken == expected, "{at_once} at once, {length} bytes");
                assert!(out.is_empty() && out.takes_data());
                assert_eq!(out.total(), expected.len() as u64);
            }
        }
    }
}
