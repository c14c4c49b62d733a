//! The origins that serve one application.

use std::{net::SocketAddr, time::Duration};

use super::{Check, OriginTls};
use crate::config::document::{
    List,
    scalar::{Text, choice},
    section::section,
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

section! {
    /// The origins that serve one application.
    pub(crate) struct Pool ("a pool") {
        /// What happens when no origin is healthy: `open` tries all of them by configured weight, `closed` refuses.
        when_all_down: WhenAllDown = "open",
        /// Further tries at other origins, where a request left nothing behind: not a byte of it was written, or it is idempotent, has no
        /// body, and none of the answer came.
        retries: u32 = 2 in 0 ..= 10,
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
        /// How its origins are probed: by `http` or `tcp`, and by `tcp` where neither is written.
        check: Check = {},
        /// Its origins. At least one, with weight above zero.
        origins: List<Origin> = required,
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
        /// Where it listens; unique in its pool.
        address: SocketAddr = required,
        /// Where it stands.
        region: Text = optional "the only region, where there is exactly one",
        /// Its share relative to the other origins; 0 takes no new work.
        weight: u16 = 100 in 0 ..= 256,
    }
}
