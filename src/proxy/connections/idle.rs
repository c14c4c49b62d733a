//! The idle connections, and the loan of one.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::{Rc, Weak},
    sync::Arc,
    time::Duration,
};

use super::{
    Shared,
    gate::Gates,
    way::{Key, Way},
};
use crate::{
    clock::Clock,
    proxy::{
        exchange::Listening,
        io::Wire,
        observe::PoolMetrics,
        route::Line,
        tally::{self, Tally},
        transfer::H1End,
    },
    resolver::Reach,
};

/// All idle connections of one worker, by origin.
#[derive(Debug)]
pub(in crate::proxy) struct Connections {
    idle: RefCell<HashMap<Key, Vec<Idle>>>,
    /// Those of origins that speak HTTP/2.
    pub(super) shared: Shared,
    /// All there are, idle or not.
    pub(super) open: Rc<Tally<Key>>,
    pub(super) gates: Gates,
    pub(super) clock: Clock,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Lent>,
    until: Duration,
}

/// A connection while it serves one request. Dropped without being given back, it is closed. It stays in its box as long as it is open: who waits
/// for it has room for a pointer.
#[derive(Debug)]
pub(in crate::proxy) struct Lent {
    pub(in crate::proxy) end: H1End<Listening>,
    _counted: Counted,
    way: Way,
    max_idle: usize,
    idle_timeout: Duration,
    home: Weak<Connections>,
}

/// Counts a connection as opened, and as closed when it is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    metrics: Arc<PoolMetrics>,
    /// Among those to its origin.
    _place: tally::Counted<Key>,
}

impl Counted {
    pub(super) fn new(metrics: &Arc<PoolMetrics>, place: tally::Counted<Key>) -> Self {
        metrics.opened.increment(1);
        Self { metrics: Arc::clone(metrics), _place: place }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.closed.increment(1);
    }
}

impl Connections {
    pub(in crate::proxy) fn new(clock: Clock) -> Rc<Self> {
        Rc::new(Self {
            idle: RefCell::default(),
            shared: Shared::default(),
            open: Rc::default(),
            gates: Gates::default(),
            clock,
        })
    }

    /// An idle connection that is still open, and leads where the origin is now; kept afterwards as the pool says now.
    pub(in crate::proxy) fn take(self: &Rc<Self>, origin: &Reach, line: &Line) -> Option<Box<Lent>> {
        let now = self.clock.now();
        let mut all = self.idle.borrow_mut();
        let idle = all.get_mut(&Key::new(origin, line))?;
        while let Some(Idle { mut connection, until }) = idle.pop() {
            connection.way.origin = origin.clone();
            // Not quiet means closed, or that the origin says what nobody asked for: neither is fit for use.
            if until > now && connection.way.is_good(now) && connection.end.wire.is_quiet() {
                connection.max_idle = line.settings.max_idle_connections;
                connection.idle_timeout = line.settings.idle_timeout;
                return Some(connection);
            }
        }
        None
    }

    /// Wraps a fresh connection, to be kept afterwards as the pool says.
    pub(super) fn lend(self: &Rc<Self>, wire: Wire, way: Way, counted: Counted, line: &Line) -> Box<Lent> {
        Box::new(Lent {
            end: H1End::new(wire, Listening::default()),
            _counted: counted,
            way,
            max_idle: line.settings.max_idle_connections,
            idle_timeout: line.settings.idle_timeout,
            home: Rc::downgrade(self),
        })
    }

    /// Closes what has idled too long, was closed by its origin, or leads where its origin is no more.
    pub(in crate::proxy) fn sweep(&self) {
        let now = self.clock.now();
        self.shared.sweep(now);
        self.gates.sweep();
        self.idle.borrow_mut().retain(|_, idle| {
            idle.retain_mut(|Idle { connection, until }| {
                *until > now && connection.way.is_good(now) && connection.end.wire.is_quiet()
            });
            !idle.is_empty()
        });
    }
}

impl Lent {
    /// The request is over and the connection may serve another.
    pub(in crate::proxy) fn give_back(mut self: Box<Self>) {
        let Some(home) = self.home.upgrade() else { return };
        let now = home.clock.now();
        if !self.way.is_good(now) || !self.end.wire.is_quiet() {
            return;
        }
        let until = now + self.idle_timeout;
        let (key, mut all) = (self.way.key(), home.idle.borrow_mut());
        home.gates.given_back(&key);
        let idle = all.entry(key).or_default();
        if idle.len() < self.max_idle {
            idle.push(Idle { connection: self, until });
        }
    }
}
