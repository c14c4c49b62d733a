//! How tries at one origin ended lately: a sum that slides in tenths of the window.

use std::time::Duration;

use crate::fleet::{Observation, Sketch};

const SLICES: usize = 10;
/// Percentiles are counted in this many parts of the window: a slice of them is a hundred times as large as one of plain counts.
const SKETCHES: usize = 2;

/// What was seen of an origin within the window.
#[derive(Clone, Debug)]
pub(super) struct Window {
    span: Duration,
    slices: [Slice; SLICES],
    /// Only where somebody measured.
    sketches: [Option<Box<Times>>; SKETCHES],
}

/// How many tries ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) good: u32,
    pub(super) failed: u32,
}

impl Counts {
    pub(super) fn all(self) -> u32 {
        self.good.saturating_add(self.failed)
    }

    /// From 0 to 1; all is well where nothing happened.
    pub(super) fn success(self) -> f64 {
        if self.all() == 0 { 1.0 } else { f64::from(self.good) / f64::from(self.all()) }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Slice {
    /// Counts which it is since the clock began; another one with the same place is over.
    number: u64,
    counts: Counts,
}

/// Times to the first byte, by the buckets of a [`Sketch`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Times {
    number: u64,
    counts: [u32; Sketch::BUCKETS],
}

impl Default for Times {
    fn default() -> Self {
        Self { number: 0, counts: [0; Sketch::BUCKETS] }
    }
}

impl Times {
    /// Counts in what a worker measured.
    pub(super) fn count(&mut self, sketch: &Sketch) {
        self.add(sketch.counts().iter().map(|count| u32::from(*count)));
    }

    fn add(&mut self, others: impl IntoIterator<Item = u32>) {
        for (count, more) in self.counts.iter_mut().zip(others) {
            *count = count.saturating_add(more);
        }
    }

    /// How many there are.
    pub(super) fn all(&self) -> u32 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The bucket in which so many percent of them end, where there are any.
    pub(super) fn percentile(&self, percent: u32) -> Option<usize> {
        let rank = (u64::from(self.all()) * u64::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        self.counts.iter().position(|count| {
            seen += u64::from(*count);
            seen >= rank
        })
    }
}

impl Window {
    pub(super) fn new(span: Duration) -> Self {
        Self { span, slices: [Slice::default(); SLICES], sketches: [None, None] }
    }

    /// Another span forgets what was seen: it was summed up by the old one.
    pub(super) fn resize(&mut self, span: Duration) {
        if self.span != span {
            *self = Self::new(span);
        }
    }

    /// Forgets what was seen.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.span);
    }

    /// Counts in what a worker saw.
    pub(super) fn add(&mut self, seen: &Observation, now: Duration) {
        let number = self.number(SLICES, now);
        let slice = &mut self.slices[place(number, SLICES)];
        if slice.number != number {
            *slice = Slice { number, ..Slice::default() };
        }
        slice.counts.good = slice.counts.good.saturating_add(seen.good);
        slice.counts.failed = slice.counts.failed.saturating_add(seen.failed);
        if let Some(sketch) = &seen.latencies {
            let number = self.number(SKETCHES, now);
            let times = self.sketches[place(number, SKETCHES)].get_or_insert_default();
            if times.number != number {
                **times = Times { number, ..Times::default() };
            }
            times.count(sketch);
        }
    }

    /// How tries ended within the window.
    pub(super) fn counts(&self, now: Duration) -> Counts {
        let current = self.number(SLICES, now);
        let within = self.slices.iter().filter(|slice| is_within(slice.number, current, SLICES));
        within.fold(Counts::default(), |sum, Slice { counts, .. }| Counts {
            good: sum.good.saturating_add(counts.good),
            failed: sum.failed.saturating_add(counts.failed),
        })
    }

    /// Times to the first byte within the window.
    pub(super) fn times(&self, now: Duration) -> Times {
        let current = self.number(SKETCHES, now);
        let mut all = Times::default();
        for times in self.sketches.iter().flatten().filter(|times| is_within(times.number, current, SKETCHES)) {
            all.add(times.counts);
        }
        all
    }

    /// Which of so many parts of a window it is, counted from 1.
    fn number(&self, parts: usize, now: Duration) -> u64 {
        let nanos = (self.span.as_nanos() / parts as u128).max(1);
        u64::try_from(now.as_nanos() / nanos).unwrap_or(u64::MAX).saturating_add(1)
    }
}

fn place(number: u64, parts: usize) -> usize {
    usize::try_from(number % parts as u64).unwrap_or_default()
}

fn is_within(number: u64, current: u64, parts: usize) -> bool {
    number > 0 && number <= current && current - number < parts as u64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fleet::{Address, Watchlist};

    fn seen(good: u32, failed: u32, millis: &[u64]) -> Observation {
        let address = Address::Fixed(([127, 0, 0, 1], 1).into());
        let list = Watchlist::new([("shop".into(), [address])], None);
        let mut sketch = Sketch::default();
        for millis in millis {
            sketch.count(Duration::from_millis(*millis));
        }
        Observation {
            origin: Arc::clone(list.origin(0, 0).unwrap()),
            good,
            failed,
            fault: None,
            in_a_row: None,
            asked_out: None,
            latencies: (!millis.is_empty()).then(|| Box::new(sketch)),
        }
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let at = Duration::from_millis;
        let mut window = Window::new(Duration::from_secs(10));
        window.add(&seen(3, 1, &[]), at(500));
        window.add(&seen(1, 0, &[]), at(5_000));
        assert_eq!(window.counts(at(9_999)), Counts { good: 4, failed: 1 });
        // The slice from 0 to 1 s is over.
        assert_eq!(window.counts(at(10_000)), Counts { good: 1, failed: 0 });
        assert_eq!(window.counts(at(15_000)), Counts::default());
        // Its place is used again, an hour later as well.
        window.add(&seen(2, 0, &[]), at(3_600_000));
        assert_eq!(window.counts(at(3_600_000)), Counts { good: 2, failed: 0 });
        window.clear();
        assert_eq!(window.counts(at(3_600_000)), Counts::default());
    }

    #[test]
    fn percentiles_are_those_of_what_was_counted() {
        let mut window = Window::new(Duration::from_secs(10));
        let millis: Vec<u64> = (0..100).map(|at| if at < 89 { 2 } else { 700 }).collect();
        window.add(&seen(100, 0, &millis), Duration::from_secs(1));
        let times = window.times(Duration::from_secs(1));
        assert_eq!(times.all(), 100);
        let begins = |percent| Sketch::beginning(times.percentile(percent).unwrap());
        assert_eq!((begins(50), begins(89)), (Duration::from_micros(1_792), Duration::from_micros(1_792)));
        assert_eq!((begins(90), begins(100)), (Duration::from_micros(655_360), Duration::from_micros(655_360)));
        assert_eq!(window.times(Duration::from_secs(10)).percentile(50), None, "that half is over");
    }

    #[test]
    fn nothing_is_no_failure() {
        assert!((Counts::default().success() - 1.0).abs() < f64::EPSILON);
        assert!((Counts { good: 1, failed: 3 }.success() - 0.25).abs() < f64::EPSILON);
    }
}
