//! A side that speaks HTTP/2: bodies in the frames of one stream, as much as its windows allow.

use std::{
    io,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use h2::{RecvStream, SendStream};
use http::HeaderMap;

use super::{End, Unread, writer::misframed};
use crate::proxy::{h1::Malformed, headers::kept_trailers, io::Piece};

/// Bytes that one stream may have in its connection's queue; half of it is asked for at a time.
pub(in crate::proxy) const SEND_BUFFER: usize = 128 * 1024;

/// Both directions of one stream.
#[derive(Debug)]
pub(in crate::proxy) struct H2End<R> {
    /// What it is besides: a client or an origin.
    pub(in crate::proxy) role: R,
    /// What comes; not there before the head of an answer.
    recv: Option<RecvStream>,
    /// What goes; not there before the head of an answer, or where nothing follows it.
    send: Option<SendStream<Piece>>,
    /// Given, and kept back for a moment: if it is the last, it says so itself.
    held: Option<Piece>,
    trailers: Option<HeaderMap>,
    /// Whether all that comes has come.
    is_over: bool,
    /// Whether all that goes was given.
    is_sent: bool,
    traffic: u64,
}

impl<R> H2End<R> {
    pub(in crate::proxy) fn new(role: R, recv: Option<RecvStream>, send: Option<SendStream<Piece>>) -> Self {
        // A request that has no body was sent with its head.
        let is_sent = send.is_none();
        Self { role, recv, send, held: None, trailers: None, is_over: false, is_sent, traffic: 0 }
    }

    /// From now on this comes.
    pub(in crate::proxy) fn receive(&mut self, recv: RecvStream) {
        self.recv = Some(recv);
        self.traffic += 1;
    }

    /// From now on this goes, unless `is_end` says that nothing follows.
    pub(in crate::proxy) fn send(&mut self, send: SendStream<Piece>, is_end: bool) {
        (self.send, self.is_sent) = (Some(send), is_end);
        self.traffic += 1;
    }

    /// Whether the other side reset the stream; nothing where nothing is sent on it yet.
    pub(in crate::proxy) fn was_reset(&mut self, cx: &mut Context<'_>) -> Option<bool> {
        self.send.as_mut().map(|send| send.poll_reset(cx).is_ready())
    }

    /// Whether all that comes has come.
    pub(in crate::proxy) fn has_ended(&self) -> bool {
        self.is_over || self.recv.as_ref().is_some_and(RecvStream::is_end_stream)
    }

    fn send_held(&mut self, is_last: bool) -> io::Result<()> {
        let Some(piece) = self.held.take() else { return Ok(()) };
        let send = self.send.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        send.send_data(piece.queued(), is_last).map_err(io::Error::other)
    }
}

impl<R> End for H2End<R> {
    fn poll_next(&mut self, _most: usize, cx: &mut Context<'_>) -> Poll<Result<Option<Piece>, Unread>> {
        let Some(recv) = self.recv.as_mut().filter(|_| !self.is_over) else { return Poll::Ready(Ok(None)) };
        loop {
            match ready!(recv.poll_data(cx)) {
                Some(Ok(data)) => {
                    self.traffic += data.len() as u64 + 1;
                    // What was read is as good as written: who writes it is never more than one piece behind.
                    recv.flow_control().release_capacity(data.len()).map_err(broken)?;
                    if data.has_remaining() {
                        return Poll::Ready(Ok(Some(Piece::Shared(data))));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                None => {
                    self.trailers = ready!(recv.poll_trailers(cx)).map_err(broken)?;
                    self.is_over = true;
                    return Poll::Ready(Ok(None));
                }
            }
        }
    }

    fn trailers(&mut self) -> Result<Option<HeaderMap>, Malformed> {
        let lines = |trailers: &HeaderMap| {
            kept_trailers(trailers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
        };
        Ok(self.trailers.as_ref().map(lines))
    }

    fn is_at_end(&self) -> bool {
        self.has_ended()
    }

    fn poll_room(&mut self, is_end: bool, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if is_end {
            // Ends need no window, which may never open again: its receiver has got all it expects.
            return Poll::Ready(Ok(1));
        }
        if self.is_sent {
            // Whatever comes now is one too many, and said to be so.
            return Poll::Ready(Ok(1));
        }
        let held = self.held.as_ref().map_or(0, |piece| piece.len());
        let send = self.send.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        if send.capacity() > held {
            return Poll::Ready(Ok(send.capacity() - held));
        }
        self.send_held(false)?;
        let send = self.send.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        loop {
            if send.capacity() > 0 {
                return Poll::Ready(Ok(send.capacity()));
            }
            send.reserve_capacity(SEND_BUFFER / 2);
            match ready!(send.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
    }

    fn give(&mut self, piece: Piece) -> io::Result<()> {
        if self.is_sent {
            return Err(misframed("a body where there is none"));
        }
        self.send_held(false)?;
        self.traffic += piece.len() as u64;
        self.held = Some(piece);
        Ok(())
    }

    fn finish(&mut self, trailers: Option<HeaderMap>) -> io::Result<()> {
        if self.is_sent {
            return Ok(());
        }
        self.is_sent = true;
        let Some(trailers) = trailers.filter(|trailers| !trailers.is_empty()) else {
            self.held.get_or_insert_with(|| Piece::Shared(Bytes::new()));
            return self.send_held(true);
        };
        self.send_held(false)?;
        let send = self.send.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        send.send_trailers(trailers).map_err(io::Error::other)
    }

    fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The connection's own task writes what was given.
        let sent = self.send_held(false);
        // All streams share their connection's window: who has nothing to send for now keeps none of it from the others.
        if let Some(send) = &mut self.send {
            send.reserve_capacity(0);
        }
        Poll::Ready(sent)
    }

    fn traffic(&self) -> u64 {
        self.traffic
    }

    fn rest(&mut self) {
        if let Some(piece) = &mut self.held {
            piece.shrink();
        }
    }
}

fn broken(error: h2::Error) -> Unread {
    Unread::Closed(Some(io::Error::other(error)))
}
