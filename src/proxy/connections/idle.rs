//! The idle connections, and the loan of one.

use std::{
    cell::RefCell,
    collections::HashMap,
    net::SocketAddr,
    rc::{Rc, Weak},
    time::Duration,
};

use hyper::client::conn::http1::SendRequest;

use crate::{clock::Clock, config, proxy::body::Upload};

/// All idle connections of one worker, by origin.
#[derive(Debug)]
pub(in crate::proxy) struct Connections {
    idle: RefCell<HashMap<SocketAddr, Vec<Idle>>>,
    clock: Clock,
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<Upload>,
    until: Duration,
}

/// A connection while it serves one request. Dropped without being given back, it is closed.
#[derive(Debug)]
pub(in crate::proxy) struct Lent {
    pub(in crate::proxy) sender: SendRequest<Upload>,
    address: SocketAddr,
    max_idle: usize,
    idle_timeout: Duration,
    home: Weak<Connections>,
}

impl Connections {
    pub(in crate::proxy) fn new(clock: Clock) -> Rc<Self> {
        Rc::new(Self { idle: RefCell::default(), clock })
    }

    /// An idle connection that is still open.
    pub(in crate::proxy) fn take(self: &Rc<Self>, address: SocketAddr, pool: &config::Pool) -> Option<Lent> {
        let now = self.clock.now();
        let mut all = self.idle.borrow_mut();
        let idle = all.get_mut(&address)?;
        while let Some(Idle { sender, until }) = idle.pop() {
            // Not ready means closed, or that the origin has not finished its last answer: neither is fit for use.
            if until > now && sender.is_ready() {
                return Some(self.lend(sender, address, pool));
            }
        }
        None
    }

    /// Wraps a fresh connection, to be kept afterwards as the pool says.
    pub(in crate::proxy) fn lend(
        self: &Rc<Self>,
        sender: SendRequest<Upload>,
        address: SocketAddr,
        pool: &config::Pool,
    ) -> Lent {
        Lent {
            sender,
            address,
            max_idle: pool.max_idle_connections,
            idle_timeout: pool.idle_timeout,
            home: Rc::downgrade(self),
        }
    }

    /// Closes what has idled too long or was closed by its origin.
    pub(in crate::proxy) fn sweep(&self) {
        let now = self.clock.now();
        self.idle.borrow_mut().retain(|_, idle| {
            idle.retain(|entry| entry.until > now && !entry.sender.is_closed());
            !idle.is_empty()
        });
    }
}

impl Lent {
    /// The request is over and the connection may serve another.
    pub(in crate::proxy) fn give_back(self) {
        let Some(home) = self.home.upgrade() else { return };
        if self.sender.is_closed() {
            return;
        }
        let until = home.clock.now() + self.idle_timeout;
        let mut all = home.idle.borrow_mut();
        let idle = all.entry(self.address).or_default();
        if idle.len() < self.max_idle {
            idle.push(Idle { sender: self.sender, until });
        }
    }
}
