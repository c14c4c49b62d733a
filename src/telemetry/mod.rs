//! What the node says about itself: logs, counters, latency histograms, Prometheus text.
//!
//! Counters and gauges go through the `metrics` crate; whoever counts holds the handle (5 ns), since looking one up by its
//! labels costs ten times that. Latencies go to [`Histogram`], whose buckets are plain atomics of fixed size.
//!
//! Not here: what is counted. Each part names and documents its own metrics.

mod exporter;
mod histogram;
mod logs;

pub use exporter::Exporter;
pub use histogram::{Histogram, Scale, explain_histogram, histogram, scaled_histogram};
pub use logs::{LogFormat, init_logs};
