//! How something is probed.

use std::time::Duration;

use super::{OriginTls, pool::Protocol};
use crate::config::document::{
    List, Named,
    decode::Purpose,
    keys::default_of,
    scalar::{Bytes, HeaderName, HeaderValue, HostText, Method, RequestTarget, StatusSet, Text},
    section::section,
};

section! {
    /// How it is known whether something works: by one check, by one of `checks`, or by several of them. Over TCP, where nothing is written. With
    /// `check = "none"` nobody asks: an origin has no verdict by that, is never healthy, and is chosen before the last resort alone, when
    /// nothing known to work is left, unless an operator says otherwise. Checks that are the same and ask the same address are one probe,
    /// whoever they are for; `command` alone runs for each pool.
    pub(crate) struct Check ("a check"; choice) {
        /// A request that has to be answered as it should.
        http: HttpCheck = optional "not asked",
        /// A service that has to say `SERVING` (grpc.health.v1).
        grpc: GrpcCheck = optional "not asked",
        /// A handshake that has to end well, with a certificate that is good.
        tls: TlsCheck = optional "not asked",
        /// A connection that has to be accepted.
        tcp: TcpCheck = optional "asked with its defaults, where nothing else is written",
        /// A program that has to end with 0.
        command: CommandCheck = optional "not run",
        /// One of `checks`, by its name.
        used as "use": Text = optional "none",
        /// Several of `checks`: it works while all of them say so. Checks never lead to each other in a circle, are at most 8 deep, and come to at
        /// most 16 in one place.
        all: List<Text> = optional "none",
        /// Several of `checks`: it works while any of them says so.
        any: List<Text> = optional "none",
        /// Several of `checks`: it works while so many of them say so.
        at_least: AtLeast = optional "none",
    }

    /// How many of several checks have to say so.
    pub(crate) struct AtLeast ("`at_least`") {
        /// How many.
        count: u32 = required in 1 ..= 16,
        /// Of these.
        of: List<Text> = required,
    }

    /// A request that has to be answered as it should. Each is sent over a connection of its own.
    pub(crate) struct HttpCheck ("an HTTP check") {
        /// How it is asked.
        method: Method = "GET",
        /// What is asked for; may have a query.
        path: RequestTarget = "/",
        /// The `Host` that is sent.
        host: HostText = optional "the name of the pool, of the region, or of the one of `checks`",
        /// Headers that are sent, too, by name; at most 32.
        headers: Named<HeaderValue> = {},
        /// Statuses that are good: one, first and last, or several of these with commas between: `200-299, 404`.
        status: StatusSet = "200-399",
        /// What the body has to have in its first 5,120 bytes. They are waited for.
        body: TextMatch = optional "it is not looked at",
        /// A header that the answer has to have.
        header: HeaderMatch = optional "none",
        /// Which version is spoken.
        protocol: Protocol = optional "the pool's; HTTP/1.1 with a front door",
        /// How TLS is spoken; certificates are always verified.
        tls: OriginTls = optional "as with the pool's origins; a front door is asked in the clear",
        /// The host that is asked for in the handshake, and that the certificate must be for.
        server_name: HostText = optional "as `tls` says",
        /// Whether it is asked by HTTP/1 in the clear, though requests go to the pool's origins by TLS or HTTP/2; for a port of its own, mostly.
        plain: bool = false,
        /// Whether answers are asked how much work is wanted. `x-meridian-weight: 50` is a weight as origins have it, and `50%` that share of it; a
        /// weight above the configured one is the configured one, and front doors have a share alone. `x-meridian-drain: true` takes no new work. A body may say
        /// the same in its first 5,120 bytes: `{"weight": "50%", "drain": false}`. It holds as long as a verdict does, or until an answer says
        /// nothing of it.
        report: bool = false,
        /// The header with the weight; `off` looks at none.
        weight_header: HeaderName = "x-meridian-weight",
        /// The header that asks for no new work; `off` looks at none.
        drain_header: HeaderName = "x-meridian-drain",
        /// The port asked.
        port: u16 = optional "the origin's own; for a region's front door the port of the first `listen.http`, or 80, and with TLS that of the first `listen.https`, or 443" in 1 ..= 65535,
        /// When.
        timing: Timing = flatten,
    }

    /// What a text has to have.
    pub(crate) struct TextMatch ("what a text has to have"; choice) {
        /// This, anywhere.
        contains: Text = optional "none",
        /// Something that this expression describes (the syntax of RE2, nearly). `(?s)` lets `.` be a line's end, `(?m)` lets `^` and `$` be a line's.
        regex: Text = optional "none",
    }

    /// A header that an answer has to have.
    pub(crate) struct HeaderMatch ("`header`") {
        /// Its name.
        name: HeaderName = required,
        /// What one of its values has to have.
        says as "value": TextMatch = optional "whatever it likes",
    }

    /// A service that has to say `SERVING` (grpc.health.v1, `Check`), over HTTP/2.
    pub(crate) struct GrpcCheck ("a gRPC check") {
        /// The service asked about.
        service: Text = optional "the whole server",
        /// The `:authority` that is sent.
        host: HostText = optional "the name of the pool, of the region, or of the one of `checks`",
        /// How TLS is spoken; certificates are always verified.
        tls: OriginTls = optional "as with the pool's origins; a front door is asked in the clear",
        /// The host that is asked for in the handshake, and that the certificate must be for.
        server_name: HostText = optional "as `tls` says",
        /// Whether it is asked in the clear, though requests go to the pool's origins by TLS.
        plain: bool = false,
        /// The port asked.
        port: u16 = optional "as for `http`" in 1 ..= 65535,
        /// When.
        timing: Timing = flatten,
    }

    /// A handshake that has to end well, with a certificate that is good. It is a full one each time, and nothing is sent after it.
    pub(crate) struct TlsCheck ("a TLS check") {
        /// Who is believed, and who it has to be.
        tls: OriginTls = optional "as with the pool's origins, or with the front door; the authorities of the system where nothing is said there",
        /// The host that is asked for in the handshake, and that the certificate must be for.
        server_name: HostText = optional "as `tls` says",
        /// For how many days more the certificate has to be valid.
        min_days: u32 = 0 in 0 ..= 3650,
        /// The port asked.
        port: u16 = optional "the origin's own; for a region's front door the port of the first `listen.https`, or 443" in 1 ..= 65535,
        /// When.
        timing: Timing = flatten,
    }

    /// A connection that has to be accepted.
    pub(crate) struct TcpCheck ("a TCP check") {
        /// What is sent: a text, or `hex:` and bytes in hex.
        send: Bytes = optional "nothing",
        /// What has to be in the first 5,120 bytes that come: a text, or `hex:` and bytes in hex.
        expect: Bytes = optional "nothing has to come",
        /// The port asked.
        port: u16 = optional "the origin's own; for a region's front door the port of the first `listen.http`, or 80" in 1 ..= 65535,
        /// When.
        timing: Timing = flatten,
    }

    /// A program that has to end with 0. No shell is in between. It finds `MERIDIAN_ADDRESS` (with the port), `MERIDIAN_POOL` (empty for a front
    /// door), `MERIDIAN_REGION` and a plain `PATH` in its environment and nothing else, no input, and what it prints goes nowhere. When its time
    /// is up, it and all that it started in its process group are killed. How many run at once is `health.max_commands`.
    pub(crate) struct CommandCheck ("a command check") {
        /// The program: a path, or a name that is looked for in the usual places.
        program: Text = required,
        /// What it is given; at most 64.
        arguments: List<Text> = [],
        /// The port that it is told.
        port: u16 = optional "as for `http`" in 1 ..= 65535,
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
        /// Time between two probes of what has been down for `long_down_after`; `interval`, where that is longer.
        long_down: Duration = "5s" in "100ms" ..= "1h",
        /// How long it takes to be long down.
        long_down_after: Duration = "1m" in "0s" ..= "24h",
        /// What went up or down more than `flaps` times within this time stays down until it has not changed for as long; `0s` switches that off.
        /// What changes while the node suspects itself does not count.
        flap_window: Duration = "1m" in "0s" ..= "1h",
        /// Changes within `flap_window` that are none too many.
        flaps: u32 = 4 in 1 ..= 100,
    }
}

/// The check where none is written.
pub(crate) fn default_tcp() -> TcpCheck {
    default_of::<TcpCheck>("{}", Purpose { key: "tcp", limits: None }).value
}
