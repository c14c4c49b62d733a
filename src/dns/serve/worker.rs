//! One thread's loop: wait, then serve each socket that has something, a bounded amount at a time.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mio::{Events, Interest, Poll, Token, Waker, event::Event};

use super::{
    connection::{Connection, Fate},
    server::Sockets,
};
use crate::{
    clock::{self, Clock},
    config,
    dns::{
        outcome::{Asked, Client, Moment, Transport},
        respond::Responder,
        zone::Zones,
    },
    table::{Reader, Table},
};

const WAKER: Token = Token(0);
/// Sockets come after the waker, connections after the sockets.
const FIRST_SOCKET: usize = 1;
/// Datagrams answered before other sockets get their turn.
const DATAGRAMS_A_TURN: usize = 64;
/// Connections accepted before other sockets get their turn.
const ACCEPTS_A_TURN: usize = 16;
const MAX_EVENTS: usize = 256;
/// How often idle connections are looked for.
const SWEEP: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    poll: Poll,
    sockets: Sockets,
    connections: HashMap<Token, Connection>,
    next_token: usize,
    /// Sockets that had more than one turn's worth; the poll reports only what is new.
    unfinished: Vec<Token>,
    /// Listeners that had no file left for a client; they are asked again after a while.
    starved: Vec<Token>,
    reader: Reader,
    responder: Responder,
    clock: Clock,
    stop: Arc<AtomicBool>,
    /// One datagram in, one answer out; used again and again.
    datagram: Box<[u8]>,
    answer: Vec<u8>,
}

impl Worker {
    pub(super) fn new(
        mut sockets: Sockets,
        table: &Table,
        clock: &Clock,
        stop: Arc<AtomicBool>,
    ) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let mut next_token = FIRST_SOCKET;
        let mut token = || {
            next_token += 1;
            Token(next_token - 1)
        };
        for socket in &mut sockets.udp {
            poll.registry().register(socket, token(), Interest::READABLE)?;
        }
        for listener in &mut sockets.tcp {
            poll.registry().register(listener, token(), Interest::READABLE)?;
        }
        let worker = Self {
            poll,
            sockets,
            connections: HashMap::new(),
            next_token,
            unfinished: Vec::new(),
            starved: Vec::new(),
            reader: table.reader(clock.clone()),
            responder: Responder::new(clock::random()),
            clock: clock.clone(),
            stop,
            datagram: vec![0; 65_536].into(),
            answer: Vec::with_capacity(4096),
        };
        Ok((worker, waker))
    }

    /// Serves until told to stop.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(MAX_EVENTS);
        let mut swept_at = self.clock.now();
        loop {
            let wait = if self.unfinished.is_empty() { SWEEP } else { Duration::ZERO };
            match self.poll.poll(&mut events, Some(wait)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return tracing::error!(%error, "a DNS thread cannot wait for queries any more"),
            }
            // Pairs with the release in `Running::stop`; checked before serving, so that what has arrived is served once more.
            let is_stopping = self.stop.load(Ordering::Acquire);
            let mut ready = std::mem::take(&mut self.unfinished);
            ready.extend(events.iter().map(Event::token).filter(|token| *token != WAKER));
            for token in ready {
                self.serve(token);
            }
            if is_stopping {
                return;
            }
            let now = self.clock.now();
            if now.saturating_sub(swept_at) >= SWEEP {
                self.close_idle(now);
                self.unfinished.append(&mut self.starved);
                swept_at = now;
            }
        }
    }

    fn serve(&mut self, token: Token) {
        let (udp, tcp) = (self.sockets.udp.len(), self.sockets.tcp.len());
        match token.0 - FIRST_SOCKET {
            at if at < udp => self.serve_datagrams(at, token),
            at if at < udp + tcp => self.accept(at - udp, token),
            _ => self.serve_connection(token),
        }
    }

    fn serve_datagrams(&mut self, at: usize, token: Token) {
        let socket = &self.sockets.udp[at];
        for _ in 0..DATAGRAMS_A_TURN {
            let (length, client) = match socket.recv_from(&mut self.datagram) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An answer to somebody who is gone comes back as an error of the next call; the queue goes on.
                Err(_) => continue,
            };
            let snapshot = self.reader.snapshot();
            let message = &self.datagram[..length];
            let asked = Client { address: client.ip(), transport: Transport::Udp };
            if let Asked::Answered(_) =
                self.responder.respond(message, asked, Moment::default(), snapshot, &mut self.answer)
            {
                // A full send queue loses the answer, as a network may; the client asks again.
                _ = socket.send_to(&self.answer, client);
            }
        }
        self.unfinished.push(token);
    }

    fn accept(&mut self, at: usize, token: Token) {
        let limit = self.settings(|settings| settings.max_tcp_connections).unwrap_or(0);
        for _ in 0..ACCEPTS_A_TURN {
            let (mut stream, client) = match self.sockets.tcp[at].accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // A client that left at once.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a DNS client failed");
                    return self.starved.push(token);
                }
            };
            if self.connections.len() >= limit && !self.close_one_that_rests() {
                self.responder.meters().refused.increment(1);
                continue;
            }
            let connection = self.free_token();
            let interest = Interest::READABLE | Interest::WRITABLE;
            if self.poll.registry().register(&mut stream, connection, interest).is_ok() {
                self.responder.meters().opened.increment(1);
                self.connections.insert(connection, Connection::new(stream, client.ip(), self.clock.now()));
                self.serve_connection(connection);
            }
        }
        self.unfinished.push(token);
    }

    /// A limit of the config in force.
    fn settings<T>(&mut self, look: impl FnOnce(&config::Dns) -> T) -> Option<T> {
        let zones: Option<&Zones> = self.reader.snapshot().generation.compiled();
        zones.map(|zones| look(&zones.settings))
    }

    fn free_token(&mut self) -> Token {
        self.next_token += 1;
        Token(self.next_token)
    }

    fn serve_connection(&mut self, token: Token) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        let (snapshot, now) = (self.reader.snapshot(), self.clock.now());
        match connection.advance(&mut self.responder, snapshot, &mut self.answer, now) {
            Fate::Waits => {}
            Fate::Yields => self.unfinished.push(token),
            Fate::Ends => self.close(token),
        }
    }

    /// Makes place for a newcomer: whoever has rested longest goes, if that is a while.
    fn close_one_that_rests(&mut self) -> bool {
        let longest = self.connections.iter().min_by_key(|(_, connection)| connection.active_at);
        let now = self.clock.now();
        let rests = longest.filter(|(_, connection)| now.saturating_sub(connection.active_at) >= SWEEP);
        let resting = rests.map(|(token, _)| *token);
        resting.map(|token| self.close(token)).is_some()
    }

    fn close(&mut self, token: Token) {
        if let Some(mut connection) = self.connections.remove(&token) {
            // A socket that was never registered cannot be here, and dropping it closes it all the same.
            _ = self.poll.registry().deregister(&mut connection.stream);
            self.responder.meters().closed.increment(1);
        }
    }

    fn close_idle(&mut self, now: Duration) {
        let limit = self.settings(|settings| settings.tcp_idle_timeout).unwrap_or_default();
        let is_idle = |connection: &Connection| now.saturating_sub(connection.active_at) >= limit;
        let idle: Vec<Token> =
            self.connections.iter().filter(|(_, connection)| is_idle(connection)).map(|(token, _)| *token).collect();
        for token in idle {
            self.close(token);
        }
    }
}
