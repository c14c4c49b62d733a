//! One thread's loop for TCP: wait, then serve each socket that has something, a bounded amount at a time.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mio::{
    Events, Interest, Poll, Token, Waker,
    event::Event,
    net::{TcpListener, TcpStream},
};

use super::{
    answering::Answering,
    connection::{Connection, Fate, Trays},
    connections::Connections,
};
use crate::dns::{meters::ConnectionMeters, outcome::Transport};

const WAKER: Token = Token(0);
/// Listeners come after the waker, connections after the listeners.
const FIRST_LISTENER: usize = 1;
/// Connections accepted before other sockets get their turn.
const ACCEPTS_A_TURN: usize = 16;
const MAX_EVENTS: usize = 256;
/// How often idle connections are looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// Turns that what has arrived gets when the thread is told to stop.
const LAST_TURNS: usize = 16;

pub(super) struct Streams {
    poll: Poll,
    listeners: Vec<TcpListener>,
    connections: Connections,
    meters: ConnectionMeters,
    /// Sockets that have something, and those that had more than one turn's worth: the poll reports only what is new.
    ready: Vec<Token>,
    unfinished: Vec<Token>,
    /// Listeners that had no file left for a client; they are asked again after a while.
    starved: Vec<Token>,
    trays: Trays,
    stop: Arc<AtomicBool>,
}

impl Streams {
    pub(super) fn new(
        mut listeners: Vec<TcpListener>,
        answering: Answering,
        stop: Arc<AtomicBool>,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        for (listener, token) in listeners.iter_mut().zip((FIRST_LISTENER..).map(Token)) {
            poll.registry().register(listener, token, Interest::READABLE)?;
        }
        let streams = Self {
            poll,
            listeners,
            connections: Connections::default(),
            meters: ConnectionMeters::new(Transport::Tcp),
            ready: Vec::new(),
            unfinished: Vec::new(),
            starved: Vec::new(),
            trays: Trays::new(answering),
            stop,
        };
        Ok((streams, waker))
    }

    /// Serves until told to stop.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(MAX_EVENTS);
        let mut swept_at = self.trays.answering.now();
        loop {
            let wait = if self.unfinished.is_empty() { SWEEP } else { Duration::ZERO };
            match self.poll.poll(&mut events, Some(wait)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return tracing::error!(%error, "a DNS thread cannot wait for streams any more"),
            }
            // Pairs with the release in `Running::stop`; checked before serving, so that what has arrived is served once more.
            let is_stopping = self.stop.load(Ordering::Acquire);
            self.ready.append(&mut self.unfinished);
            for event in events.iter().filter(|event| event.token() != WAKER) {
                self.hear(event);
            }
            self.serve_ready();
            if is_stopping {
                (1..LAST_TURNS).for_each(|_| self.serve_rest());
                return;
            }
            let now = self.trays.answering.now();
            if now.saturating_sub(swept_at) >= SWEEP {
                self.trays.answering.follow();
                self.close_idle(now);
                self.unfinished.append(&mut self.starved);
                swept_at = now;
            }
        }
    }

    fn hear(&mut self, event: &Event) {
        self.ready.push(event.token());
        if event.is_read_closed()
            && let Some(connection) = self.place(event.token()).and_then(|place| self.connections.get_mut(place))
        {
            connection.hangs_up();
        }
    }

    fn serve_ready(&mut self) {
        let mut ready = std::mem::take(&mut self.ready);
        for token in ready.drain(..) {
            self.serve(token);
        }
        self.ready = ready;
    }

    fn serve_rest(&mut self) {
        self.ready.append(&mut self.unfinished);
        self.serve_ready();
    }

    /// The place of a connection with this token; nothing where it is no connection's.
    fn place(&self, token: Token) -> Option<usize> {
        token.0.checked_sub(FIRST_LISTENER + self.listeners.len())
    }

    fn serve(&mut self, token: Token) {
        match self.place(token) {
            Some(place) => self.serve_connection(place, token),
            None => self.accept(token.0 - FIRST_LISTENER, token),
        }
    }

    fn accept(&mut self, at: usize, token: Token) {
        for _ in 0..ACCEPTS_A_TURN {
            match self.listeners[at].accept() {
                Ok((stream, client)) => self.admit(stream, client.ip()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // A client that left at once.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a DNS client failed");
                    return self.starved.push(token);
                }
            }
        }
        self.unfinished.push(token);
    }

    /// Takes a client in, if there is place for it; else it is closed at once.
    fn admit(&mut self, mut stream: TcpStream, client: IpAddr) {
        let settings = self.trays.answering.settings();
        let (most, most_of_one) =
            settings.map_or((0, 0), |settings| (settings.max_tcp_connections, settings.max_tcp_connections_per_client));
        let now = self.trays.answering.now();
        if !self.connections.admit(client, most_of_one) {
            return self.meters.of_one_client.increment(1);
        }
        if self.connections.len() >= most {
            if !self.connections.remove_one_that_rests(now) {
                self.connections.leave(client);
                return self.meters.full.increment(1);
            }
            self.meters.closed.increment(1);
        }
        let place = self.connections.next_place();
        let token = Token(FIRST_LISTENER + self.listeners.len() + place);
        if let Err(error) = self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE) {
            tracing::warn!(%error, "a DNS client cannot be waited for");
            return self.connections.leave(client);
        }
        self.meters.opened.increment(1);
        self.connections.insert(Connection::new(stream, client, now));
        self.serve_connection(place, token);
    }

    fn serve_connection(&mut self, place: usize, token: Token) {
        let Some(connection) = self.connections.get_mut(place) else { return };
        match connection.advance(&mut self.trays) {
            Fate::Waits => {}
            Fate::Yields => self.unfinished.push(token),
            Fate::Ends => self.meters.closed.increment(u64::from(self.connections.remove(place))),
        }
    }

    fn close_idle(&mut self, now: Duration) {
        let limit = self.trays.answering.settings().map(|settings| settings.tcp_idle_timeout);
        self.meters.closed.increment(self.connections.remove_idle(now, limit.unwrap_or_default()));
    }
}
