//! One client's connection: heads in, answers out, until somebody has had enough.

use std::{
    future::poll_fn,
    net::IpAddr,
    ops::Range,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::net::TcpStream;

use super::{
    Refusal,
    exchange::{self, After, Refused, Reply, settle, unread},
    h1::{Length, Scan},
    io::{Deadline, Wire},
    observe::{Ledger, Outcome},
    worker::Worker,
};
use crate::config;

/// How long a client may take to read our last words, and how long we go on reading what it still sends, so that they reach it.
const FAREWELL: Duration = Duration::from_secs(2);
/// Bytes that are read and thrown away meanwhile.
const FAREWELL_BYTES: u64 = 1024 * 1024;

/// A client, as long as it is connected.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) wire: Wire,
    pub(super) deadline: Deadline,
    pub(super) worker: Rc<Worker>,
    address: IpAddr,
    /// Whether it may still be sending something that nobody is going to read.
    pub(super) is_sending: bool,
}

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

/// Serves a connection until it ends; when the node drains, until its request in flight is answered.
pub(super) async fn serve(stream: TcpStream, address: IpAddr, worker: Rc<Worker>) {
    let (wire, deadline) = (Wire::new(stream, &worker.buffers), worker.deadlines.seat());
    let mut client = Client { wire, deadline, worker, address, is_sending: false };
    while client.turn().await {}
    client.farewell().await;
}

impl Client {
    /// One request. Says whether another may follow.
    async fn turn(&mut self) -> bool {
        let Some(limits) = self.worker.view().routing().map(|routing| HeadLimits::new(&routing.settings)) else {
            return false;
        };
        let next = self.next(limits).await;
        // Waiting may have taken long: the request is settled by what exists and is believed now.
        let view = self.worker.view();
        let Some(routing) = view.routing() else { return false };
        let settled = match next {
            Next::Head(head) => {
                let end = head.end;
                let settled = settle(&self.worker, &view, routing, &self.wire.input()[head], self.address);
                self.wire.consume(end);
                settled
            }
            Next::Over => return false,
            Next::Refused(refusal) => Err(unread(&self.worker, refusal)),
        };
        let after = match settled {
            Ok(order) => {
                let after = exchange::run(self, &order, routing).await;
                self.worker.buffers.give_back(order.into_head());
                after
            }
            Err(Refused { refusal, reply, length }) => {
                let mut ledger = Ledger::open(&routing.unrouted, &self.worker.clock);
                return self.refuse(refusal, &reply, length == Length::None, &mut ledger);
            }
        };
        // A tunnel may outlive many configs: it holds on to none.
        drop(view);
        match after {
            After::Next => !self.worker.is_draining(),
            After::Close => false,
            After::Tunnel(through) => {
                through.carry(self).await;
                false
            }
        }
    }

    async fn next(&mut self, limits: HeadLimits) -> Next {
        // A client that asks without listening is not read any further: its answers would pile up.
        self.deadline.set(limits.body_timeout);
        let is_heard = poll_fn(|cx| match self.wire.poll_flush(cx) {
            Poll::Pending if self.deadline.is_over(cx) => Poll::Ready(false),
            flushed => flushed.map(|flushed| flushed.is_ok()),
        });
        if !is_heard.await {
            return Next::Over;
        }
        let mut scan = Scan::default();
        let mut has_begun = !self.wire.input().is_empty();
        self.deadline.set(if has_begun { limits.head_timeout } else { limits.idle_timeout });
        poll_fn(|cx| {
            loop {
                if has_begun && let Some(next) = look(&mut scan, self.wire.input(), limits.max_head_size) {
                    return Poll::Ready(next);
                }
                match self.poll_more(has_begun, cx) {
                    Poll::Ready(None) if !has_begun => {
                        has_begun = true;
                        self.deadline.set(limits.head_timeout);
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
        match self.wire.poll_fill(cx) {
            Poll::Ready(Ok(1..)) => Poll::Ready(None),
            Poll::Ready(Ok(0) | Err(_)) if has_begun => Poll::Ready(Some(Next::Refused(Refusal::ClientGone))),
            Poll::Pending if !self.deadline.is_over(cx) && (has_begun || !self.worker.is_draining()) => Poll::Pending,
            Poll::Pending if has_begun => Poll::Ready(Some(Next::Refused(Refusal::ClientTooSlow))),
            Poll::Ready(Ok(0) | Err(_)) | Poll::Pending => Poll::Ready(Some(Next::Over)),
        }
    }

    /// Tells the client why not. Says whether its connection may serve another request: only where nothing of this one is unread.
    pub(super) fn refuse(&mut self, refusal: Refusal, reply: &Reply, is_read: bool, ledger: &mut Ledger) -> bool {
        ledger.settle(Outcome::Refused(refusal));
        let persists = is_read && reply.persists && !self.worker.is_draining() && !refusal.ends_connection();
        self.is_sending = !persists;
        tracing::debug!(refusal = refusal.as_str(), request_id = %reply.id, "refused");
        refusal.write(reply, persists, self.wire.outbox.head());
        persists
    }

    /// Writes what is left to write. A client that is still sending is read for a while longer: closed at once, with bytes unread, the
    /// connection would be reset, and our last words with it (RFC 9112 §9.6).
    async fn farewell(&mut self) {
        if self.wire.outbox.is_empty() && !self.is_sending {
            return;
        }
        self.deadline.set(FAREWELL);
        let most = self.wire.traffic() + FAREWELL_BYTES;
        poll_fn(|cx| {
            let is_over = match self.wire.poll_flush(cx) {
                Poll::Ready(Err(_)) => true,
                Poll::Ready(Ok(())) if !self.is_sending => true,
                Poll::Ready(Ok(())) => self.wire.poll_shutdown(cx).is_ready() && self.hears_the_end(most, cx),
                Poll::Pending => false,
            };
            if is_over || self.deadline.is_over(cx) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Reads and throws away. Whether the client has closed, or sent too much.
    fn hears_the_end(&mut self, most: u64, cx: &mut Context<'_>) -> bool {
        loop {
            self.wire.consume(usize::MAX);
            match self.wire.poll_fill(cx) {
                Poll::Ready(Ok(1..)) if self.wire.traffic() <= most => {}
                Poll::Ready(_) => return true,
                Poll::Pending => return false,
            }
        }
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
