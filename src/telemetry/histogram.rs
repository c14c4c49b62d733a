//! Latency histograms of fixed size: one relaxed add per observation, no memory that grows between scrapes.
//!
//! Buckets double: from 250 µs for requests, which resolves a proxy's own work at one end and a timeout at the other; from 4 µs for what
//! waits for nobody.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Buckets beside the one for whatever is longer.
const BUCKETS: usize = 19;

/// Where the buckets begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// At 250 µs, up to about 65 s.
    #[default]
    Request,
    /// At 4 µs, up to about 1 s.
    Answer,
}

impl Scale {
    /// The first bucket's upper bound in microseconds.
    fn first(self) -> u64 {
        match self {
            Self::Request => 250,
            Self::Answer => 4,
        }
    }
}

/// Counts durations by size.
#[derive(Debug, Default)]
pub struct Histogram {
    scale: Scale,
    buckets: [AtomicU64; BUCKETS + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    /// Counts one duration.
    #[inline]
    pub fn observe(&self, duration: Duration) {
        self.observe_all(duration, 1);
    }

    /// Counts so many things that took as long together.
    #[inline]
    pub fn observe_all(&self, duration: Duration, count: u64) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        // How often the first bound has to be doubled to reach it.
        let doublings = micros.div_ceil(self.scale.first()).checked_next_power_of_two().map_or(64, u64::trailing_zeros);
        self.buckets[(doublings as usize).min(BUCKETS)].fetch_add(count, Ordering::Relaxed);
        self.sum_us.fetch_add(micros.saturating_mul(count), Ordering::Relaxed);
    }
}

struct Registered {
    name: &'static str,
    labels: String,
    histogram: Arc<Histogram>,
}

static REGISTERED: Mutex<Vec<Registered>> = Mutex::new(Vec::new());

/// What histograms measure, by name, in words.
static EXPLAINED: Mutex<Vec<(&str, &str)>> = Mutex::new(Vec::new());

/// Says in one line what the histograms of a name measure, for whoever scrapes them.
pub fn explain_histogram(name: &'static str, help: &'static str) {
    let mut explained = EXPLAINED.lock().unwrap_or_else(PoisonError::into_inner);
    explained.retain(|(known, _)| *known != name);
    explained.push((name, help));
}

/// The histogram of this name and labels, made if it does not exist. It is scraped for as long as somebody holds it.
pub fn histogram(name: &'static str, labels: &[(&str, &str)]) -> Arc<Histogram> {
    scaled_histogram(name, labels, Scale::Request)
}

/// The same with buckets of this scale; all of one name have the same.
pub fn scaled_histogram(name: &'static str, labels: &[(&str, &str)], scale: Scale) -> Arc<Histogram> {
    let labels = labels.iter().fold(String::new(), |mut text, (key, value)| {
        let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        _ = write!(text, "{key}=\"{value}\",");
        text
    });
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    registered.retain(|entry| Arc::strong_count(&entry.histogram) > 1);
    if let Some(known) = registered.iter().find(|entry| entry.name == name && entry.labels == labels) {
        return Arc::clone(&known.histogram);
    }
    let histogram = Arc::new(Histogram { scale, ..Histogram::default() });
    registered.push(Registered { name, labels, histogram: Arc::clone(&histogram) });
    registered.sort_by_key(|entry| entry.name);
    histogram
}

/// Appends all histograms in Prometheus text format.
pub(super) fn render_all(text: &mut String) {
    let registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    let explained = EXPLAINED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut last_name = "";
    for Registered { name, labels, histogram } in registered.iter() {
        if *name != last_name {
            if let Some((_, help)) = explained.iter().find(|(known, _)| known == name) {
                _ = writeln!(text, "# HELP {name} {help}");
            }
            _ = writeln!(text, "# TYPE {name} histogram");
            last_name = name;
        }
        let mut total = 0;
        for (doublings, bucket) in histogram.buckets[..BUCKETS].iter().enumerate() {
            total += bucket.load(Ordering::Relaxed);
            let bound = histogram.scale.first() << doublings;
            let (seconds, micros) = (bound / 1_000_000, bound % 1_000_000);
            _ = writeln!(text, "{name}_bucket{{{labels}le=\"{seconds}.{micros:06}\"}} {total}");
        }
        total += histogram.buckets[BUCKETS].load(Ordering::Relaxed);
        let sum_us = histogram.sum_us.load(Ordering::Relaxed);
        let bare = labels.trim_end_matches(',');
        _ = writeln!(text, "{name}_bucket{{{labels}le=\"+Inf\"}} {total}");
        _ = writeln!(text, "{name}_sum{{{bare}}} {}.{:06}", sum_us / 1_000_000, sum_us % 1_000_000);
        _ = writeln!(text, "{name}_count{{{bare}}} {total}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_the_sum_is_exact() {
        let seen = histogram("test_seconds", &[("route", "a\"b")]);
        for micros in [100, 250, 251, 200_000_000] {
            seen.observe(Duration::from_micros(micros));
        }
        explain_histogram("test_seconds", "How long tests take");
        let mut text = String::new();
        render_all(&mut text);
        assert!(text.contains("# HELP test_seconds How long tests take\n# TYPE test_seconds histogram\n"), "{text}");
        assert!(text.contains("test_seconds_bucket{route=\"a\\\"b\",le=\"0.000250\"} 2\n"), "{text}");
        assert!(text.contains("test_seconds_bucket{route=\"a\\\"b\",le=\"+Inf\"} 4\n"), "{text}");
        assert!(text.contains("test_seconds_sum{route=\"a\\\"b\"} 200.000601\n"), "{text}");
        assert!(text.contains("test_seconds_count{route=\"a\\\"b\"} 4\n"), "{text}");
    }

    #[test]
    fn what_waits_for_nobody_is_resolved_to_microseconds_and_counted_many_at_once() {
        let seen = scaled_histogram("test_answer_seconds", &[], Scale::Answer);
        seen.observe_all(Duration::from_micros(9), 32);
        seen.observe(Duration::from_micros(4));
        seen.observe(Duration::MAX);
        let mut text = String::new();
        render_all(&mut text);
        assert!(text.contains("test_answer_seconds_bucket{le=\"0.000004\"} 1\n"), "{text}");
        assert!(text.contains("test_answer_seconds_bucket{le=\"0.000008\"} 1\n"), "{text}");
        assert!(text.contains("test_answer_seconds_bucket{le=\"0.000016\"} 33\n"), "{text}");
        assert!(text.contains("test_answer_seconds_bucket{le=\"1.048576\"} 33\n"), "{text}");
        assert!(text.contains("test_answer_seconds_bucket{le=\"+Inf\"} 34\n"), "{text}");
    }
}
