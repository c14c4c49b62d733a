//! Who is on the other end of a client's connection.

use std::{net::IpAddr, rc::Rc, time::Duration};

use super::{io::Deadline, worker::Worker};
use crate::tls::ServerTls;

/// What is known of a client by its connection alone.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// Where it is: told by its socket, or by a trusted balancer in front of us.
    pub(super) address: IpAddr,
    /// What its TLS connection says; nothing where it came in the clear.
    pub(super) tls: Option<Rc<TlsFacts>>,
    /// Until when it may stay connected.
    pub(super) until: Duration,
    /// Drawn by lot, from 0 to 1: whose turn it is when all have to go.
    pub(super) lot: f64,
}

impl Peer {
    /// `http` or `https`.
    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Whether a request for this host belongs on another connection, as something else was demanded on this one (RFC 9110 §15.5.20).
    pub(super) fn is_misdirected(&self, server: Option<&ServerTls>, host: &str) -> bool {
        self.tls.as_ref().zip(server).is_some_and(|(facts, server)| facts.demands != server.demands_of(host))
    }
}

/// What a TLS connection says about itself.
#[derive(Debug)]
pub(super) struct TlsFacts {
    /// Whether HTTP/2 was agreed upon.
    pub(super) is_h2: bool,
    /// What was demanded of the client, as a number to compare.
    pub(super) demands: u32,
    /// Who the client is by its certificate, as origins are told.
    pub(super) certificate: Option<Box<str>>,
}

/// A place at a worker: what every request needs of it.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) worker: Rc<Worker>,
    pub(super) deadline: Deadline,
}

impl Seat {
    pub(super) fn new(worker: Rc<Worker>) -> Self {
        let deadline = worker.deadlines.seat();
        Self { worker, deadline }
    }
}
