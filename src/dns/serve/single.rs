//! UDP one datagram at a time, for systems without the calls that take many.
//!
//! With a socket for all addresses, the system chooses which of them an answer leaves from: listen on each address where that matters.
//!
//! Not here: how Linux does it (`batch`).

use std::{
    io,
    net::{SocketAddr, UdpSocket},
};

use super::{Replied, Wait};

/// Bytes of the longest query; nothing longer is one.
const LONGEST: usize = 4096;

/// A socket and a datagram.
pub(super) struct Datagrams {
    socket: UdpSocket,
    waits: Wait,
    /// Has place for one byte too many.
    bytes: Box<[u8]>,
    received: Option<(usize, SocketAddr)>,
    answer: Vec<u8>,
}

impl Datagrams {
    /// Takes a bound socket over.
    #[allow(clippy::unnecessary_wraps, reason = "`batch` has more to do")]
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        let (bytes, answer) = (vec![0; LONGEST + 1].into(), Vec::with_capacity(LONGEST));
        Ok(Self { socket, waits: Wait::ForOne, bytes, received: None, answer })
    }

    /// Takes a datagram, and says how many that were.
    ///
    /// # Errors
    /// `WouldBlock` where nothing has arrived.
    pub(super) fn receive(&mut self, wait: Wait) -> io::Result<usize> {
        self.received = None;
        if self.waits != wait {
            self.socket.set_nonblocking(wait == Wait::ForNone)?;
            self.waits = wait;
        }
        loop {
            match self.socket.recv_from(&mut self.bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => {
                    self.received = Some(received?);
                    return Ok(1);
                }
            }
        }
    }

    /// Has the datagram that was received answered into a buffer, and sends what there is: `answer` says whether there is anything.
    pub(super) fn reply(&mut self, mut answer: impl FnMut(&[u8], SocketAddr, &mut Vec<u8>) -> bool) -> Replied {
        let mut replied = Replied::default();
        let Some((length, client)) = self.received.take() else { return replied };
        if length > LONGEST {
            replied.oversized += 1;
        } else if answer(&self.bytes[..length], client, &mut self.answer)
            && self.socket.send_to(&self.answer, client).is_err()
        {
            replied.unsent += 1;
        }
        replied
    }
}
