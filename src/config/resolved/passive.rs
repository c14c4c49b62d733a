//! What requests show of a pool's origins, and what follows from it.

use std::{sync::Arc, time::Duration};

/// When requests show that an origin does not work.
#[derive(Clone, Debug, PartialEq)]
pub struct Passive {
    /// What follows.
    pub mode: PassiveMode,
    /// Statuses that are failures, first and last.
    pub statuses: Vec<(u16, u16)>,
    /// Failures in a row that eject; 0 for never.
    pub consecutive: u32,
    /// How far back the others look.
    pub window: Duration,
    /// Much less successful than the others; nothing where that is not looked at.
    pub success_rate: Option<SuccessRate>,
    /// Failing too often; nothing where that is not looked at.
    pub failure_ratio: Option<FailureRatio>,
    /// Much slower than the pool; nothing where that is not measured.
    pub latency: Option<LatencyOutlier>,
    /// The header by which an origin takes itself out, in lower case.
    pub fail_header: Option<Arc<str>>,
    /// How long the first ejection lasts.
    pub ejection: Duration,
    /// How long one lasts at most.
    pub max_ejection: Duration,
    /// How much of the pool may be ejected.
    pub max_ejected_percent: u32,
}

/// What follows from what requests show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassiveMode {
    /// Origins are ejected.
    Enforce,
    /// It is counted how often one would have been.
    Observe,
    /// Nobody looks.
    Off,
}

/// An origin that succeeds much less often than the others of its pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuccessRate {
    /// Standard deviations below the mean that are too many.
    pub deviations: f64,
    /// Requests without which an origin is not judged.
    pub min_requests: u32,
    /// Failures without which it is not judged.
    pub min_failures: u32,
    /// Origins with so many requests without which nobody is.
    pub min_origins: usize,
}

/// An origin that fails too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureRatio {
    /// In percent of its requests.
    pub percent: u32,
    /// Requests without which it is not judged.
    pub min_requests: u32,
}

/// An origin that is much slower than its pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyOutlier {
    /// How many times the median of its pool's 90th percentiles its own may be.
    pub factor: f64,
    /// Answers without which an origin is not judged.
    pub min_requests: u32,
    /// Origins with so many without which nobody is.
    pub min_origins: usize,
}

impl Passive {
    /// Whether an answer with this status is a failure.
    pub fn is_failure(&self, status: u16) -> bool {
        self.statuses.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }
}
