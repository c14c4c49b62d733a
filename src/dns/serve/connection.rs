//! One TCP client: messages with their length in front, as many in a row as it likes (RFC 7766).

use std::{
    io::{self, Read, Write},
    net::IpAddr,
    time::Duration,
};

use mio::net::TcpStream;

use crate::{
    dns::{
        outcome::{Asked, Client, Moment, Transport},
        respond::Responder,
    },
    table::Snapshot,
};

/// Answers are written to a client before its next question is looked at once so many bytes wait; one more answer comes on top at most.
const MAX_UNSENT: usize = 1 << 16;
/// Reads before other sockets get their turn.
const READS_A_TURN: usize = 8;
/// A length and the longest message.
const MAX_UNREAD: usize = 2 + u16::MAX as usize;

/// A connection and what is on its way.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// When it last asked something whole, or took all answers: a byte now and then keeps nothing open.
    pub(super) active_at: Duration,
    /// Whose it is.
    address: IpAddr,
    unread: Vec<u8>,
    unsent: Vec<u8>,
    /// How much of `unsent` was sent.
    sent: usize,
    has_ended: bool,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits for the client.
    Waits,
    /// It could go on, after others.
    Yields,
    /// It is over.
    Ends,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, address: IpAddr, now: Duration) -> Self {
        Self { stream, address, active_at: now, unread: Vec::new(), unsent: Vec::new(), sent: 0, has_ended: false }
    }

    /// Reads, answers and writes as far as it goes without waiting, a bounded amount at a time.
    pub(super) fn advance(
        &mut self,
        responder: &mut Responder,
        snapshot: Snapshot<'_>,
        answer: &mut Vec<u8>,
        now: Duration,
    ) -> Fate {
        for _ in 0..READS_A_TURN {
            loop {
                match self.flush(now) {
                    Ok(true) => {}
                    // Who does not read is not read either: writing goes on when the socket takes more.
                    Ok(false) => return Fate::Waits,
                    Err(_) => return Fate::Ends,
                }
                match self.answer_some(responder, snapshot, answer, now) {
                    Some(true) => {}
                    Some(false) => break,
                    None => return Fate::Ends,
                }
            }
            if self.has_ended {
                return Fate::Ends;
            }
            match self.read() {
                Ok(true) => {}
                Ok(false) => return Fate::Waits,
                Err(_) => return Fate::Ends,
            }
        }
        Fate::Yields
    }

    /// Takes what has come; false where nothing has. The end of the stream lets what was asked before be answered.
    fn read(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 4096];
        let room = chunk.len().min(MAX_UNREAD - self.unread.len());
        match self.stream.read(&mut chunk[..room]) {
            Ok(0) => {
                self.has_ended = true;
                Ok(true)
            }
            Ok(length) => {
                self.unread.extend_from_slice(&chunk[..length]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Answers whole messages, as many as may wait to be sent; whether there were any. `None` where one was no query, which ends the
    /// connection.
    fn answer_some(
        &mut self,
        responder: &mut Responder,
        snapshot: Snapshot<'_>,
        answer: &mut Vec<u8>,
        now: Duration,
    ) -> Option<bool> {
        let mut at = 0;
        while self.unsent.len() < MAX_UNSENT
            && let Some(message) = next_message(&self.unread[at..])
        {
            at += 2 + message.len();
            let client = Client { address: self.address, transport: Transport::Tcp };
            if let Asked::Dropped(_) = responder.respond(message, client, Moment::default(), snapshot, answer) {
                return None;
            }
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            self.unsent.extend_from_slice(&length.to_be_bytes());
            self.unsent.extend_from_slice(answer);
        }
        if at > 0 {
            self.active_at = now;
            self.unread.drain(..at);
        }
        Some(at > 0)
    }

    /// Whether all was sent.
    fn flush(&mut self, now: Duration) -> io::Result<bool> {
        if self.unsent.is_empty() {
            return Ok(true);
        }
        while self.sent < self.unsent.len() {
            match self.stream.write(&self.unsent[self.sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.active_at = now;
        self.unsent.clear();
        self.sent = 0;
        Ok(true)
    }
}

fn next_message(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}
