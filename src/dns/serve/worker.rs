//! One thread's loop: wait, then serve each socket that has something, a bounded amount at a time.

use std::{
    io,
    net::{IpAddr, SocketAddr},
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
    Replied,
    answering::Answering,
    connection::{Connection, Fate, Trays},
    connections::Connections,
    datagrams::{Datagrams, WIDTH},
    server::Sockets,
};
use crate::dns::{
    meters::{ConnectionMeters, Dropped},
    outcome::Transport,
};

const WAKER: Token = Token(0);
/// Sockets come after the waker, connections after the sockets.
const FIRST_SOCKET: usize = 1;
/// Datagrams answered before other sockets get their turn.
const DATAGRAMS_A_TURN: usize = 128;
/// Connections accepted before other sockets get their turn.
const ACCEPTS_A_TURN: usize = 16;
const MAX_EVENTS: usize = 256;
/// How often idle connections are looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// Turns that what has arrived gets when the thread is told to stop.
const LAST_TURNS: usize = 16;

pub(super) struct Worker {
    poll: Poll,
    datagrams: Vec<Datagrams>,
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

impl Worker {
    pub(super) fn new(sockets: Sockets, answering: Answering, stop: Arc<AtomicBool>) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let mut datagrams = sockets.udp.into_iter().map(Datagrams::new).collect::<io::Result<Vec<_>>>()?;
        let mut listeners = sockets.tcp;
        let mut tokens = (FIRST_SOCKET..).map(Token);
        for (socket, token) in datagrams.iter_mut().map(Datagrams::socket).zip(&mut tokens) {
            poll.registry().register(socket, token, Interest::READABLE)?;
        }
        for (listener, token) in listeners.iter_mut().zip(&mut tokens) {
            poll.registry().register(listener, token, Interest::READABLE)?;
        }
        let worker = Self {
            poll,
            datagrams,
            listeners,
            connections: Connections::default(),
            meters: ConnectionMeters::new(Transport::Tcp),
            ready: Vec::new(),
            unfinished: Vec::new(),
            starved: Vec::new(),
            trays: Trays::new(answering),
            stop,
        };
        Ok((worker, waker))
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
                Err(error) => return tracing::error!(%error, "a DNS thread cannot wait for queries any more"),
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
        token.0.checked_sub(FIRST_SOCKET + self.datagrams.len() + self.listeners.len())
    }

    fn serve(&mut self, token: Token) {
        let at = token.0 - FIRST_SOCKET;
        match self.place(token) {
            Some(place) => self.serve_connection(place, token),
            None if at < self.datagrams.len() => self.serve_datagrams(at, token),
            None => self.accept(at - self.datagrams.len(), token),
        }
    }

    fn serve_datagrams(&mut self, at: usize, token: Token) {
        let datagrams = &mut self.datagrams[at];
        for _ in 0..DATAGRAMS_A_TURN / WIDTH {
            match datagrams.receive() {
                Ok(count) => {
                    answer_batch(datagrams, &mut self.trays.answering);
                    // A batch that is not full has emptied the queue: the poll tells of what comes after.
                    if count < WIDTH && WIDTH > 1 {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An answer to somebody who is gone comes back as an error of the next call; the queue goes on.
                Err(_) => {}
            }
        }
        self.unfinished.push(token);
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
        let token = Token(FIRST_SOCKET + self.datagrams.len() + self.listeners.len() + place);
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

/// Answers what was received.
fn answer_batch(datagrams: &mut Datagrams, answering: &mut Answering) {
    let mut turn = answering.turn(Transport::Udp);
    let mut to_nobody = 0;
    let Replied { oversized, unanswerable, unsent } = datagrams.reply(|message, client, out| {
        if !is_somebody(client) {
            to_nobody += 1;
            return false;
        }
        turn.answer(message, client.ip(), out)
    });
    turn.dropped(Dropped::Oversized, oversized);
    turn.dropped(Dropped::Unanswerable, unanswerable + to_nobody);
    turn.unsent(unsent);
    turn.end();
}

/// Whether an answer can go there, and to one host alone.
pub(super) fn is_somebody(client: SocketAddr) -> bool {
    let is_one_host = match client.ip() {
        IpAddr::V4(address) => !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast(),
        IpAddr::V6(address) => !address.is_unspecified() && !address.is_multicast(),
    };
    client.port() != 0 && is_one_host
}
