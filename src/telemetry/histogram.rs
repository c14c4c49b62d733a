//! Latency histograms of fixed size: one relaxed add per observation, no memory that grows between scrapes.
//!
//! Buckets double from 250 µs, which resolves a proxy's own work at one end and a timeout at the other.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Upper bounds in microseconds: 250 µs × 2^n, up to about 65 s.
const BOUNDS_US: [u64; 19] = {
    let mut bounds = [250; 19];
    let mut at = 1;
    while at < bounds.len() {
        bounds[at] = bounds[at - 1] * 2;
        at += 1;
    }
    bounds
};

/// Counts durations by size.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    /// Counts one duration.
    #[inline]
    pub fn observe(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let at = BOUNDS_US.partition_point(|bound| *bound < micros);
        self.buckets[at].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
    }
}

struct Registered {
    name: &'static str,
    labels: String,
    histogram: Arc<Histogram>,
}

static REGISTERED: Mutex<Vec<Registered>> = Mutex::new(Vec::new());

/// The histogram of this name and labels, made if it does not exist. It is scraped for as long as somebody holds it.
pub fn histogram(name: &'static str, labels: &[(&str, &str)]) -> Arc<Histogram> {
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
    let histogram = Arc::new(Histogram::default());
    registered.push(Registered { name, labels, histogram: Arc::clone(&histogram) });
    registered.sort_by_key(|entry| entry.name);
    histogram
}

/// Appends all histograms in Prometheus text format.
pub(super) fn render_all(text: &mut String) {
    let registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut last_name = "";
    for Registered { name, labels, histogram } in registered.iter() {
        if *name != last_name {
            _ = writeln!(text, "# TYPE {name} histogram");
            last_name = name;
        }
        let mut total = 0;
        for (bound, bucket) in BOUNDS_US.iter().zip(&histogram.buckets) {
            total += bucket.load(Ordering::Relaxed);
            let (seconds, micros) = (bound / 1_000_000, bound % 1_000_000);
            _ = writeln!(text, "{name}_bucket{{{labels}le=\"{seconds}.{micros:06}\"}} {total}");
        }
        total += histogram.buckets[BOUNDS_US.len()].load(Ordering::Relaxed);
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
        let mut text = String::new();
        render_all(&mut text);
        assert!(text.contains("test_seconds_bucket{route=\"a\\\"b\",le=\"0.000250\"} 2\n"), "{text}");
        assert!(text.contains("test_seconds_bucket{route=\"a\\\"b\",le=\"+Inf\"} 4\n"), "{text}");
        assert!(text.contains("test_seconds_sum{route=\"a\\\"b\"} 200.000601\n"), "{text}");
        assert!(text.contains("test_seconds_count{route=\"a\\\"b\"} 4\n"), "{text}");
    }
}
