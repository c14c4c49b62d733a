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
    way::{Key, Way},
};
use crate::{
    clock::Clock,
    config,
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
    pub(super) clock: Clock,
}

#[derive(Debug)]
struct Idle {
    wire: Wire,
    metrics: Counted,
    way: Way,
    until: Duration,
}

/// A connection while it serves one request. Dropped without being given back, it is closed.
#[derive(Debug)]
pub(in crate::proxy) struct Lent {
    pub(in crate::proxy) end: H1End<Listening>,
    metrics: Counted,
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
        Rc::new(Self { idle: RefCell::default(), shared: Shared::default(), open: Rc::default(), clock })
    }

    /// An idle connection that is still open, and leads where the origin is now.
    pub(in crate::proxy) fn take(self: &Rc<Self>, origin: &Reach, line: &Line) -> Option<Lent> {
        let now = self.clock.now();
        let mut all = self.idle.borrow_mut();
        let idle = all.get_mut(&Key::new(origin, line))?;
        while let Some(Idle { mut wire, metrics, way, until }) = idle.pop() {
            let way = Way { origin: origin.clone(), ..way };
            // Not quiet means closed, or that the origin says what nobody asked for: neither is fit for use.
            if until > now && way.is_good(now) && wire.is_quiet() {
                return Some(self.lent(wire, metrics, way, &line.settings));
            }
        }
        None
    }

    /// Wraps a fresh connection, to be kept afterwards as the pool says.
    pub(super) fn lend(self: &Rc<Self>, wire: Wire, way: Way, counted: Counted, line: &Line) -> Lent {
        self.lent(wire, counted, way, &line.settings)
    }

    fn lent(self: &Rc<Self>, wire: Wire, metrics: Counted, way: Way, pool: &config::Pool) -> Lent {
        Lent {
            end: H1End::new(wire, Listening::default()),
            metrics,
            way,
            max_idle: pool.max_idle_connections,
            idle_timeout: pool.idle_timeout,
            home: Rc::downgrade(self),
        }
    }

    /// Closes what has idled too long, was closed by its origin, or leads where its origin is no more.
    pub(in crate::proxy) fn sweep(&self) {
        let now = self.clock.now();
        self.shared.sweep(now);
        self.idle.borrow_mut().retain(|_, idle| {
            idle.retain_mut(|entry| entry.until > now && entry.way.is_good(now) && entry.wire.is_quiet());
            !idle.is_empty()
        });
    }
}

impl Lent {
    /// The request is over and the connection may serve another.
    pub(in crate::proxy) fn give_back(mut self) {
        let Some(home) = self.home.upgrade() else { return };
        let now = home.clock.now();
        if !self.way.is_good(now) || !self.end.wire.is_quiet() {
            return;
        }
        let until = now + self.idle_timeout;
        let mut all = home.idle.borrow_mut();
        let idle = all.entry(self.way.key()).or_default();
        if idle.len() < self.max_idle {
            idle.push(Idle { wire: self.end.wire, metrics: self.metrics, way: self.way, until });
        }
    }
}
