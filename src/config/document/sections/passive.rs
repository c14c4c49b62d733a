//! What requests show of a pool's origins, and what follows from it.

use std::time::Duration;

use crate::config::document::{
    List,
    scalar::{HeaderName, Statuses, choice},
    section::section,
};

choice! {
    /// What follows from what requests show.
    pub(crate) enum PassiveMode {
        Enforce = "enforce",
        Observe = "observe",
        Off = "off",
    }
}

section! {
    /// What requests show of the pool's origins.
    pub(crate) struct Passive ("`passive`") {
        /// What follows: `enforce` ejects, `observe` only counts what would have been ejected, `off` does not even look.
        mode: PassiveMode = "enforce",
        /// Answers that are failures, as no connection, none in time and one that broke off are: statuses or ranges of them.
        statuses: List<Statuses> = ["502", "504"],
        /// Failures in a row that eject an origin; 0 for never.
        consecutive: u32 = 5 in 0 ..= 10000,
        /// How far back the others look.
        window: Duration = "10s" in "1s" ..= "10m",
        /// An origin that succeeds much less often than the others of its pool.
        success_rate: SuccessRate = {},
        /// An origin that fails too often, whatever the others do.
        failure_ratio: FailureRatio = optional "not looked at",
        /// An origin that is much slower than its pool.
        latency: LatencyOutlier = optional "not looked at, and not measured",
        /// The header by which an answer says for how long its origin wants no requests, such as `x-meridian-fail: 30s`. It is not passed on.
        fail_header: HeaderName = optional "no origin takes itself out",
        /// How long the first ejection lasts; the second twice as long, the third three times. After each such time without another, one is forgotten.
        ejection: Duration = "30s" in "1s" ..= "1h",
        /// How long one lasts at most; not shorter than `ejection`.
        max_ejection: Duration = "5m" in "1s" ..= "24h",
        /// How much of the pool may be ejected at a time, in percent of its origins with weight above zero.
        max_ejected: u32 = 50 in 0 ..= 100,
    }

    /// An origin that succeeds much less often than the others.
    pub(crate) struct SuccessRate ("`success_rate`") {
        /// Whether this is looked at.
        enabled: bool = true,
        /// How many standard deviations below the mean of the pool are too many.
        deviations: f64 = 1.9 in 0.1 ..= 10,
        /// Requests within the window without which an origin is not judged.
        min_requests: u32 = 100 in 1 ..= 1000000,
        /// Failures among them without which it is not judged: among origins that hardly ever fail, one failure would be far from the mean.
        min_failures: u32 = 5 in 1 ..= 1000000,
        /// Origins with as many requests without which nobody is judged.
        min_origins: u32 = 5 in 3 ..= 10000,
    }

    /// An origin that fails too often.
    pub(crate) struct FailureRatio ("`failure_ratio`") {
        /// Failures, in percent of its requests within the window.
        percent: u32 = 50 in 1 ..= 100,
        /// Requests without which it is not judged.
        min_requests: u32 = 20 in 1 ..= 1000000,
    }

    /// An origin that is much slower than its pool.
    pub(crate) struct LatencyOutlier ("`latency`") {
        /// How many times as long as in its pool its 90th percentile may be: as the median of all origins' 90th percentiles; of two in the middle the
        /// shorter one. From the try's beginning to the answer's head, or from the end of the request's body where it has one; an answer that
        /// comes before that end is not measured.
        factor: f64 = 3 in 1.1 ..= 1000,
        /// Answers within the window without which an origin is not judged.
        min_requests: u32 = 100 in 1 ..= 1000000,
        /// Origins with as many without which nobody is judged.
        min_origins: u32 = 3 in 3 ..= 10000,
    }
}
