//! One TCP client: messages with their length in front, as many in a row as it likes (RFC 7766).
//!
//! Bytes are read into a buffer that all connections of the thread share, all whole messages among them are answered, and the answers
//! written at once. A connection has memory of its own only while a message has come in part, or a client does not take its answers.
//! Such a client is not read from either.

use std::{
    io::{self, Read, Write},
    net::IpAddr,
    time::Duration,
};

use mio::net::TcpStream;

use super::answering::Answering;
use crate::dns::outcome::Transport;

/// No more is answered while so many bytes wait to be sent; one more answer comes on top at most.
const MAX_UNSENT: usize = 1 << 16;
/// Reads before other sockets get their turn.
const READS_A_TURN: usize = 4;
/// Bytes read at once: a few hundred queries.
const INBOX: usize = 1 << 14;
/// A length and the longest message.
const MAX_UNREAD: usize = 2 + u16::MAX as usize;
/// How much more is read at a time of a message that comes in parts.
const PART: usize = 4096;

/// What a thread's connections share.
pub(super) struct Trays {
    pub(super) answering: Answering,
    /// What was read last.
    inbox: Box<[u8]>,
    /// What is written next.
    outbox: Vec<u8>,
    answer: Vec<u8>,
}

impl Trays {
    pub(super) fn new(answering: Answering) -> Self {
        Self { answering, inbox: vec![0; INBOX].into(), outbox: Vec::new(), answer: Vec::with_capacity(4096) }
    }
}

/// A connection and what is on its way.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    /// Whose it is.
    address: IpAddr,
    /// When it last asked something whole, or took all answers: a byte now and then keeps nothing open.
    active_at: Duration,
    /// What was read and not answered.
    unread: Vec<u8>,
    /// What was answered and not taken.
    unsent: Vec<u8>,
    /// How much of `unsent` was sent.
    sent: usize,
    /// The client has said that it sends no more, though not everything may have been read.
    is_hung_up: bool,
    /// Everything was read.
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

/// What became of bytes that were read.
struct Digested {
    /// So many of them were answered.
    used: usize,
    /// One of the messages was no query.
    is_nonsense: bool,
}

impl Digested {
    /// Who sends what is no query has sent its last.
    fn judge(&self) -> io::Result<()> {
        if self.is_nonsense { Err(io::ErrorKind::InvalidData.into()) } else { Ok(()) }
    }
}

impl Connection {
    pub(super) fn new(stream: TcpStream, address: IpAddr, now: Duration) -> Self {
        Self {
            stream,
            address,
            active_at: now,
            unread: Vec::new(),
            unsent: Vec::new(),
            sent: 0,
            is_hung_up: false,
            has_ended: false,
        }
    }

    /// Whose it is.
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }

    /// For how long nothing worth waiting for has come.
    pub(super) fn silence(&self, now: Duration) -> Duration {
        now.saturating_sub(self.active_at)
    }

    /// Takes note that the client sends no more.
    pub(super) fn hangs_up(&mut self) {
        self.is_hung_up = true;
    }

    /// Reads, answers and writes as far as it goes without waiting, a bounded amount at a time. An error of the socket is its end.
    pub(super) fn advance(&mut self, trays: &mut Trays) -> Fate {
        for _ in 0..READS_A_TURN {
            match self.step(trays) {
                Ok(None) => {}
                Ok(Some(fate)) => return fate,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Fate::Ends,
            }
        }
        Fate::Yields
    }

    /// One read and what follows from it; nothing where there may be more to do.
    fn step(&mut self, trays: &mut Trays) -> io::Result<Option<Fate>> {
        if !self.flush(trays)? {
            return Ok(Some(Fate::Waits));
        }
        if next_message(&self.unread).is_some() {
            // Read before the client stopped taking answers.
            return self.digest_unread(trays).map(|()| None);
        }
        if self.has_ended {
            return Ok(Some(Fate::Ends));
        }
        let Some((read, is_drained)) = self.read(trays)? else { return Ok(Some(Fate::Waits)) };
        if read == 0 {
            self.has_ended = true;
            return Ok(Some(Fate::Ends));
        }
        if self.unread.is_empty() {
            let inbox = std::mem::take(&mut trays.inbox);
            let digested = self.digest(&inbox[..read], trays);
            if let Ok(digested) = &digested {
                self.unread.extend_from_slice(&inbox[digested.used..read]);
            }
            // All connections share it: it goes back, whatever became of this one.
            trays.inbox = inbox;
            digested?.judge()?;
        } else {
            self.digest_unread(trays)?;
        }
        // The poll tells when more comes, and has told already where the client hung up.
        let is_done = is_drained && !self.is_hung_up && self.unsent.is_empty();
        Ok(is_done.then_some(Fate::Waits))
    }

    /// Takes what has come: how much, and whether that was all. Behind what is unread, or else into the inbox.
    fn read(&mut self, trays: &mut Trays) -> io::Result<Option<(usize, bool)>> {
        let have = self.unread.len();
        let room = if have == 0 {
            &mut trays.inbox[..]
        } else {
            self.unread.resize(MAX_UNREAD.min(have + PART), 0);
            &mut self.unread[have..]
        };
        let result = self.stream.read(room);
        let is_drained = result.as_ref().is_ok_and(|read| *read < room.len());
        if have > 0 {
            self.unread.truncate(have + result.as_ref().map_or(0, |read| *read));
        }
        match result {
            Ok(read) => Ok(Some((read, is_drained))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Answers what is whole of the connection's own bytes.
    fn digest_unread(&mut self, trays: &mut Trays) -> io::Result<()> {
        let mut unread = std::mem::take(&mut self.unread);
        let digested = self.digest(&unread, trays)?;
        if digested.used < unread.len() {
            unread.drain(..digested.used);
            self.unread = unread;
        }
        digested.judge()
    }

    /// Answers whole messages, as many as may wait to be sent, and writes the answers.
    fn digest(&mut self, bytes: &[u8], trays: &mut Trays) -> io::Result<Digested> {
        let Trays { answering, outbox, answer, .. } = trays;
        let mut digested = Digested { used: 0, is_nonsense: false };
        if next_message(bytes).is_none() {
            return Ok(digested);
        }
        let mut turn = answering.turn(Transport::Tcp);
        while outbox.len() < MAX_UNSENT
            && let Some(message) = next_message(&bytes[digested.used..])
        {
            digested.used += 2 + message.len();
            if !turn.answer(message, self.address, answer) {
                digested.is_nonsense = true;
                break;
            }
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            outbox.extend_from_slice(&length.to_be_bytes());
            outbox.extend_from_slice(answer);
        }
        self.active_at = turn.began();
        let written = self.write(outbox);
        outbox.clear();
        turn.end();
        written.map(|()| digested)
    }

    /// Writes answers, and keeps what the client does not take.
    fn write(&mut self, mut answers: &[u8]) -> io::Result<()> {
        while !answers.is_empty() {
            let Some(length) = write_some(&mut self.stream, answers)? else {
                self.unsent.extend_from_slice(answers);
                break;
            };
            answers = &answers[length..];
        }
        Ok(())
    }

    /// Writes what the client did not take before; whether it is all gone now.
    fn flush(&mut self, trays: &Trays) -> io::Result<bool> {
        if self.unsent.is_empty() {
            return Ok(true);
        }
        while self.sent < self.unsent.len() {
            match write_some(&mut self.stream, &self.unsent[self.sent..])? {
                Some(length) => self.sent += length,
                None => return Ok(false),
            }
        }
        self.active_at = trays.answering.now();
        (self.unsent, self.sent) = (Vec::new(), 0);
        Ok(true)
    }
}

/// Writes as much as the socket takes; nothing where it takes nothing now.
fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<Option<usize>> {
    loop {
        match stream.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => return Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn next_message(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}
