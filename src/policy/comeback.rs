//! How fast clients move: back to what was lost and works again, and away from what lost a part.
//!
//! What returns is cold, and may fall again. So it gets nothing for a while, then more and more. What lost a part passes the excess on bit by
//! bit, so that those who take it are not overrun, too. What has nothing left passes all on at once: there is nothing to wait for.
//!
//! Pure: `control` says when, and writes what comes of it.

use std::time::Duration;

use crate::{
    clock::Ticks,
    config::{Failover, SlowStart},
    fleet::BasisPoints,
};

/// What is held back is not nothing: where nobody else is left, it is asked.
const TRICKLE: BasisPoints = BasisPoints::LEAST;
/// Parts of a basis point, so that a slow move moves at every tick.
const PARTS: u32 = 1_000;
/// What [`Failover::spill_percent`] is counted by.
const SPILL_TICKS: u32 = 100;

/// How what was lost gets its share back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Pace {
    hold: Duration,
    window: Duration,
    /// What it has at the end of the hold, in percent.
    least_percent: u32,
    aggression: u32,
}

impl Pace {
    /// Of an origin.
    pub fn of_origin(slow_start: &SlowStart) -> Self {
        let SlowStart { window, least_percent, aggression } = *slow_start;
        Self { hold: Duration::ZERO, window, least_percent, aggression }
    }

    /// Of a pool in a region.
    pub fn of_pool(failover: &Failover) -> Self {
        Self { hold: failover.hold, window: failover.ramp, least_percent: 0, aggression: 1 }
    }

    /// Of a region.
    pub fn of_region(failover: &Failover) -> Self {
        Self { hold: failover.region_hold, ..Self::of_pool(failover) }
    }

    /// The same for what an operator took away and gave back: nothing says that it may fall again.
    #[must_use]
    pub fn without_hold(self) -> Self {
        Self { hold: Duration::ZERO, ..self }
    }

    /// How long it is still held, so long after it returned.
    pub fn hold_left(&self, since: Duration) -> Duration {
        self.hold.saturating_sub(since)
    }

    /// How long it takes until it has all of its share, so long after it returned.
    pub fn left(&self, since: Duration) -> Duration {
        (self.hold + self.window).saturating_sub(since)
    }

    /// The share that it has so long after it returned; `None` where that is all of it.
    pub fn share(&self, since: Duration) -> Option<BasisPoints> {
        let Some(risen) = since.checked_sub(self.hold) else { return Some(TRICKLE) };
        if risen >= self.window {
            return None;
        }
        let part = (risen.as_secs_f64() / self.window.as_secs_f64()).powf(1.0 / f64::from(self.aggression.max(1)));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10,000")]
        let points = (part * f64::from(BasisPoints::FULL.get())) as u16;
        let least = BasisPoints::ratio(u64::from(self.least_percent), 100);
        Some(BasisPoints::new(points).max(least).max(TRICKLE))
    }
}

/// What a pool keeps of its clients in one region, on its way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Kept {
    parts: u32,
    /// Up to when it has gone down, while it is on its way; `None` where it says what could be kept.
    eased: Option<Ticks>,
}

impl Kept {
    /// Follows what it could keep: up at once, down by at most so many percent of all in ten seconds (0 is at once), to nothing at once.
    /// Time in which nothing was passed on is no credit: a way down begins with one tick's worth.
    pub fn follow(&mut self, could: BasisPoints, spill_percent: u32, now: Ticks) -> BasisPoints {
        let target = u32::from(could.get()) * PARTS;
        let step = step(spill_percent);
        let ticks = self.eased.map_or(1, |at| now.0.saturating_sub(at.0));
        let eased = self.parts.saturating_sub(step.saturating_mul(ticks));
        let parts = if target == 0 || spill_percent == 0 { target } else { target.max(eased) };
        *self = Self { parts, eased: (parts > target).then_some(now) };
        BasisPoints::new(u16::try_from(parts.div_ceil(PARTS)).unwrap_or(u16::MAX))
    }

    /// How long it takes until it keeps no more than that.
    pub fn left(&self, could: BasisPoints, spill_percent: u32) -> Duration {
        let excess = self.parts.saturating_sub(u32::from(could.get()) * PARTS);
        Duration::from_millis(100) * excess.checked_div(step(spill_percent)).unwrap_or_default()
    }
}

/// What goes in a tick.
fn step(spill_percent: u32) -> u32 {
    (u32::from(BasisPoints::FULL.get()) * PARTS / 100).saturating_mul(spill_percent) / SPILL_TICKS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn points(percent: u16) -> BasisPoints {
        BasisPoints::new(percent * 100)
    }

    #[test]
    fn what_returns_waits_and_then_rises_evenly() {
        let pace = Pace { hold: SECOND * 30, window: SECOND * 60, least_percent: 0, aggression: 1 };
        assert_eq!(pace.share(Duration::ZERO), Some(TRICKLE));
        assert_eq!(pace.share(SECOND * 29), Some(TRICKLE));
        assert_eq!(pace.share(SECOND * 60), Some(points(50)));
        assert_eq!(pace.share(SECOND * 90), None);
        assert_eq!((pace.hold_left(SECOND * 20), pace.left(SECOND * 20)), (SECOND * 10, SECOND * 70));
        assert_eq!(pace.without_hold().share(SECOND * 30), Some(points(50)));
        assert_eq!(Pace::default().share(Duration::ZERO), None, "no hold and no window is at once");
    }

    #[test]
    fn an_origin_starts_with_the_least_and_aggression_brings_the_rest_sooner() {
        let slow = SlowStart { window: SECOND * 30, least_percent: 10, aggression: 1 };
        assert_eq!(Pace::of_origin(&slow).share(Duration::ZERO), Some(points(10)));
        assert_eq!(Pace::of_origin(&slow).share(SECOND * 15), Some(points(50)));
        let fast = Pace::of_origin(&SlowStart { aggression: 2, ..slow });
        assert_eq!(fast.share(SECOND * 15).map(BasisPoints::get), Some(7_071));
    }

    #[test]
    fn the_excess_goes_bit_by_bit_and_all_goes_at_once() {
        let mut kept = Kept::default();
        assert_eq!(kept.follow(BasisPoints::FULL, 10, Ticks(0)), BasisPoints::FULL);
        assert_eq!(kept.follow(points(56), 10, Ticks(1)).get(), 9_990);
        assert_eq!(kept.left(points(56), 10), Duration::from_millis(43_900));
        assert_eq!(kept.follow(points(56), 10, Ticks(101)).get(), 8_990);
        assert_eq!(kept.follow(points(56), 10, Ticks(1_000)), points(56));
        assert_eq!(kept.follow(points(46), 10, Ticks(2_000)).get(), 5_590, "a quiet time is no credit");
        assert_eq!(kept.follow(points(46), 10, Ticks(2_010)).get(), 5_490);
        assert_eq!(kept.follow(BasisPoints::ZERO, 10, Ticks(1_001)), BasisPoints::ZERO);
        assert_eq!(kept.follow(points(30), 10, Ticks(1_002)), points(30));
    }

    proptest! {
        #[test]
        fn what_is_kept_is_never_less_than_what_could_be_and_never_falls_faster(
            steps in prop::collection::vec((0..=10_000_u16, 0..50_u32), 1..60),
            spill in 1..=100_u32,
        ) {
            let (mut kept, mut now) = (Kept::default(), Ticks(0));
            let (mut before, mut could_before) = (0_u16, 0_u16);
            for (could, waits) in steps {
                now = Ticks(now.0 + waits);
                let says = kept.follow(BasisPoints::new(could), spill, now).get();
                prop_assert!(says >= could);
                let ticks = if before > could_before { waits } else { 1 };
                if could > 0 {
                    prop_assert!(u32::from(before.saturating_sub(says)) <= spill * ticks + 1);
                }
                (before, could_before) = (says, could);
            }
        }
    }
}
