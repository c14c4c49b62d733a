//! What makes an origin stand out. Pure: from what was seen within the window to who is found, and why.

use super::window::{Counts, Times};
use crate::{
    config::{FailureRatio, LatencyOutlier, SuccessRate},
    fleet::Sketch,
};

/// What looks at what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Detector {
    /// Failures in a row.
    Consecutive,
    /// It succeeds much less often than the others of its pool.
    SuccessRate,
    /// It fails too often.
    FailureRatio,
    /// It is much slower than its pool.
    Latency,
    /// The origin itself asked for it.
    Asked,
}

impl Detector {
    /// The metric's label.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Consecutive => "consecutive",
            Self::SuccessRate => "success-rate",
            Self::FailureRatio => "failure-ratio",
            Self::Latency => "latency",
            Self::Asked => "asked",
        }
    }
}

/// Who was found, by the caller's index, and in what words.
pub(super) type Found = (usize, String);

/// Those whose rate of success lies more than so many standard deviations below the mean.
pub(super) fn success_rate(rule: SuccessRate, seen: &[(usize, Counts)]) -> Vec<Found> {
    let judged: Vec<_> = seen.iter().filter(|(_, counts)| counts.all() >= rule.min_requests).collect();
    if judged.len() < rule.min_origins {
        return Vec::new();
    }
    let number = f64::from(u32::try_from(judged.len()).unwrap_or(u32::MAX));
    let mean = judged.iter().map(|(_, counts)| counts.success()).sum::<f64>() / number;
    let variance = judged.iter().map(|(_, counts)| (counts.success() - mean).powi(2)).sum::<f64>() / number;
    let least = mean - rule.deviations * variance.sqrt();
    let stands_out = |counts: &Counts| counts.failed >= rule.min_failures && counts.success() < least;
    let words = |counts: &Counts| {
        format!(
            "{:.1} % of {} requests succeeded, {:.1} % in the pool",
            100.0 * counts.success(),
            counts.all(),
            100.0 * mean
        )
    };
    judged.into_iter().filter(|(_, counts)| stands_out(counts)).map(|(at, counts)| (*at, words(counts))).collect()
}

/// Those that fail too often.
pub(super) fn failure_ratio(rule: FailureRatio, seen: &[(usize, Counts)]) -> Vec<Found> {
    let fails = |counts: &Counts| {
        let (failed, all) = (u64::from(counts.failed), u64::from(counts.all()));
        counts.all() >= rule.min_requests && 100 * failed >= u64::from(rule.percent) * all
    };
    let found = seen.iter().filter(|(_, counts)| fails(counts));
    found.map(|(at, counts)| (*at, format!("{} of {} requests failed", counts.failed, counts.all()))).collect()
}

/// Those whose 90th percentile is more than so many times the median of all of these. Times are known by the quarter of an octave; in doubt nobody is
/// found.
pub(super) fn latency(rule: LatencyOutlier, seen: &[(usize, Times)]) -> Vec<Found> {
    let judged = seen.iter().filter(|(_, times)| times.all() >= rule.min_requests);
    let tails: Vec<_> = judged.filter_map(|(at, times)| Some((*at, times.percentile(90)?))).collect();
    let mut sorted: Vec<usize> = tails.iter().map(|(_, tail)| *tail).collect();
    sorted.sort_unstable();
    // Of two in the middle the shorter one: a half that is slow does not make slowness usual.
    let middle = sorted.len().saturating_sub(1) / 2;
    let Some(median) = sorted.get(middle).filter(|_| sorted.len() >= rule.min_origins) else { return Vec::new() };
    let usual = Sketch::beginning(median + 1);
    let found = tails.into_iter().filter_map(|(at, tail)| {
        let slow = Sketch::beginning(tail);
        let words = || format!("every tenth answer took {slow:.1?} or more, {usual:.1?} or less are usual in the pool");
        (slow.as_secs_f64() > rule.factor * usual.as_secs_f64()).then(|| (at, words()))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RATE: SuccessRate = SuccessRate { deviations: 1.9, min_requests: 100, min_failures: 5, min_origins: 5 };

    fn counts(seen: &[(u32, u32)]) -> Vec<(usize, Counts)> {
        seen.iter().map(|(good, failed)| Counts { good: *good, failed: *failed }).enumerate().collect()
    }

    fn at(found: Vec<Found>) -> Vec<usize> {
        found.into_iter().map(|(at, _)| at).collect()
    }

    #[test]
    fn one_of_five_that_fails_lies_two_deviations_below_the_mean() {
        // Rates 1, 1, 1, 1, 0.9: mean 0.98, deviation √(4·0.02² + 0.08²)/√5 = 0.04, and 0.98 − 1.9 · 0.04 = 0.904.
        let seen = counts(&[(100, 0), (200, 0), (100, 0), (100, 0), (180, 20)]);
        assert_eq!(at(success_rate(RATE, &seen)), [4]);
        assert_eq!(success_rate(RATE, &seen)[0].1, "90.0 % of 200 requests succeeded, 98.0 % in the pool");
        // Two deviations is where it lies.
        assert!(success_rate(SuccessRate { deviations: 2.001, ..RATE }, &seen).is_empty());
        assert_eq!(at(success_rate(SuccessRate { deviations: 1.999, ..RATE }, &seen)), [4]);
    }

    #[test]
    fn two_of_five_do_not_stand_out() {
        // Rates 1, 1, 1, 0, 0: mean 0.6, deviation √0.24 = 0.49, and 0.6 − 0.93 is below anything.
        assert!(success_rate(RATE, &counts(&[(100, 0), (100, 0), (100, 0), (0, 100), (0, 100)])).is_empty());
        // Nor does anybody where all are alike.
        assert!(success_rate(RATE, &counts(&[(50, 50); 8])).is_empty());
    }

    #[test]
    fn who_has_few_requests_or_few_failures_is_not_judged_and_few_origins_are_not_compared() {
        let (good, bad) = ((1_000, 0), (50, 50));
        assert_eq!(at(success_rate(RATE, &counts(&[good, good, good, good, bad]))), [4]);
        assert!(success_rate(RATE, &counts(&[good, good, good, bad])).is_empty());
        assert!(success_rate(RATE, &counts(&[good, good, good, (99, 0), bad])).is_empty());
        assert!(success_rate(RATE, &counts(&[good, good, good, good, good, (0, 99)])).is_empty());
        assert!(success_rate(RATE, &counts(&[good, good, good, good, (996, 4)])).is_empty());
        assert_eq!(at(success_rate(RATE, &counts(&[good, good, good, good, (995, 5)]))), [4]);
    }

    #[test]
    fn a_ratio_is_reached_at_its_percentage() {
        let rule = FailureRatio { percent: 50, min_requests: 20 };
        let seen = counts(&[(10, 10), (11, 10), (0, 19), (0, 20), (0, 0)]);
        assert_eq!(at(failure_ratio(rule, &seen)), [0, 3]);
        assert_eq!(failure_ratio(rule, &seen)[0].1, "10 of 20 requests failed");
        assert_eq!(at(failure_ratio(FailureRatio { percent: 47, ..rule }, &seen)), [0, 1, 3]);
    }

    fn times(millis: &[(u64, usize)]) -> Times {
        let mut times = Times::default();
        for (millis, number) in millis {
            let mut sketch = Sketch::default();
            (0..*number).for_each(|_| sketch.count(Duration::from_millis(*millis)));
            times.count(&sketch);
        }
        times
    }

    #[test]
    fn one_whose_tenth_answer_takes_many_times_as_long_as_with_the_others_is_slow() {
        let rule = LatencyOutlier { factor: 3.0, min_requests: 100, min_origins: 3 };
        // 10 ms lies between 8.192 and 10.24, 100 ms between 98.304 and 114.688: 9.6 times as long at least.
        let (fast, slow) = (times(&[(10, 100)]), times(&[(10, 89), (100, 11)]));
        let seen = |list: &[&Times]| list.iter().map(|times| (*times).clone()).enumerate().collect::<Vec<_>>();
        assert_eq!(at(latency(rule, &seen(&[&fast, &slow, &fast]))), [1]);
        assert_eq!(at(latency(LatencyOutlier { factor: 9.5, ..rule }, &seen(&[&fast, &slow, &fast]))), [1]);
        assert!(latency(LatencyOutlier { factor: 9.7, ..rule }, &seen(&[&fast, &slow, &fast])).is_empty());
        let rarely_slow = times(&[(10, 91), (100, 9)]);
        assert!(latency(rule, &seen(&[&fast, &rarely_slow, &fast])).is_empty());
        assert!(latency(rule, &seen(&[&fast, &slow])).is_empty());
        assert!(latency(rule, &seen(&[&fast, &slow, &times(&[(10, 99)])])).is_empty(), "too few to judge by");
        assert!(latency(rule, &seen(&[&slow, &slow, &slow, &fast])).is_empty(), "what most do is usual");
        assert_eq!(at(latency(rule, &seen(&[&slow, &fast, &slow, &fast]))), [0, 2], "what half do is not");
    }
}
