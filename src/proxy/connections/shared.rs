//! Connections that many requests share: HTTP/2 to origins.
//!
//! A request takes a stream of the first connection with room. Where there is none, one request opens another and those that come meanwhile
//! wait for it, so that a burst does not open one each. A connection ends when it idled too long or its origin is done with it; requests
//! on it go on.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use h2::client::{Builder, SendRequest};
use tokio::{sync::Notify, task::JoinSet};

use super::{
    open::connect,
    way::{Key, Way},
};
use crate::{
    clock::Clock,
    proxy::{
        Refusal,
        exchange::Awaiting,
        io::Piece,
        peer::Seat,
        route::Line,
        transfer::{H2End, SEND_BUFFER},
    },
    resolver::Reach,
};

/// Streams that one connection carries at most, where its origin takes as many.
const MOST_STREAMS: usize = 64;
/// What an origin may send on one stream before somebody has read it.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The same for all streams of a connection: as much as all of them may have, so that clients that do not read stall their own streams and
/// nobody else's.
const CONNECTION_WINDOW: u32 = 64 * STREAM_WINDOW;
/// Bytes that the fields of an answer may take.
const MOST_FIELDS: u32 = 64 * 1024;

/// All of one worker.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Shared {
    origins: RefCell<HashMap<Key, Origin>>,
    /// The tasks that move the frames.
    drivers: RefCell<JoinSet<()>>,
}

#[derive(Debug, Default)]
struct Origin {
    connections: Vec<Multiplexed>,
    opening: Option<Rc<Opening>>,
}

#[derive(Debug)]
struct Multiplexed {
    send: SendRequest<Piece>,
    way: Way,
    load: Rc<Load>,
    idle_timeout: Duration,
}

/// What a connection carries.
#[derive(Debug, Default)]
struct Load {
    streams: Cell<usize>,
    is_over: Cell<bool>,
    idle_since: Cell<Duration>,
}

/// One request's stream.
#[derive(Debug)]
pub(in crate::proxy) struct Stream {
    pub(in crate::proxy) end: H2End<Awaiting>,
    _place: Place,
}

/// Counts a stream as its connection's load.
#[derive(Debug)]
struct Place {
    load: Rc<Load>,
    clock: Clock,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.load.streams.set(self.load.streams.get() - 1);
        self.load.idle_since.set(self.clock.now());
    }
}

/// A connection on its way, which others wait for.
#[derive(Debug, Default)]
struct Opening {
    done: Notify,
    failed: Cell<Option<Refusal>>,
}

/// Sends a request's head on a stream of its own. Says whether the connection was there before.
pub(in crate::proxy) async fn open_stream(
    origin: &Reach,
    line: &Line,
    seat: &Seat,
    head: &http::Request<()>,
    is_end: bool,
    may_be_kept: bool,
) -> Result<(Stream, bool), Refusal> {
    let connections = &seat.worker.connections;
    let key = Key::new(origin, line);
    loop {
        while let Some((send, place)) =
            connections.shared.take(&key, origin, &connections.clock).filter(|_| may_be_kept)
        {
            if let Some(end) = ask(send, &place, head, is_end, line, seat).await {
                return Ok((Stream { end, _place: place }, true));
            }
        }
        match connections.shared.opening(&key).filter(|_| may_be_kept) {
            Some(opening) => wait(&opening, line, seat).await?,
            None => break,
        }
    }
    let (send, place) = open(&key, origin, line, seat).await?;
    let end = ask(send, &place, head, is_end, line, seat).await.ok_or(Refusal::ConnectFailed)?;
    Ok((Stream { end, _place: place }, false))
}

/// Sends the head; nothing where the connection does not take it, and never will.
async fn ask(
    mut send: SendRequest<Piece>,
    place: &Place,
    head: &http::Request<()>,
    is_end: bool,
    line: &Line,
    seat: &Seat,
) -> Option<H2End<Awaiting>> {
    seat.deadline.set(line.settings.timeouts.connect);
    let is_ready = poll_fn(|cx| match send.poll_ready(cx) {
        Poll::Pending if seat.deadline.is_over(cx) => Poll::Ready(false),
        ready => ready.map(|ready| ready.is_ok()),
    });
    let sent = if is_ready.await { send.send_request(head.clone(), is_end).ok() } else { None };
    if sent.is_none() {
        place.load.is_over.set(true);
    }
    sent.map(|(response, body)| H2End::asked(response, (!is_end).then_some(body)))
}

/// Waits for the connection that somebody else opens.
async fn wait(opening: &Opening, line: &Line, seat: &Seat) -> Result<(), Refusal> {
    seat.deadline.set(line.settings.timeouts.connect);
    let mut done = pin!(opening.done.notified());
    let is_done = poll_fn(|cx| match done.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(true),
        Poll::Pending if seat.deadline.is_over(cx) => Poll::Ready(false),
        Poll::Pending => Poll::Pending,
    });
    match (is_done.await, opening.failed.get()) {
        (true, None) => Ok(()),
        (true, Some(refusal)) => Err(refusal),
        (false, _) => Err(Refusal::ConnectTimeout),
    }
}

/// Opens a connection, and lets those who wait know how that went.
async fn open(key: &Key, origin: &Reach, line: &Line, seat: &Seat) -> Result<(SendRequest<Piece>, Place), Refusal> {
    let connections = &seat.worker.connections;
    let announced = Announced::new(&connections.shared, key);
    let opened = async {
        let (stream, way, counted) = connect(origin, line, seat).await?;
        let handshake = Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MOST_FIELDS)
            .max_send_buffer_size(SEND_BUFFER)
            .handshake(stream)
            .await;
        let (send, connection) = handshake.map_err(|error| {
            tracing::debug!(origin = %origin.address(), %error, "origin did not accept HTTP/2");
            Refusal::ConnectFailed
        })?;
        Ok((send, connection, way, counted))
    };
    let (send, connection, way, counted) =
        opened.await.inspect_err(|refusal: &Refusal| announced.opening.failed.set(Some(*refusal)))?;
    let load = Rc::<Load>::default();
    load.streams.set(1);
    let place = Place { load: Rc::clone(&load), clock: connections.clock.clone() };
    let (driven, address) = (Rc::clone(&load), origin.address().clone());
    connections.shared.drivers.borrow_mut().spawn_local(async move {
        if let Err(error) = connection.await {
            tracing::debug!(origin = %address, %error, "a connection to an HTTP/2 origin ended");
        }
        driven.is_over.set(true);
        drop(counted);
    });
    connections
        .shared
        .keep(key, Multiplexed { send: send.clone(), way, load, idle_timeout: line.settings.idle_timeout });
    Ok((send, place))
}

/// Says that a connection is on its way, until it is there or will not be.
struct Announced<'a> {
    shared: &'a Shared,
    key: &'a Key,
    opening: Rc<Opening>,
}

impl<'a> Announced<'a> {
    fn new(shared: &'a Shared, key: &'a Key) -> Self {
        let opening = Rc::<Opening>::default();
        shared.origins.borrow_mut().entry(key.clone()).or_default().opening = Some(Rc::clone(&opening));
        Self { shared, key, opening }
    }
}

impl Drop for Announced<'_> {
    fn drop(&mut self) {
        if let Some(origin) = self.shared.origins.borrow_mut().get_mut(self.key)
            && origin.opening.as_ref().is_some_and(|opening| Rc::ptr_eq(opening, &self.opening))
        {
            origin.opening = None;
        }
        self.opening.done.notify_waiters();
    }
}

impl Shared {
    /// A place on a connection that has one, and leads where the origin is now.
    fn take(&self, key: &Key, origin: &Reach, clock: &Clock) -> Option<(SendRequest<Piece>, Place)> {
        let (now, mut origins) = (clock.now(), self.origins.borrow_mut());
        let connections = &mut origins.get_mut(key)?.connections;
        connections.retain(|connection| !connection.load.is_over.get());
        let has_room = |connection: &&Multiplexed| {
            let way = &connection.way;
            now < way.until
                && origin.leads_to(way.peer)
                && connection.load.streams.get() < connection.send.current_max_send_streams().min(MOST_STREAMS)
        };
        let Multiplexed { send, load, .. } = connections.iter().find(has_room)?;
        load.streams.set(load.streams.get() + 1);
        Some((send.clone(), Place { load: Rc::clone(load), clock: clock.clone() }))
    }

    fn opening(&self, key: &Key) -> Option<Rc<Opening>> {
        self.origins.borrow().get(key)?.opening.clone()
    }

    fn keep(&self, key: &Key, connection: Multiplexed) {
        self.origins.borrow_mut().entry(key.clone()).or_default().connections.push(connection);
    }

    /// Lets go of what idled too long, is over, or leads where its origin is no more.
    pub(super) fn sweep(&self, now: Duration) {
        let is_fit = |Multiplexed { load, way, idle_timeout, .. }: &Multiplexed| {
            !load.is_over.get()
                && way.is_good(now)
                && (load.streams.get() > 0 || load.idle_since.get() + *idle_timeout > now)
        };
        self.origins.borrow_mut().retain(|_, origin| {
            origin.connections.retain(is_fit);
            !origin.connections.is_empty() || origin.opening.is_some()
        });
        while self.drivers.borrow_mut().try_join_next().is_some() {}
    }
}
