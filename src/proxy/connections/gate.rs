//! How many connections one worker opens to one origin at the same time.
//!
//! When a region is lost its requests come to the next one at once, and each would open a connection there: a handshake for each of them at one
//! moment, at origins that never saw so many. So only some open, and the others wait for whatever comes first: a connection that somebody
//! gives back, or a turn. HTTP/2 needs none of this: there one opens, and all others wait for it (`shared`).
//!
//! Costs nothing while connections are kept; a fresh one costs an entry in a map.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    task::Poll,
};

use tokio::sync::Notify;

use super::way::Key;
use crate::proxy::io::Deadline;

/// The gates of one worker, by origin. Only where somebody opens or waits there is one.
#[derive(Debug, Default)]
pub(super) struct Gates(RefCell<HashMap<Key, Rc<Gate>>>);

#[derive(Debug, Default)]
struct Gate {
    opening: Cell<u32>,
    waiting: Cell<u32>,
    freed: Notify,
}

/// The right to open a connection, until it is there or is not going to be.
#[derive(Debug)]
pub(super) struct Turn(Rc<Gate>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.opening.set(self.0.opening.get() - 1);
        self.0.freed.notify_one();
    }
}

/// One who waits.
struct Waiting<'a>(&'a Gate);

impl<'a> Waiting<'a> {
    fn at(gate: &'a Gate) -> Self {
        gate.waiting.set(gate.waiting.get() + 1);
        Self(gate)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get() - 1);
    }
}

impl Gates {
    /// A turn, unless so many have one. Who comes newly does not pass those who wait.
    pub(super) fn enter(&self, key: &Key, most: u32, has_waited: bool) -> Option<Turn> {
        let mut gates = self.0.borrow_mut();
        let gate = gates.entry(key.clone()).or_default();
        if gate.opening.get() >= most || (!has_waited && gate.waiting.get() > 0) {
            return None;
        }
        gate.opening.set(gate.opening.get() + 1);
        Some(Turn(Rc::clone(gate)))
    }

    /// A connection was given back: whoever waits may have it.
    pub(super) fn given_back(&self, key: &Key) {
        let gates = self.0.borrow();
        if let Some(gate) = if gates.is_empty() { None } else { gates.get(key) } {
            gate.freed.notify_one();
        }
    }

    /// Waits until something may have come free; says whether that was in time.
    pub(super) async fn wait(&self, key: &Key, deadline: &Deadline) -> bool {
        let gate = Rc::clone(self.0.borrow_mut().entry(key.clone()).or_default());
        let _waiting = Waiting::at(&gate);
        let mut freed = pin!(gate.freed.notified());
        let is_freed = poll_fn(|cx| match freed.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if deadline.is_over(cx) => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        });
        is_freed.await
    }

    /// Forgets the gates at which nobody is.
    pub(super) fn sweep(&self) {
        self.0.borrow_mut().retain(|_, gate| Rc::strong_count(gate) > 1);
    }
}
