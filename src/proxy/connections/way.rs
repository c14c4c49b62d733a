//! Where a connection leads.

use std::{net::SocketAddr, time::Duration};

use crate::{fleet::Address, proxy::route::Line, resolver::Reach};

/// Which origin a connection is to, and where that was when it was opened: a name may lead elsewhere by now.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) origin: Reach,
    pub(super) peer: SocketAddr,
    /// How it was made: protocol and TLS.
    pub(super) manner: u64,
    /// When it is too old to serve another request.
    pub(super) until: Duration,
}

/// What a connection is for: it serves whoever asks for the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    address: Address,
    manner: u64,
}

impl Key {
    pub(super) fn new(origin: &Reach, line: &Line) -> Self {
        Self { address: origin.address().clone(), manner: line.manner }
    }
}

impl Way {
    pub(super) fn key(&self) -> Key {
        Key { address: self.origin.address().clone(), manner: self.manner }
    }

    /// Whether the origin is still there, and the connection not too old.
    pub(super) fn is_good(&self, now: Duration) -> bool {
        now < self.until && self.origin.leads_to(self.peer)
    }
}
