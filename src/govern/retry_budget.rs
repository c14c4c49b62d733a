//! How many tries beyond the first a pool's origins get: a share of the requests under way, and a few a second besides.
//!
//! Without it retries multiply the load of a pool just when it fails. The share lets a busy pool ride out the death of one origin; the few a
//! second let a quiet one, where a fifth of the requests under way is none. Counted for the node; touched by retries alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::config;

/// One pool's.
#[derive(Debug)]
pub struct RetryBudget {
    /// Of the requests under way, in percent.
    percent: u64,
    /// Between two of the few a second; nothing where there are none.
    interval: Option<Duration>,
    under_way: AtomicU32,
    /// When the few a second would all be spent, in nanoseconds.
    spent_until: AtomicU64,
}

/// A retry under way.
#[derive(Debug)]
pub struct Retrying(Arc<RetryBudget>);

impl RetryBudget {
    /// A budget of which nothing is spent.
    pub fn new(settings: &config::Retry) -> Arc<Self> {
        Arc::new(Self {
            percent: u64::from(settings.budget_percent),
            interval: Duration::from_secs(1).checked_div(settings.budget_per_second),
            under_way: AtomicU32::new(0),
            spent_until: AtomicU64::new(0),
        })
    }

    /// One more, if the budget has it. `active` are the pool's requests under way.
    pub fn begin(self: &Arc<Self>, now: Duration, active: impl FnOnce() -> u64) -> Option<Retrying> {
        if !self.spend(now) && u64::from(self.under_way.load(Ordering::Relaxed)) * 100 >= active() * self.percent {
            return None;
        }
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Some(Retrying(Arc::clone(self)))
    }

    /// One of the few a second, at most a second's worth at once.
    fn spend(&self, now: Duration) -> bool {
        let Some(interval) = self.interval else { return false };
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let (now, interval, second) = (nanos(now), nanos(interval), nanos(Duration::from_secs(1)));
        let next = |spent_until: u64| {
            let next = spent_until.max(now) + interval;
            // A division's rest must not cost one of them.
            (next <= now + second + 1).then_some(next)
        };
        self.spent_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

impl Drop for Retrying {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(budget_percent: u32, budget_per_second: u32) -> Arc<RetryBudget> {
        let text = format!(
            "[regions.a]\naddresses = [\"192.0.2.1\"]\n[pools.a]\norigins = [{{ address = \"192.0.2.2:80\" }}]\n\
             retry = {{ budget_percent = {budget_percent}, budget_per_second = {budget_per_second} }}\n[[routes]]\npool = \"a\"\n"
        );
        let config = config::from_text("test.toml", &text, &config::Identity::default()).config.unwrap();
        RetryBudget::new(&config.pools[0].retry)
    }

    #[test]
    fn a_share_of_what_is_under_way_may_be_retried() {
        let budget = budget(20, 0);
        let begin = |active| budget.begin(Duration::ZERO, || active);
        let held: Vec<_> = (0..3).map(|_| begin(11)).collect();
        assert_eq!(held.iter().flatten().count(), 3, "a fifth of 11, and one begun");
        assert!(begin(11).is_none());
        assert!(begin(100).is_some());
        drop(held);
        assert!(begin(1).is_some());
        assert!(begin(0).is_none());
    }

    #[test]
    fn a_few_a_second_come_on_top() {
        let budget = budget(0, 3);
        let in_second = |second: u64| {
            let now = Duration::from_secs(second);
            (0..10).filter(|_| budget.begin(now, || 1_000_000).is_some()).count()
        };
        assert_eq!([in_second(0), in_second(1), in_second(2), in_second(60)], [3, 3, 3, 3]);
        let early = Duration::from_mins(1) + Duration::from_millis(200);
        assert!(budget.begin(early, || 0).is_none(), "not before a third of a second has passed");
    }
}
