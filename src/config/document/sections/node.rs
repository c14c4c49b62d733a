//! What one node is, where it listens and how it works.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;

use crate::config::{
    document::{
        List,
        scalar::{ByteSize, Name, RedirectStatus, Text, choice},
        section::section,
    },
    resolved::BodyLimit,
};

choice! {
    /// What becomes of `traceparent`.
    pub(crate) enum TraceMode {
        Keep = "keep",
        Make = "make",
        Restart = "restart",
    }
}

section! {
    /// Who this node is.
    pub(crate) struct Node ("`node`") {
        /// Its name in its log and in `meridian status`.
        name: Name = "meridian",
        /// The region it stands in: asked before others.
        region: Text = optional "the only region, where there is exactly one",
    }

    /// Where the node listens.
    pub(crate) struct Listen ("`listen`") {
        /// For HTTP.
        http: List<SocketAddr> = ["0.0.0.0:80"],
        /// For HTTP over TLS. Needs certificates, see `tls`.
        https: List<SocketAddr> = [],
        /// For DNS, over UDP and TCP. Answers leave from the address that was asked.
        dns: List<SocketAddr> = ["0.0.0.0:53"],
        /// For DNS over TLS (RFC 7858), on port 853 mostly. Needs certificates, see `tls`.
        dns_tls: List<SocketAddr> = [],
        /// For DNS over HTTPS (RFC 8484), at `/dns-query`. Needs certificates, see `tls`.
        dns_https: List<SocketAddr> = [],
        /// For the admin API, metrics and the node's own health pages.
        admin: SocketAddr = "127.0.0.1:9900",
    }

    /// How HTTP is proxied.
    pub(crate) struct Http ("`http`") {
        /// Worker threads.
        workers: u32 = optional "one per core" in 1 ..= 1024,
        /// Open client connections that one worker keeps; more wait to be accepted.
        max_connections: u32 = 10000 in 1 ..= 1000000,
        /// Open connections that one client may have to one worker: an IPv4 address, or an IPv6 network of 64 bits. Trusted proxies may have more.
        max_connections_per_client: u32 = 1000 in 1 ..= 1000000,
        /// Bytes that a request's head may take.
        max_head_size: ByteSize = "16KiB" in "8KiB" ..= "64KiB",
        /// Headers that a request may carry.
        max_headers: u32 = 128 in 1 ..= 256,
        /// Bytes of a request's target: its path and query.
        max_uri_length: ByteSize = "8KiB" in "256B" ..= "64KiB",
        /// How large a request's body may be, where its route does not say. Bodies are passed on as they come, and never held as a whole.
        max_body_size: BodyLimit = "unlimited",
        /// Time for a client to send a whole head, from its first byte.
        head_timeout: Duration = "10s" in "100ms" ..= "5m",
        /// Longest pause of a client: while it sends a body, and while it takes an answer.
        body_timeout: Duration = "30s" in "100ms" ..= "1h",
        /// How long a client may stay connected without a request.
        idle_timeout: Duration = "60s" in "100ms" ..= "1h",
        /// How long a client may stay connected at all: after its next answer it is asked to come again, so that clients follow where DNS
        /// leads. A tunnel stays.
        max_connection_age: Duration = "1h" in "1s" ..= "24h",
        /// Time that requests in flight get when the node stops.
        drain_timeout: Duration = "30s" in "0s" ..= "1h",
        /// When the region of this node is drained: how long it takes until the last client with a kept connection is told to leave, with
        /// `Connection: close` or GOAWAY after an answer. Its requests go to other regions meanwhile.
        drain_pace: Duration = "30s" in "0s" ..= "1h",
        /// Networks whose `X-Forwarded-*` and request id are believed.
        trusted_proxies: List<IpNet> = [],
        /// Networks whose connections begin with a PROXY header, version 1 or 2, that says whose they are. They have to have one; those of
        /// others must not.
        proxy_protocol: List<IpNet> = [],
        /// What origins are told about who is asking.
        identity: HttpIdentity = {},
        /// Sends clients that ask in the clear to HTTPS, whatever they ask for; those of a trusted proxy that says `X-Forwarded-Proto: https` are
        /// there already.
        https_redirect: HttpsRedirect = optional "they are served in the clear",
        /// Tells clients that ask over TLS to do so from now on (`Strict-Transport-Security`), instead of what an origin says about it.
        hsts: Hsts = optional "nothing is said",
        /// HTTP/2 with clients, over TLS or in the clear by prior knowledge.
        h2: Http2 = {},
    }

    /// What origins are told about who is asking.
    pub(crate) struct HttpIdentity ("`http.identity`") {
        /// `X-Forwarded-For`, `-Proto` and `-Host`. Where this is off, those of trusted proxies pass as they are; those of others never do.
        x_forwarded: bool = true,
        /// `Forwarded` (RFC 7239).
        forwarded: bool = false,
        /// `Via`, in requests and answers.
        via: bool = false,
        /// `X-Request-Id`: a trusted proxy's where it has one, else a new one; in requests and answers. Where this is off, it passes as it is.
        request_id: bool = true,
        /// `traceparent` (W3C Trace Context): `keep` passes it on as it is; `make` begins a trace where there is no valid one; `restart` does so for
        /// all that do not come from a trusted proxy.
        trace: TraceMode = "keep",
    }

    /// Where clients that ask in the clear are sent.
    pub(crate) struct HttpsRedirect ("`http.https_redirect`") {
        /// The status; 307 and 308 keep the method, 301 and 308 may be remembered.
        status: RedirectStatus = 308,
        /// The port for HTTPS, as clients reach it.
        port: u16 = 443 in 1 ..= 65535,
    }

    /// What clients are told about coming by TLS.
    pub(crate) struct Hsts ("`http.hsts`") {
        /// How long they remember it.
        max_age: Duration = "365d" in "0s" ..= "3650d",
        /// Whether it is so for all hosts below theirs.
        include_subdomains: bool = false,
        /// Whether browsers may know it beforehand.
        preload: bool = false,
    }

    /// HTTP/2 with clients.
    pub(crate) struct Http2 ("`http.h2`") {
        /// Requests that one connection may have under way.
        max_streams: u32 = 128 in 1 ..= 10000,
        /// Bytes of one request's body that may come before its origin takes them.
        stream_window: ByteSize = "256KiB" in "64KiB" ..= "16MiB",
        /// The same for all requests of a connection.
        connection_window: ByteSize = "1MiB" in "64KiB" ..= "64MiB",
        /// Streams that a client may reset in ten seconds. Beyond this, as beyond the limits that follow, its connection is closed with
        /// `ENHANCE_YOUR_CALM`.
        max_resets: u32 = 100 in 1 ..= 100000,
        /// `SETTINGS`, `PING`, `PRIORITY` and unknown frames in ten seconds, each counted; window updates beyond one for every 64 bytes sent, too.
        max_control_frames: u32 = 1000 in 10 ..= 1000000,
        /// `DATA` frames without data that are not the last, in ten seconds.
        max_empty_frames: u32 = 100 in 1 ..= 100000,
        /// `CONTINUATION` frames of one head.
        max_continuations: u32 = 20 in 1 ..= 1000,
    }

    /// How probing behaves as a whole.
    pub(crate) struct Health ("`health`") {
        /// Probes under way at once. Where more targets than this fall silent at the same time, probes wait for each other and
        /// verdicts come later than their bound; `meridian check` says when that can be.
        max_in_flight: u32 = 256 in 1 ..= 65536,
        /// Programs of `command` checks that run at once; more wait for each other. They are not among `max_in_flight`.
        max_commands: u32 = 8 in 1 ..= 256,
    }

    /// How fast clients move when something fails and when it returns.
    pub(crate) struct Failover ("`failover`") {
        /// How long a pool that was lost in a region works there again before its clients come back.
        hold: Duration = "30s" in "0s" ..= "1h",
        /// The same for a region whose front door was lost. Its own node holds it as well where it started after a time in which others must have
        /// seen it go and nobody answered for the region: `alive` in `state.directory` says when it last lived, and until when it holds. A first
        /// start holds nothing, nor does a node that is younger than this and `ramp` hold a region that it has not seen up yet. An address that
        /// is on the node itself cannot be asked before it listens: there a start after such a time holds even where others of the region
        /// went on answering.
        region_hold: Duration = "5m" in "0s" ..= "24h",
        /// How long it takes from then on until all have. What an operator drained, evacuated or gave less weight comes back so, too, from
        /// what it has and without a hold. Whoever is on its way takes these times anew when they change.
        ramp: Duration = "1m" in "0s" ..= "1h",
        /// How much of all clients a region that lost a part passes on to others in ten seconds, at most, in percent; 0 is all at
        /// once. One with nothing left passes all on at once in any case.
        spill_percent: u32 = 10 in 0 ..= 100,
    }

    /// How the names of origins are looked up.
    pub(crate) struct Resolver ("`resolver`") {
        /// The servers asked; where none is written, those of `/etc/resolv.conf`.
        servers: List<SocketAddr> = [],
        /// Time for one lookup, with its second try. Nobody waits for it but who connects to a name that was never looked up.
        timeout: Duration = "2s" in "10ms" ..= "30s",
        /// Shortest time between two lookups of one name, whatever its TTL: a TTL of 0 would never rest. A lookup that failed is
        /// repeated after this, and after twice as long each time it fails again, up to `max_ttl`.
        min_ttl: Duration = "1s" in "100ms" ..= "1h",
        /// Longest time between two lookups of one name, whatever its TTL: an origin that moved is found within it.
        max_ttl: Duration = "60s" in "100ms" ..= "24h",
        /// Lookups under way at once; more wait for each other.
        max_in_flight: u32 = 64 in 1 ..= 4096,
    }

    /// How the node is operated.
    pub(crate) struct Admin ("`admin`") {
        /// The file that holds the bearer token; made with a fresh one where it does not exist.
        token_file: PathBuf = optional "`admin.token` in `state.directory`",
    }

    /// What must survive a restart.
    pub(crate) struct State ("`state`") {
        /// Where it is kept; relative to the directory the node is started in.
        directory: PathBuf = "state",
    }
}
