//! Queries over TCP: several connections, several queries under way on each.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use socket2::SockRef;

use crate::{
    client::Run,
    question::LONGEST,
    window::{Tally, Window},
};

pub(crate) const CONNECTIONS: usize = 16;
/// Queries under way on each.
pub(crate) const PIPELINED: usize = 16;

/// Without an answer for so long, a connection is broken.
const PATIENCE: Duration = Duration::from_secs(5);

/// One connection.
pub(crate) struct Stream {
    socket: TcpStream,
    window: Window,
    /// What has come; the last answer may not be whole.
    unread: Vec<u8>,
    /// When something came, or the first query was asked.
    progress: Duration,
}

/// Asks on all connections until the end.
pub(crate) fn saturate(run: &mut Run, streams: &mut [Stream]) {
    loop {
        let now = run.clock.now();
        if now >= run.end && streams.iter().all(|stream| stream.window.outstanding == 0) {
            return;
        }
        for stream in &mut *streams {
            // Half a pipeline at a time, so that a segment carries several.
            if now < run.end && stream.window.outstanding <= PIPELINED / 2 {
                stream.ask(run, now);
            }
            stream.take(&mut run.tally, now);
        }
    }
}

impl Stream {
    /// Connects as often as it takes.
    pub(crate) fn open_all(address: SocketAddr) -> Vec<Self> {
        (0..CONNECTIONS).map(|_| Self::open(address)).collect()
    }

    fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, window: Window::new(), unread: Vec::new(), progress: Duration::ZERO }
    }

    fn ask(&mut self, run: &mut Run, now: Duration) {
        if self.window.outstanding == 0 {
            self.progress = now;
        }
        let mut queries = [0; (2 + LONGEST) * PIPELINED];
        let mut end = 0;
        while self.window.outstanding < PIPELINED {
            let length = self.window.ask(&mut run.questions, &mut run.tally, now, &mut queries[end + 2..]);
            queries[end..end + 2].copy_from_slice(&(length as u16).to_be_bytes());
            end += 2 + length;
        }
        // So few bytes always have room.
        self.socket.write_all(&queries[..end]).unwrap();
    }

    fn take(&mut self, tally: &mut Tally, now: Duration) {
        let mut chunk = [0; 16_384];
        match self.socket.read(&mut chunk) {
            Ok(0) => panic!("the server closed a connection"),
            Ok(length) => self.unread.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let is_stuck = self.window.outstanding > 0 && now.saturating_sub(self.progress) > PATIENCE;
                assert!(!is_stuck, "the server answers no more on a connection");
                return;
            }
            Err(error) => panic!("{error}"),
        }
        // A server that writes each answer by itself, as Nagle would have it, waits for this acknowledgement with the next.
        SockRef::from(&self.socket).set_tcp_quickack(true).unwrap();
        self.progress = now;
        let mut at = 0;
        while let Some((length, rest)) = self.unread[at..].split_first_chunk()
            && let Some(answer) = rest.get(..usize::from(u16::from_be_bytes(*length)))
        {
            self.window.take(answer, tally, now);
            at += 2 + answer.len();
        }
        self.unread.drain(..at);
    }
}
