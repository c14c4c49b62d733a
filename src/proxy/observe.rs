//! What is counted of a request, and the guard that counts every request exactly once.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use metrics::Counter;

use super::Refusal;
use crate::{
    clock::Clock,
    policy::Rung,
    telemetry::{Histogram, histogram},
};

/// How a request ended. Outcomes sum to requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The origin's answer went out whole.
    Answered,
    /// An answer that needs no origin went out.
    AnsweredHere,
    /// The origin broke off in the middle of its answer; so did we, so that the client knows.
    OriginTruncated,
    /// The client left before the end.
    ClientLeft,
    /// Refused.
    Refused(Refusal),
}

impl Outcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::AnsweredHere => "answered-here",
            Self::OriginTruncated => "origin-truncated",
            Self::ClientLeft => "client-left",
            Self::Refused(refusal) => refusal.as_str(),
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Answered => 0,
            Self::AnsweredHere => 1,
            Self::OriginTruncated => 2,
            Self::ClientLeft => 3,
            Self::Refused(refusal) => 4 + refusal as usize,
        }
    }
}

const OUTCOMES: usize = 4 + Refusal::ALL.len();

/// One route's counters; clones share them.
#[derive(Clone, Debug)]
pub(super) struct RouteMetrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    route: String,
    pool: String,
    /// Made on first use: thousands of routes would else fill the scrape with zeros.
    outcomes: [OnceLock<Counter>; OUTCOMES],
    seconds: OnceLock<Arc<Histogram>>,
}

impl RouteMetrics {
    pub(super) fn new(route: &str, pool: &str) -> Self {
        let (outcomes, seconds) = (std::array::from_fn(|_| OnceLock::new()), OnceLock::new());
        Self(Arc::new(Inner { route: route.into(), pool: pool.into(), outcomes, seconds }))
    }

    /// The route's name.
    pub(super) fn route(&self) -> &str {
        &self.0.route
    }

    fn record(&self, outcome: Outcome, took: Duration) {
        let Inner { route, pool, outcomes, seconds } = &*self.0;
        let counter = || {
            metrics::counter!("meridian_http_requests_total",
                "route" => route.clone(), "pool" => pool.clone(), "outcome" => outcome.as_str())
        };
        outcomes[outcome.index()].get_or_init(counter).increment(1);
        let histogram = || histogram("meridian_http_request_seconds", &[("route", route)]);
        seconds.get_or_init(histogram).observe(took);
    }
}

/// What became of the cookie that brings a client back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    /// It had none that is known.
    Given,
    /// It was sent where it says.
    Kept,
    /// That origin could not be asked.
    Moved,
}

impl Stuck {
    fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Kept => "kept",
            Self::Moved => "moved",
        }
    }
}

/// One pool's counters.
#[derive(Debug)]
pub(super) struct PoolMetrics {
    pool: String,
    rungs: [OnceLock<Counter>; Rung::Open as usize + 1],
    sticky: [OnceLock<Counter>; Stuck::Moved as usize + 1],
    pub(super) retries: Counter,
    pub(super) retries_refused: Counter,
    pub(super) opened: Counter,
    pub(super) closed: Counter,
    pub(super) waited: Counter,
}

impl PoolMetrics {
    pub(super) fn new(pool: &str) -> Self {
        let pool = pool.to_owned();
        Self {
            rungs: std::array::from_fn(|_| OnceLock::new()),
            sticky: std::array::from_fn(|_| OnceLock::new()),
            retries: metrics::counter!("meridian_http_retries_total", "pool" => pool.clone()),
            retries_refused: metrics::counter!("meridian_http_retries_refused_total", "pool" => pool.clone()),
            opened: metrics::counter!("meridian_origin_connections_opened_total", "pool" => pool.clone()),
            closed: metrics::counter!("meridian_origin_connections_closed_total", "pool" => pool.clone()),
            waited: metrics::counter!("meridian_origin_connection_waits_total", "pool" => pool.clone()),
            pool,
        }
    }

    pub(super) fn climbed(&self, rung: Rung) {
        let counter =
            || metrics::counter!("meridian_http_rungs_total", "pool" => self.pool.clone(), "rung" => rung.as_str());
        self.rungs[rung as usize].get_or_init(counter).increment(1);
    }

    pub(super) fn stuck(&self, stuck: Stuck) {
        let counter =
            || metrics::counter!("meridian_http_sticky_total", "pool" => self.pool.clone(), "result" => stuck.as_str());
        self.sticky[stuck as usize].get_or_init(counter).increment(1);
    }
}

/// Counts one request when it ends, however it ends: dropped without a word, the client left.
#[derive(Debug)]
pub(super) struct Ledger {
    metrics: RouteMetrics,
    clock: Clock,
    began: Duration,
    outcome: Outcome,
}

impl Ledger {
    pub(super) fn open(metrics: &RouteMetrics, clock: &Clock) -> Self {
        Self { metrics: metrics.clone(), clock: clock.clone(), began: clock.now(), outcome: Outcome::ClientLeft }
    }

    /// Settles how the request ended; counted when the ledger is dropped.
    pub(super) fn settle(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.metrics.record(self.outcome, self.clock.now().saturating_sub(self.began));
    }
}
