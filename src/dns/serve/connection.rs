//! One TCP client: messages with their length in front, as many in a row as it likes (RFC 7766).

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use mio::net::TcpStream;

use crate::{
    dns::respond::{Asked, Responder, Transport},
    table::Snapshot,
};

/// Answers that may wait for a client that does not read; beyond it, it is not read from either.
const MAX_UNSENT: usize = 1 << 17;
/// A length and the longest message.
const MAX_UNREAD: usize = 2 + u16::MAX as usize;

/// A connection and what is on its way.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// When it last sent or took something.
    pub(super) active_at: Duration,
    unread: Vec<u8>,
    unsent: Vec<u8>,
    has_ended: bool,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits for the client.
    Waits,
    /// It is over.
    Ends,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, now: Duration) -> Self {
        Self { stream, active_at: now, unread: Vec::new(), unsent: Vec::new(), has_ended: false }
    }

    /// Reads, answers and writes as far as it goes without waiting.
    pub(super) fn advance(
        &mut self,
        responder: &mut Responder,
        snapshot: Snapshot<'_>,
        answer: &mut Vec<u8>,
        now: Duration,
    ) -> Fate {
        loop {
            if self.flush(now).is_err() {
                return Fate::Ends;
            }
            if self.has_ended && self.unsent.is_empty() {
                return Fate::Ends;
            }
            if self.has_ended || self.unsent.len() > MAX_UNSENT {
                return Fate::Waits;
            }
            let Ok(has_read) = self.read(now) else { return Fate::Ends };
            if !self.answer_all(responder, snapshot, answer) {
                return Fate::Ends;
            }
            if !has_read && self.unsent.is_empty() {
                return Fate::Waits;
            }
        }
    }

    /// Takes what has come; false where nothing has. The end of the stream lets what was asked before be answered.
    fn read(&mut self, now: Duration) -> io::Result<bool> {
        let mut chunk = [0; 4096];
        let room = chunk.len().min(MAX_UNREAD - self.unread.len());
        match self.stream.read(&mut chunk[..room]) {
            Ok(0) => {
                self.has_ended = true;
                Ok(true)
            }
            Ok(length) => {
                self.active_at = now;
                self.unread.extend_from_slice(&chunk[..length]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Answers every whole message; false where one was no query, which ends the connection.
    fn answer_all(&mut self, responder: &mut Responder, snapshot: Snapshot<'_>, answer: &mut Vec<u8>) -> bool {
        let mut at = 0;
        while let Some(message) = next_message(&self.unread[at..]) {
            at += 2 + message.len();
            if responder.respond(message, Transport::Tcp, snapshot, answer) == Asked::Dropped {
                return false;
            }
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            self.unsent.extend_from_slice(&length.to_be_bytes());
            self.unsent.extend_from_slice(answer);
        }
        self.unread.drain(..at);
        true
    }

    fn flush(&mut self, now: Duration) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(length) => {
                    self.active_at = now;
                    self.unsent.drain(..length);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn next_message(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}
