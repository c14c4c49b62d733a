//! What a config means: defaults filled in, references turned into ids, limits checked.
//!
//! Values here are settled. There is no `Option` that resolving could have decided, and no reference that leads nowhere.
//!
//! Not here: what was written and where (`document`), and how one becomes the other (`resolve`).

mod route;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;

pub use route::{
    Action, BodyLimit, Conditions, Forward, Further, HeaderEdits, HostPattern, PathChange, PathPattern, Piece,
    Redirect, Respond, Route, RouteTimeouts, Template, Test, Variable,
};

use crate::fleet::{Address, Location, PoolId, RegionId};

mod balance;
mod check;
mod dns;
mod passive;
mod tls;

pub use balance::{Balancing, HashKey, Hashing, PeakEwma, Sticky};
pub use check::{Check, CheckKind, CheckTiming, CheckTls, Checks, HeaderMatch, HttpCheck, Pattern, Reporting};
pub use dns::{
    Alias, Area, Branch, Cookies, Dns, Geo, Https, Policy, PolicyKind, QueryLog, RecordSet, ResponseRate, Soa, Steered,
    Zone,
};
pub use passive::{FailureRatio, LatencyOutlier, Passive, PassiveMode, SuccessRate};
pub use tls::{ClientCertificates, Demands, OriginTls, Pair, Tls, TlsVersion, Trust, UnknownHost};

/// A whole config.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Who this node is.
    pub node: Node,
    /// Where it listens.
    pub listen: Listen,
    /// How it proxies.
    pub http: Http,
    /// How it speaks TLS with clients.
    pub tls: Tls,
    /// How it answers DNS.
    pub dns: Dns,
    /// Where addresses are.
    pub geo: Geo,
    /// How probing behaves as a whole.
    pub health: Health,
    /// How fast clients move.
    pub failover: Failover,
    /// How the names of origins are looked up.
    pub resolver: Resolver,
    /// How it is operated.
    pub admin: Admin,
    /// Where it keeps what must survive a restart.
    pub state_directory: PathBuf,
    /// By [`RegionId`], in name order.
    pub regions: Vec<Arc<Region>>,
    /// By [`PoolId`](crate::fleet::PoolId), in name order.
    pub pools: Vec<Arc<Pool>>,
    /// In the order they were written.
    pub routes: Vec<Route>,
    /// By [`PolicyId`](crate::fleet::PolicyId).
    pub policies: Vec<Arc<Policy>>,
    /// In name order.
    pub zones: Vec<Arc<Zone>>,
}

impl Config {
    /// Every check that anything is probed by, once for each who asks for it.
    pub fn checks(&self) -> impl Iterator<Item = &Arc<Check>> {
        let doors = self.regions.iter().map(|region| &region.check);
        doors.chain(self.pools.iter().map(|pool| &pool.check)).flat_map(Checks::leaves)
    }
}

/// Who this node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name in logs, headers and metrics.
    pub name: Arc<str>,
    /// The region it stands in: asked first.
    pub region: RegionId,
}

/// Where the node listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Plain HTTP.
    pub http: Vec<SocketAddr>,
    /// HTTP over TLS.
    pub https: Vec<SocketAddr>,
    /// DNS, over UDP and TCP.
    pub dns: Vec<SocketAddr>,
    /// The admin API, metrics and health pages.
    pub admin: SocketAddr,
}

/// How HTTP is proxied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Worker threads.
    pub workers: usize,
    /// Open client connections that one worker keeps.
    pub max_connections: usize,
    /// Open connections that one client may have to one worker.
    pub max_connections_per_client: u32,
    /// Bytes that a request's head may take.
    pub max_head_size: usize,
    /// Headers that a request may carry.
    pub max_headers: usize,
    /// Bytes of a request's target.
    pub max_uri_length: usize,
    /// How large a request's body may be, where its route does not say.
    pub max_body_size: BodyLimit,
    /// Time for a client to send a whole head, from its first byte.
    pub head_timeout: Duration,
    /// Longest pause of a client: while it sends a body, and while it takes an answer.
    pub body_timeout: Duration,
    /// How long a client may stay connected without a request.
    pub idle_timeout: Duration,
    /// How long a client may stay connected at all.
    pub max_connection_age: Duration,
    /// Time that requests in flight get when the node stops.
    pub drain_timeout: Duration,
    /// How long it takes until all clients of a drained region were told to leave.
    pub drain_pace: Duration,
    /// Networks whose `X-Forwarded-*` and request id are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Networks whose connections begin with a PROXY header.
    pub proxy_protocol: Vec<IpNet>,
    /// What origins are told about who is asking.
    pub identity: HttpIdentity,
    /// Where clients that ask in the clear are sent.
    pub https_redirect: Option<Redirect>,
    /// What `Strict-Transport-Security` says.
    pub hsts: Option<Arc<str>>,
    /// HTTP/2 with clients.
    pub h2: Http2,
}

/// What origins are told about who is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpIdentity {
    /// `X-Forwarded-For`, `-Proto` and `-Host`.
    pub x_forwarded: bool,
    /// `Forwarded`.
    pub forwarded: bool,
    /// `Via`.
    pub via: bool,
    /// `X-Request-Id`.
    pub request_id: bool,
    /// `traceparent`.
    pub trace: TraceMode,
}

/// What becomes of `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceMode {
    /// It is passed on.
    Keep,
    /// One is made where there is none that is valid.
    Make,
    /// One is made, but for trusted proxies that have one.
    Restart,
}

/// How HTTP/2 is spoken with clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http2 {
    /// Requests under way on one connection.
    pub max_streams: u32,
    /// Bytes of one request's body that nobody took yet.
    pub stream_window: u32,
    /// The same for all requests of a connection.
    pub connection_window: u32,
    /// Streams that a client may reset in ten seconds.
    pub max_resets: u32,
    /// Frames about the connection in ten seconds.
    pub max_control_frames: u32,
    /// Frames about nothing in ten seconds.
    pub max_empty_frames: u32,
    /// Frames of one head.
    pub max_continuations: u32,
}

/// How probing behaves as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Probes under way at once.
    pub max_in_flight: usize,
    /// Commands among them that run at once; they are counted apart.
    pub max_commands: usize,
}

/// How fast clients move when something fails and when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Failover {
    /// How long a pool that was lost in a region works there again before its clients come back.
    pub hold: Duration,
    /// The same for a region.
    pub region_hold: Duration,
    /// From then on until all have.
    pub ramp: Duration,
    /// How much of all clients a weakened region passes on in ten seconds at most.
    pub spill_percent: u32,
}

/// How an origin gets its share of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SlowStart {
    /// Until it has all of it.
    pub window: Duration,
    /// What it begins with.
    pub least_percent: u32,
    /// How much sooner than evenly it rises: 1 is evenly.
    pub aggression: u32,
}

/// How the names of origins are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// Who is asked; the system's servers where it is empty.
    pub servers: Vec<SocketAddr>,
    /// Time for one lookup.
    pub timeout: Duration,
    /// Shortest time between two lookups of a name.
    pub min_ttl: Duration,
    /// Longest time between two lookups of a name; at least [`Self::min_ttl`].
    pub max_ttl: Duration,
    /// Lookups under way at once.
    pub max_in_flight: usize,
}

/// How the node is operated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// The file that holds the bearer token; made with a fresh one where it does not exist.
    pub token_file: PathBuf,
}

/// A place that serves traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its identity.
    pub name: Arc<str>,
    /// Where it stands; unknown where nobody said.
    pub location: Option<Location>,
    /// Whose law holds there, as `residency` names it.
    pub jurisdiction: Option<Arc<str>>,
    /// What DNS hands out.
    pub addresses: Vec<IpAddr>,
    /// Requests per second it is built for, 0 where nobody said.
    pub capacity_per_second: u32,
    /// How its front door is spoken with.
    pub front_door: FrontDoor,
    /// How it is known whether its front door works; every check says at which port.
    pub check: Checks,
    /// The other regions, nearest first; those without a location last.
    pub neighbours: Vec<RegionId>,
}

/// How a front door is spoken with by nodes of other regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontDoor {
    /// Its port.
    pub port: u16,
    /// Nothing where it is spoken with in the clear.
    pub tls: Option<OriginTls>,
}

/// How the origins of other regions are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// By themselves.
    Direct,
    /// By their region's front door.
    FrontDoor,
}

/// The origins that serve one application.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its identity.
    pub name: Arc<str>,
    /// In the order they were written.
    pub origins: Vec<Origin>,
    /// What is spoken with them.
    pub protocol: Protocol,
    /// How TLS is spoken with them; nothing where they are spoken to in the clear.
    pub tls: Option<OriginTls>,
    /// How it is known whether they work.
    pub check: Checks,
    /// How an origin that returns gets its share.
    pub slow_start: SlowStart,
    /// What requests show of them.
    pub passive: Passive,
    /// What happens when nothing permitted is healthy.
    pub when_all_down: WhenAllDown,
    /// Which pool is asked before that.
    pub last_resort: Option<PoolId>,
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// How those of other regions are reached.
    pub via: Via,
    /// Further tries at other origins, where a request left nothing behind.
    pub retries: u32,
    /// What such tries may cost.
    pub retry: Retry,
    /// Connections that one worker has to one origin at most.
    pub max_connections: u32,
    /// HTTP/1.1 connections that one worker opens to one origin at the same time.
    pub max_connecting: u32,
    /// How old one may become.
    pub max_connection_age: Duration,
    /// Idle connections that one worker keeps per origin.
    pub max_idle_connections: usize,
    /// How long such a connection is kept.
    pub idle_timeout: Duration,
    /// How they share requests.
    pub balancing: Balancing,
}

impl Pool {
    /// Its origins as the table has them: by region, then by tier, then as they were written. Whoever says an origin by its position means
    /// the position among these.
    pub fn in_table_order(&self) -> Vec<&Origin> {
        let mut origins: Vec<_> = self.origins.iter().collect();
        origins.sort_by_key(|origin| (origin.region, origin.tier));
        origins
    }
}

/// What further tries may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Of the pool's requests under way.
    pub budget_percent: u32,
    /// Those that come on top.
    pub budget_per_second: u32,
    /// The longest wait before the first; doubled for each that follows.
    pub backoff: Duration,
    /// What doubling ends at.
    pub max_backoff: Duration,
    /// Bytes of a body that are kept for another try.
    pub max_body: usize,
    /// Statuses that are thrown away for another try, first and last.
    pub statuses: Vec<(u16, u16)>,
}

/// One server of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where it listens; unique in its pool.
    pub address: Address,
    /// Where it stands.
    pub region: RegionId,
    /// Its share relative to the others, 0 to 256; 0 takes no new work.
    pub weight: u16,
    /// Which of its region's origins are asked before it: those of lower tiers. A standby's is [`STANDBY`](crate::fleet::STANDBY).
    pub tier: u8,
}

/// What is spoken with origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.1.
    H1,
    /// HTTP/2: by ALPN over TLS, by prior knowledge without.
    H2,
}

/// The last rungs of the failure ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenAllDown {
    /// Every permitted origin is tried at its configured weight.
    Open,
    /// Requests are refused.
    Closed,
}

/// How long the steps towards an origin may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect.
    pub connect: Duration,
    /// From the request sent to the response's head.
    pub response_head: Duration,
    /// Between two pieces of a response's body.
    pub between_bytes: Duration,
    /// Longest silence of both sides after a protocol upgrade, such as to a WebSocket.
    pub tunnel_idle: Duration,
}
