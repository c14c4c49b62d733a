//! Who is on the other end of a client's connection.

use std::{net::IpAddr, rc::Rc, time::Duration};

use super::{io::Deadline, worker::Worker};

/// What is known of a client by its connection alone.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// Where it is: told by its socket, or by a trusted balancer in front of us.
    pub(super) address: IpAddr,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
    /// Until when it may stay connected.
    pub(super) until: Duration,
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
