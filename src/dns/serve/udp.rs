//! One thread's loop for one UDP socket: take what has come, answer it, take more.
//!
//! The thread waits in the very call that receives. A poll before it would cost a call for every batch, and one that waits beside a socket is
//! woken by each answer that leaves it, too.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{Replied, Wait, answering::Answering, bind::PATIENCE, datagrams::Datagrams};
use crate::dns::{meters::Dropped, outcome::Transport};

/// Batches that what has arrived gets when the thread is told to stop.
const LAST_BATCHES: usize = 64;

pub(super) struct Postman {
    datagrams: Datagrams,
    answering: Answering,
    stop: Arc<AtomicBool>,
}

impl Postman {
    pub(super) fn new(datagrams: Datagrams, answering: Answering, stop: Arc<AtomicBool>) -> Self {
        Self { datagrams, answering, stop }
    }

    /// Serves until told to stop.
    pub(super) fn run(mut self) {
        // Pairs with the release in `Running::stop`.
        while !self.stop.load(Ordering::Acquire) {
            match self.datagrams.receive(Wait::ForOne) {
                Ok(_) => self.answer(),
                Err(error) => self.look_around(&error),
            }
        }
        for _ in 0..LAST_BATCHES {
            match self.datagrams.receive(Wait::ForNone) {
                Ok(_) => self.answer(),
                Err(_) => return,
            }
        }
    }

    /// Nothing has come for a while, or could not be taken.
    fn look_around(&mut self, error: &io::Error) {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.answering.follow(),
            // An answer to somebody who is gone comes back so on some systems; the queue goes on.
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused => {}
            _ => {
                tracing::warn!(%error, "DNS queries could not be received");
                thread::sleep(PATIENCE);
            }
        }
    }

    /// Answers what was received.
    fn answer(&mut self) {
        let mut turn = self.answering.turn(Transport::Udp);
        let mut to_nobody = 0;
        let Replied { oversized, unanswerable, unsent } = self.datagrams.reply(|message, client, out| {
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
}

/// Whether an answer can go there, and to one host alone.
pub(super) fn is_somebody(client: SocketAddr) -> bool {
    let is_one_host = match client.ip() {
        IpAddr::V4(address) => !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast(),
        IpAddr::V6(address) => !address.is_unspecified() && !address.is_multicast(),
    };
    client.port() != 0 && is_one_host
}
