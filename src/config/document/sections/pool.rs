//! The origins that serve one application.

use std::time::Duration;

use super::{Balancing, Check, OriginTls, Passive};
use crate::{
    config::document::{
        List, OrNone,
        scalar::{ByteSize, Statuses, Text, choice},
        section::section,
    },
    fleet::Address,
};

choice! {
    /// What happens when nothing permitted is healthy.
    pub(crate) enum WhenAllDown {
        Open = "open",
        Closed = "closed",
    }
}

choice! {
    /// What is spoken with origins.
    pub(crate) enum Protocol {
        H1 = "h1",
        H2 = "h2",
    }
}

choice! {
    /// How the origins of other regions are reached.
    pub(crate) enum Via {
        Direct = "direct",
        FrontDoor = "front-door",
    }
}

section! {
    /// The origins that serve one application.
    pub(crate) struct Pool ("a pool") {
        /// How its origins share requests.
        balancing: Balancing = flatten,
        /// What happens when no origin is healthy: `open` tries all of them by configured weight, `closed` refuses.
        when_all_down: WhenAllDown = "open",
        /// The pool that is asked when none of this one's origins is healthy anywhere, before `when_all_down` counts: a page that says sorry, or
        /// an older copy. It speaks the same protocol, and has no last resort of its own.
        last_resort: Text = optional "nobody else is asked",
        /// How the origins of other regions are reached: `direct`, or by their region's `front-door`, where a node of that region chooses among
        /// them. Such a request says in `CDN-Loop` that it was passed on, so that it stays in the region it is passed to; the nodes there should
        /// have this one's address among `http.trusted_proxies`, else they take it for the client.
        via: Via = "direct",
        /// Further tries at other origins, where a request left nothing behind: not a byte of it was written, or it is idempotent, its body
        /// was kept, and none of the answer came.
        retries: u32 = 2 in 0 ..= 10,
        /// What such tries may cost.
        retry: Retry = {},
        /// Connections that one worker has to one origin at most. Requests that would need another are sent to other origins, or refused.
        max_connections: u32 = 1024 in 1 ..= 1000000,
        /// HTTP/1.1 connections that one worker opens to one origin at the same time. When another region's requests come all at once, its origins are not
        /// met by a handshake for each: those beyond this wait for a connection to come free or to be opened, for as long as opening one may take.
        max_connecting: u32 = 64 in 1 ..= 1000000,
        /// How old a connection to an origin may become; it finishes what is under way.
        max_connection_age: Duration = "1h" in "1s" ..= "24h",
        /// Idle connections that one worker keeps per origin.
        max_idle_connections: u32 = 256 in 0 ..= 10000,
        /// How long such a connection is kept.
        idle_timeout: Duration = "30s" in "1s" ..= "1h",
        /// How long each step towards an origin may take.
        timeouts: Timeouts = {},
        /// What is spoken with its origins: HTTP/1.1 or HTTP/2. With `tls` it is agreed on in the handshake (ALPN); without, origins have to
        /// know it beforehand.
        protocol: Protocol = "h1",
        /// How TLS is spoken with its origins.
        tls: OriginTls = optional "origins are spoken to in the clear",
        /// How it is known whether its origins work; `none` asks nobody.
        check: OrNone<Check> = {},
        /// How an origin that was down, or joins, gets its share of requests.
        slow_start: SlowStart = {},
        /// What requests show of its origins, and when one is ejected for it: taken to be down for a while, whatever its check says. Every try
        /// counts, but for one whose client left before the origin answered, one that went to another region's front door, and an answer of 503 with
        /// `Retry-After`. An operator's word is stronger.
        passive: Passive = {},
        /// Its origins. At least one, with weight above zero.
        origins: List<Origin> = required,
    }

    /// What further tries may cost.
    pub(crate) struct Retry ("`retry`") {
        /// Tries under way beyond the first, in percent of the pool's requests under way on this node.
        budget_percent: u32 = 20 in 0 ..= 100,
        /// Tries a second that come on top, so that a quiet pool has some, too.
        budget_per_second: u32 = 3 in 0 ..= 100000,
        /// The longest wait before the first further try; doubled for each that follows. How long it is in fact is drawn at random.
        backoff: Duration = "25ms" in "0s" ..= "10s",
        /// What doubling ends at.
        max_backoff: Duration = "250ms" in "0s" ..= "10s",
        /// Bytes of a body that are kept for another try. A request with a larger one is not repeated once any of it was read.
        max_body: ByteSize = "64KiB" in "0B" ..= "16MiB",
        /// Answers that are thrown away for another try, where the request is idempotent and a try is left: statuses or ranges of them, such
        /// as `["502-504"]`. An answer means that an origin lives, so none by default.
        statuses: List<Statuses> = [],
    }

    /// How an origin gets its share of requests.
    pub(crate) struct SlowStart ("`slow_start`") {
        /// How long it takes until it has all of it. Not when the node starts, and not where an operator says that it is up.
        window: Duration = "30s" in "0s" ..= "15m",
        /// What it begins with, in percent.
        least_percent: u32 = 10 in 1 ..= 100,
        /// 1 rises evenly; with more, most of it comes sooner: after a part `t` of the window it has `t^(1/aggression)`.
        aggression: u32 = 1 in 1 ..= 10,
    }

    /// How long each step towards an origin may take.
    pub(crate) struct Timeouts ("`timeouts`") {
        /// To connect.
        connect: Duration = "1s" in "10ms" ..= "60s",
        /// From the request sent to the response's head.
        response_head: Duration = "15s" in "10ms" ..= "1h",
        /// Between two pieces of a response's body.
        between_bytes: Duration = "30s" in "10ms" ..= "1h",
        /// Longest silence of both sides after a protocol upgrade, such as to a WebSocket.
        tunnel_idle: Duration = "1h" in "1s" ..= "24h",
    }

    /// One server of a pool.
    pub(crate) struct Origin ("an origin") {
        /// Where it listens; unique in its pool. A name stands for one origin, whatever addresses it has, and is absolute: see `resolver`.
        address: Address = required,
        /// Where it stands.
        region: Text = optional "the only region, where there is exactly one",
        /// Its share relative to the other origins; 0 takes no new work.
        weight: u16 = 100 in 0 ..= 256,
        /// When it is asked: the origins of a tier take everything until their usable weight × 1.4 cannot carry it, so below 71.4 % of it; what is beyond
        /// goes to the next tier of the region.
        tier: u8 = 0 in 0 ..= 9,
        /// Whether it stands by: asked after all tiers.
        standby: bool = false,
    }
}
