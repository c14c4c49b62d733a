//! How something is probed.

use std::time::Duration;

use crate::config::document::{
    decode::Purpose,
    keys::default_of,
    scalar::{HostText, RequestTarget, Statuses},
    section::section,
};

section! {
    /// How it is probed: over TCP, where nothing is written.
    pub(crate) struct Check ("a check"; choice) {
        /// A GET that has to be answered with a good status.
        http: HttpCheck = optional "not asked",
        /// A connection that has to be accepted.
        tcp: TcpCheck = optional "asked with its defaults, where `http` is not written",
    }

    /// A GET that has to be answered with a good status.
    pub(crate) struct HttpCheck ("an HTTP check") {
        /// What is asked for; may have a query.
        path: RequestTarget = "/",
        /// The `Host` that is sent.
        host: HostText = optional "the name of the pool, or of the region",
        /// Statuses that are good: one, or first and last.
        status: Statuses = "200-399",
        /// Whether it is asked by HTTP/1 in the clear, though requests go to the pool's origins by TLS or HTTP/2; for a port of its own, mostly.
        plain: bool = false,
        /// The port asked.
        port: u16 = optional "the origin's own; for a region's front door the port of the first `listen.http`, or 80" in 1 ..= 65535,
        /// When.
        timing: Timing = flatten,
    }

    /// A connection that has to be accepted.
    pub(crate) struct TcpCheck ("a TCP check") {
        /// The port asked.
        port: u16 = optional "the origin's own; for a region's front door the port of the first `listen.http`, or 80" in 1 ..= 65535,
        /// When.
        timing: Timing = flatten,
    }

    /// When probes happen and how many make a verdict.
    pub(crate) struct Timing ("a check") {
        /// Time between two probes.
        interval: Duration = "1s" in "100ms" ..= "1h",
        /// Time until the next probe while a verdict is about to change; not longer than `interval`.
        recheck: Duration = "250ms" in "50ms" ..= "1h",
        /// Time after which a probe has failed.
        timeout: Duration = "500ms" in "10ms" ..= "60s",
        /// Successes in a row that make it up.
        rise: u32 = 3 in 1 ..= 100,
        /// Failures in a row that make it down.
        fall: u32 = 2 in 1 ..= 100,
        /// How much an interval may be shortened at random, in percent; it is never lengthened.
        jitter: u8 = 20 in 0 ..= 50,
    }
}

/// The timing of a check that is not written.
pub(crate) fn default_timing() -> Timing {
    default_of::<TcpCheck>("{}", Purpose { key: "tcp", limits: None }).value.timing
}
