//! All deadlines of one worker in one array that is looked through twenty times a second.
//!
//! Setting one is a store: no timer is armed, nothing is allocated. The price is precision: a deadline fires up to two ticks late, never
//! early. Looking through 10,000 of them costs some microseconds.

use std::{
    cell::RefCell,
    rc::Rc,
    task::{Context, Waker},
    time::Duration,
};

/// How often deadlines are looked at.
pub(in crate::proxy) const TICK: Duration = Duration::from_millis(50);
const NEVER: u64 = u64::MAX;

/// The array.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Deadlines(RefCell<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Ticks so far.
    now: u64,
    /// In ticks, by seat.
    due: Vec<u64>,
    /// What no deadline of a seat goes beyond.
    bounds: Vec<u64>,
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

/// One connection's deadline; one at a time is set.
#[derive(Debug)]
pub(in crate::proxy) struct Deadline {
    seat: usize,
    home: Rc<Deadlines>,
}

impl Deadlines {
    /// A seat, with nothing due.
    pub(in crate::proxy) fn seat(self: &Rc<Self>) -> Deadline {
        let mut inner = self.0.borrow_mut();
        let seat = inner.free.pop().unwrap_or_else(|| {
            inner.due.push(NEVER);
            inner.bounds.push(NEVER);
            inner.wakers.push(None);
            inner.due.len() - 1
        });
        Deadline { seat, home: Rc::clone(self) }
    }

    /// Time has passed: wakes those whose deadline is over.
    pub(in crate::proxy) fn advance(&self, to: Duration) {
        let inner = &mut *self.0.borrow_mut();
        inner.now = inner.now.max(ticks(to));
        for (due, waker) in inner.due.iter().zip(&mut inner.wakers) {
            if *due <= inner.now
                && let Some(waker) = waker.take()
            {
                waker.wake();
            }
        }
    }

    /// Something else happened that everybody should look at.
    pub(in crate::proxy) fn wake_all(&self) {
        self.0.borrow_mut().wakers.iter_mut().filter_map(Option::take).for_each(Waker::wake);
    }
}

impl Deadline {
    /// Due that long from now.
    pub(in crate::proxy) fn set(&self, after: Duration) {
        let mut inner = self.home.0.borrow_mut();
        // The current tick has begun already, and is not over: one more on each side keeps it from being early.
        inner.due[self.seat] = (inner.now + ticks(after) + 2).min(inner.bounds[self.seat]);
    }

    /// From now on nothing is due later than that long from now; unbounded again by nothing.
    pub(in crate::proxy) fn bound(&self, after: Option<Duration>) {
        let mut inner = self.home.0.borrow_mut();
        inner.bounds[self.seat] = after.map_or(NEVER, |after| inner.now + ticks(after) + 2);
    }

    /// Whether the bound is reached.
    pub(in crate::proxy) fn is_bound_over(&self) -> bool {
        let inner = self.home.0.borrow();
        inner.bounds[self.seat] <= inner.now
    }

    /// Whether it is over; else the task is woken when it is.
    pub(in crate::proxy) fn is_over(&self, cx: &Context<'_>) -> bool {
        let inner = &mut *self.home.0.borrow_mut();
        if inner.due[self.seat] <= inner.now {
            return true;
        }
        match &mut inner.wakers[self.seat] {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            waker => *waker = Some(cx.waker().clone()),
        }
        false
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        let mut inner = self.home.0.borrow_mut();
        inner.due[self.seat] = NEVER;
        inner.bounds[self.seat] = NEVER;
        inner.wakers[self.seat] = None;
        inner.free.push(self.seat);
    }
}

fn ticks(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis() / TICK.as_millis()).unwrap_or(NEVER / 4).min(NEVER / 4)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_deadline_is_never_early_and_at_most_two_ticks_late() {
        let deadlines = Rc::new(Deadlines::default());
        let (woken, seat) = (Arc::new(Woken::default()), deadlines.seat());
        let waker = Waker::from(Arc::clone(&woken));
        let cx = Context::from_waker(&waker);
        deadlines.advance(Duration::from_millis(1049));
        seat.set(Duration::from_secs(1));
        for now in (1050..2049).step_by(50) {
            deadlines.advance(Duration::from_millis(now));
            assert!(!seat.is_over(&cx), "{now}");
        }
        deadlines.advance(Duration::from_millis(2150));
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(seat.is_over(&cx));
    }

    #[test]
    fn nothing_is_due_behind_the_bound() {
        let deadlines = Rc::new(Deadlines::default());
        let cx = Context::from_waker(Waker::noop());
        let seat = deadlines.seat();
        seat.bound(Some(Duration::from_secs(1)));
        deadlines.advance(Duration::from_millis(900));
        seat.set(Duration::from_secs(1));
        assert!(!seat.is_over(&cx) && !seat.is_bound_over());
        deadlines.advance(Duration::from_millis(1100));
        assert!(seat.is_over(&cx) && seat.is_bound_over());
        seat.bound(None);
        seat.set(Duration::from_secs(1));
        assert!(!seat.is_over(&cx) && !seat.is_bound_over());
    }

    #[test]
    fn who_has_left_is_never_woken() {
        let deadlines = Rc::new(Deadlines::default());
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let cx = Context::from_waker(&waker);
        let seat = deadlines.seat();
        seat.set(Duration::from_secs(1));
        assert!(!seat.is_over(&cx));
        drop(seat);
        deadlines.advance(Duration::from_secs(9));
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        let again = deadlines.seat();
        assert!(again.seat == 0 && !again.is_over(&cx), "the seat is taken again, with nothing due");
    }
}
