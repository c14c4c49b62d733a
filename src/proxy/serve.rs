//! One client's connection: heads in, answers out, until somebody has had enough.

use std::{
    future::poll_fn,
    ops::Range,
    task::{Context, Poll},
    time::Duration,
};

use super::{
    Refusal,
    answer::OwnAnswer,
    exchange::{self, After, Asker, Refused, Reply, refuse, settle_h1, unread},
    h1::{Length, Scan},
    io::{Buffer, Stream, Wire},
    observe::Ledger,
    peer::{Peer, Seat},
    transfer::H1End,
};
use crate::config;

/// How long a client may take to read our last words, and how long we go on reading what it still sends, so that they reach it.
const FAREWELL: Duration = Duration::from_secs(2);
/// Bytes that are read and thrown away meanwhile.
const FAREWELL_BYTES: u64 = 1024 * 1024;

/// A client, as long as it is connected.
#[derive(Debug)]
pub(super) struct Client {
    end: H1End<()>,
    seat: Seat,
    peer: Peer,
    /// Whether it may still be sending something that nobody is going to read.
    is_sending: bool,
    /// Whether its last answer broke off, so that its connection must end without a proper end.
    is_cut: bool,
}

/// What follows a request.
enum Turn {
    /// Another.
    Next,
    /// Nothing.
    Over,
    /// HTTP/2, whose preface stands in the input: it looks like a request (RFC 9113 §3.4).
    Http2,
}

/// The part of HTTP/2's preface that looks like a head.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

/// What became of waiting for a request.
enum Next {
    /// Its head stands there in the input.
    Head(Range<usize>),
    /// There is none: the client left between two requests, idled too long, or the node is draining.
    Over,
    /// What came is not a head, or took too long to become one.
    Refused(Refusal),
}

/// What a head may take; copied, so that who waits holds on to no config.
#[derive(Clone, Copy)]
struct HeadLimits {
    idle_timeout: Duration,
    head_timeout: Duration,
    body_timeout: Duration,
    max_head_size: usize,
}

impl HeadLimits {
    fn new(settings: &config::Http) -> Self {
        Self {
            idle_timeout: settings.idle_timeout,
            head_timeout: settings.head_timeout,
            body_timeout: settings.body_timeout,
            max_head_size: settings.max_head_size,
        }
    }
}

impl Client {
    pub(super) fn new(stream: Stream, peer: Peer, seat: Seat) -> Self {
        let wire = Wire::new(stream, &seat.worker.buffers);
        Self { end: H1End::new(wire, ()), seat, peer, is_sending: false, is_cut: false }
    }

    /// Serves the connection until it ends; when the node drains, until its request in flight is answered. Says whether it is to be served by HTTP/2
    /// instead.
    pub(super) async fn serve(&mut self) -> bool {
        loop {
            match self.turn().await {
                Turn::Next => {}
                Turn::Over => {
                    self.farewell().await;
                    return false;
                }
                Turn::Http2 => return true,
            }
        }
    }

    /// What HTTP/2 needs: the stream, what was read of it, and whose it is.
    pub(super) fn into_parts(self) -> (Stream, Option<Buffer>, Peer, Seat) {
        let (stream, ahead) = self.end.wire.into_parts();
        (stream, ahead, self.peer, self.seat)
    }

    /// One request, and what follows it.
    async fn turn(&mut self) -> Turn {
        let Some(limits) = self.seat.worker.view().routing().map(|routing| HeadLimits::new(&routing.settings)) else {
            return Turn::Over;
        };
        let may_be_h2 = self.end.wire.traffic() == 0 && self.peer.tls.is_none();
        let next = self.next(limits).await;
        // Waiting may have taken long: the request is settled by what exists and is believed now.
        let view = self.seat.worker.view();
        let Some(routing) = view.routing() else { return Turn::Over };
        let settled = match next {
            // Over TLS it would have been agreed upon in the handshake.
            Next::Head(head) if may_be_h2 && &self.end.wire.input()[head.clone()] == PREFACE => return Turn::Http2,
            Next::Head(head) => {
                let end = head.end;
                let settled = settle_h1(&self.seat.worker, &view, routing, &self.end.wire.input()[head], &self.peer);
                self.end.wire.consume(end);
                settled
            }
            Next::Over => return Turn::Over,
            Next::Refused(refusal) => Err(unread(&self.seat.worker, refusal)),
        };
        let after = match settled {
            Ok(order) => {
                self.end.expect(order.length, Length::None);
                let after = exchange::run(self, &order, routing).await;
                order.give_back(&self.seat.worker);
                after
            }
            Err(Refused { refusal, reply, length }) => {
                let mut ledger = Ledger::open(&routing.unrouted, &self.seat.worker.clock);
                let persists = refuse(self, refusal, &reply, length == Length::None, &mut ledger);
                return if persists { Turn::Next } else { Turn::Over };
            }
        };
        // A tunnel may outlive many configs: it holds on to none.
        drop(view);
        match after {
            After::Next if !self.seat.worker.is_draining() => Turn::Next,
            After::Next | After::Close => Turn::Over,
            After::Tunnel(through) => {
                self.is_cut = !through.carry(self).await;
                Turn::Over
            }
        }
    }

    async fn next(&mut self, limits: HeadLimits) -> Next {
        // A client that asks without listening is not read any further: its answers would pile up.
        self.seat.deadline.set(limits.body_timeout);
        let is_heard = poll_fn(|cx| match self.end.wire.poll_flush(cx) {
            Poll::Pending if self.seat.deadline.is_over(cx) => Poll::Ready(false),
            flushed => flushed.map(|flushed| flushed.is_ok()),
        });
        if !is_heard.await {
            return Next::Over;
        }
        let mut scan = Scan::default();
        let mut has_begun = !self.end.wire.input().is_empty();
        self.seat.deadline.set(if has_begun { limits.head_timeout } else { limits.idle_timeout });
        poll_fn(|cx| {
            loop {
                if has_begun && let Some(next) = look(&mut scan, self.end.wire.input(), limits.max_head_size) {
                    return Poll::Ready(next);
                }
                match self.poll_more(has_begun, cx) {
                    Poll::Ready(None) if !has_begun => {
                        has_begun = true;
                        self.seat.deadline.set(limits.head_timeout);
                    }
                    Poll::Ready(None) => {}
                    Poll::Ready(Some(next)) => return Poll::Ready(next),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// More input, or why there will be none.
    fn poll_more(&mut self, has_begun: bool, cx: &mut Context<'_>) -> Poll<Option<Next>> {
        match self.end.wire.poll_fill(cx) {
            Poll::Ready(Ok(1..)) => Poll::Ready(None),
            Poll::Ready(Ok(0) | Err(_)) if has_begun => Poll::Ready(Some(Next::Refused(Refusal::ClientGone))),
            Poll::Pending if !self.seat.deadline.is_over(cx) && (has_begun || !self.seat.worker.is_draining()) => {
                Poll::Pending
            }
            Poll::Pending if has_begun => Poll::Ready(Some(Next::Refused(Refusal::ClientTooSlow))),
            Poll::Ready(Ok(0) | Err(_)) | Poll::Pending => Poll::Ready(Some(Next::Over)),
        }
    }

    /// Writes what is left to write, and ends the connection: properly, or in such a way that a broken answer is not taken for a whole one.
    async fn farewell(&mut self) {
        if !self.is_cut {
            return self.end_properly().await;
        }
        self.seat.deadline.set(FAREWELL);
        poll_fn(|cx| match self.end.wire.poll_flush(cx) {
            Poll::Pending if !self.seat.deadline.is_over(cx) => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
        if self.end.writer.ends_with_connection() {
            self.end.wire.reset_when_closed();
        }
    }

    /// A client that is still sending is read for a while longer: closed at once, with bytes unread, the
    /// connection would be reset, and our last words with it (RFC 9112 §9.6).
    async fn end_properly(&mut self) {
        if self.end.wire.outbox.is_empty() && !self.is_sending && !self.end.wire.has_an_end_of_its_own() {
            return;
        }
        self.seat.deadline.set(FAREWELL);
        let most = self.end.wire.traffic() + FAREWELL_BYTES;
        poll_fn(|cx| {
            let is_over = match self.end.wire.poll_flush(cx) {
                Poll::Ready(Err(_)) => true,
                Poll::Ready(Ok(())) if !self.is_sending => {
                    !self.end.wire.has_an_end_of_its_own() || self.end.wire.poll_shutdown(cx).is_ready()
                }
                Poll::Ready(Ok(())) => self.end.wire.poll_shutdown(cx).is_ready() && self.hears_the_end(most, cx),
                Poll::Pending => false,
            };
            if is_over || self.seat.deadline.is_over(cx) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Reads and throws away. Whether the client has closed, or sent too much.
    fn hears_the_end(&mut self, most: u64, cx: &mut Context<'_>) -> bool {
        loop {
            self.end.wire.consume(usize::MAX);
            match self.end.wire.poll_fill(cx) {
                Poll::Ready(Ok(1..)) if self.end.wire.traffic() <= most => {}
                Poll::Ready(_) => return true,
                Poll::Pending => return false,
            }
        }
    }
}

impl Asker for Client {
    type End = H1End<()>;

    fn parts(&mut self) -> (&mut Self::End, &Seat) {
        (&mut self.end, &self.seat)
    }

    fn say(&mut self, answer: &OwnAnswer, reply: &Reply, may_persist: bool) -> bool {
        let persists = may_persist && reply.persists && !self.seat.worker.is_draining();
        self.is_sending = !persists;
        answer.write(reply, persists, self.end.wire.outbox.head());
        persists
    }

    fn answered(&mut self, is_uploaded: bool) {
        self.is_sending = !is_uploaded;
    }

    fn cut(&mut self) {
        self.is_cut = true;
    }
}

/// Whether a head is whole, or will never be one.
fn look(scan: &mut Scan, input: &[u8], max_head_size: usize) -> Option<Next> {
    match scan.head(input) {
        Ok(Some(head)) if head.end <= max_head_size => Some(Next::Head(head)),
        Ok(None) if input.len() < max_head_size => None,
        Ok(_) => Some(Next::Refused(Refusal::HeadTooLarge)),
        Err(malformed) => Some(Next::Refused(malformed.into())),
    }
}
