//! Time and seeded randomness, handed in everywhere.
//!
//! Nothing else in the program asks the system for the time, so tests and simulations can run on a clock they turn by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A point in time in steps of 100 ms since the clock was made; small enough to live in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticks(pub u32);

impl Ticks {
    /// Later than every other tick: what never expires is valid until then.
    pub const FOREVER: Self = Self(u32::MAX);

    /// This tick and so much later, rounded up; [`Self::FOREVER`] where that is past the end.
    pub fn after(self, span: Duration) -> Self {
        let steps = span.as_millis().div_ceil(100).saturating_add(u128::from(self.0));
        Self(u32::try_from(steps).unwrap_or(u32::MAX))
    }
}

/// Where the time comes from. Clones share one source.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System(Instant),
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The machine's monotonic clock, starting at zero now.
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    pub fn system() -> Self {
        Self(Source::System(Instant::now()))
    }

    /// A clock that stands at zero until [`Self::advance`] moves it.
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::default()))
    }

    /// Time since the clock was made.
    pub fn now(&self) -> Duration {
        match &self.0 {
            Source::System(start) => start.elapsed(),
            // A hand-turned clock orders nothing but itself.
            Source::Manual(nanos) => Duration::from_nanos(nanos.load(Ordering::Relaxed)),
        }
    }

    /// [`Self::now`] in steps of 100 ms.
    pub fn ticks(&self) -> Ticks {
        Ticks(u32::try_from(self.now().as_millis() / 100).unwrap_or(u32::MAX - 1))
    }

    /// Moves a manual clock forward.
    ///
    /// # Panics
    /// On the system clock, which nobody moves.
    pub fn advance(&self, span: Duration) {
        let Source::Manual(nanos) = &self.0 else { panic!("only a manual clock is moved by hand") };
        nanos.fetch_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// The calendar time, for people to read: logs, and when an override was made.
#[allow(clippy::disallowed_methods, reason = "the one place that asks the system for the date")]
pub fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A stream of random numbers: seeded, so that a run can be repeated.
pub type Random = fastrand::Rng;

/// A stream that differs from run to run.
pub fn random() -> Random {
    fastrand::Rng::new()
}

/// The same stream for the same seed.
pub fn seeded(seed: u64) -> Random {
    fastrand::Rng::with_seed(seed)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn ticks_round_up_and_never_wrap() {
        assert_eq!(Ticks(3).after(Duration::from_millis(101)), Ticks(5));
        assert_eq!(Ticks(u32::MAX - 1).after(Duration::from_mins(1)), Ticks::FOREVER);
    }

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::manual();
        let seen_by_another = clock.clone();
        clock.advance(Duration::from_millis(250));
        assert_eq!(seen_by_another.ticks(), Ticks(2));
    }
}
