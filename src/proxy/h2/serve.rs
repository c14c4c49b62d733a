//! One client's connection: a task for it, one for each of its requests.

use std::{cell::Cell, future::poll_fn, rc::Rc, task::Poll, time::Duration};

use h2::{
    Reason, RecvStream,
    server::{Builder, Connection, SendResponse},
};
use http::Request;
use tokio::task::JoinSet;

use super::{
    asked::answer,
    meter::{Flood, Metered},
};
use crate::{
    config,
    proxy::{
        io::{Buffer, Piece, Stream},
        peer::{Peer, Seat},
        transfer::SEND_BUFFER,
    },
};

/// How long a client may take to hear that its connection ends because of what it did.
const FAREWELL: Duration = Duration::from_secs(2);
/// Whoever has requests under way is not idle.
const BUSY: Duration = Duration::from_hours(24 * 365);
/// Streams that we reset because of what a client sent, before its connection ends: "made you reset".
const MOST_PROVOKED_RESETS: usize = 64;

/// What happened on a connection.
#[allow(clippy::large_enum_variant, reason = "it lives from one line to the next")]
enum Event {
    Asked(Request<RecvStream>, SendResponse<Piece>),
    /// Nothing was asked for long, or the node drains.
    Enough,
    Flood(Flood),
    Over,
}

/// Serves a connection until it ends. `ahead` is what was read of it before.
pub(in crate::proxy) async fn serve(stream: Stream, ahead: Option<Buffer>, peer: Peer, seat: Seat) {
    let Some(settings) = seat.worker.view().routing().map(|routing| routing.settings.clone()) else { return };
    let (found, clock) = (Rc::<Cell<Option<Flood>>>::default(), seat.worker.clock.clone());
    let metered = Metered::new(stream, ahead, settings.h2, clock, Rc::clone(&found));
    seat.deadline.set(settings.head_timeout);
    let mut handshake = std::pin::pin!(builder(&settings).handshake(metered));
    let shaken = poll_fn(|cx| match handshake.as_mut().poll(cx) {
        Poll::Pending if seat.deadline.is_over(cx) => Poll::Ready(None),
        shaken => shaken.map(Result::ok),
    });
    let Some(connection) = shaken.await else { return };
    let (idle_timeout, patience) = (settings.idle_timeout, settings.body_timeout);
    drop(settings);
    let (requests, was_asked, is_ending) = (JoinSet::new(), false, false);
    Session { connection, requests, seat, peer, found, idle_timeout, patience, was_asked, is_ending }.run().await;
}

fn builder(settings: &config::Http) -> Builder {
    let limits = &settings.h2;
    let mut builder = Builder::new();
    builder
        .initial_window_size(limits.stream_window)
        .initial_connection_window_size(limits.connection_window)
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(u32::try_from(settings.max_head_size).unwrap_or(u32::MAX))
        .max_send_buffer_size(SEND_BUFFER)
        .max_local_error_reset_streams(Some(MOST_PROVOKED_RESETS))
        .max_pending_accept_reset_streams(limits.max_resets as usize);
    builder
}

/// A connection under way.
struct Session {
    connection: Connection<Metered, Piece>,
    requests: JoinSet<()>,
    seat: Seat,
    peer: Peer,
    found: Rc<Cell<Option<Flood>>>,
    idle_timeout: Duration,
    /// Longest pause of a client that has something to read.
    patience: Duration,
    /// Whether anything was asked for.
    was_asked: bool,
    /// Whether the client was told that nothing more is taken.
    is_ending: bool,
}

impl Session {
    async fn run(mut self) {
        self.seat.deadline.set(self.idle_timeout);
        loop {
            match self.next().await {
                Event::Asked(request, respond) => {
                    self.was_asked = true;
                    self.seat.deadline.set(BUSY);
                    let seat = Seat::new(Rc::clone(&self.seat.worker));
                    self.requests.spawn_local(answer(request, respond, &self.peer, seat));
                }
                Event::Enough if self.is_ending => return,
                Event::Enough => {
                    self.is_ending = true;
                    self.connection.graceful_shutdown();
                    self.seat.deadline.set(if self.requests.is_empty() { self.patience } else { BUSY });
                }
                Event::Flood(flood) => {
                    metrics::counter!("meridian_http2_floods_total", "kind" => flood.as_str()).increment(1);
                    tracing::debug!(client = %self.peer.address, kind = flood.as_str(), "a client floods its connection");
                    self.requests.abort_all();
                    self.is_ending = true;
                    self.connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                    self.seat.deadline.set(FAREWELL);
                }
                Event::Over => return,
            }
        }
    }

    async fn next(&mut self) -> Event {
        poll_fn(|cx| {
            loop {
                match self.requests.poll_join_next(cx) {
                    Poll::Ready(Some(_)) if self.requests.is_empty() => {
                        // The ends of answers may still stand in its queue, and be read slowly.
                        self.seat.deadline.set(if self.is_ending { self.patience } else { self.idle_timeout });
                    }
                    Poll::Ready(Some(_)) => {}
                    Poll::Ready(None) | Poll::Pending => break,
                }
            }
            let accepted = self.connection.poll_accept(cx);
            if let Some(flood) = self.found.take() {
                return Poll::Ready(Event::Flood(flood));
            }
            match accepted {
                Poll::Ready(Some(Ok((request, respond)))) => return Poll::Ready(Event::Asked(request, respond)),
                Poll::Ready(Some(Err(error))) => {
                    if error.reason() == Some(Reason::ENHANCE_YOUR_CALM) && error.is_library() {
                        metrics::counter!("meridian_http2_floods_total", "kind" => "streams").increment(1);
                    }
                    tracing::debug!(client = %self.peer.address, %error, "an HTTP/2 connection ended");
                    return Poll::Ready(Event::Over);
                }
                Poll::Ready(None) => return Poll::Ready(Event::Over),
                Poll::Pending => {}
            }
            let has_to_go = !self.is_ending && !self.may_stay();
            if self.seat.deadline.is_over(cx) || has_to_go { Poll::Ready(Event::Enough) } else { Poll::Pending }
        })
        .await
    }

    /// Whether the client is not told to leave yet. Who came to a region that is left, as DNS still led there, would only come again: it may
    /// ask first, as long as anybody may be idle. A node that drains takes nobody new, so whoever comes again comes to another.
    fn may_stay(&self) -> bool {
        let worker = &self.seat.worker;
        if self.was_asked { worker.keeps(&self.peer) } else { !worker.is_draining() }
    }
}
