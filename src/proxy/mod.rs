//! HTTP in, HTTP out: one worker per core, each with its own listeners, origin connections and counters.
//!
//! A request is settled before anything is done for it: its *route* says what is done, *pick* where it goes, both pure; then it is
//! *exchanged*, and a try that left nothing behind, or can be repeated without harm, is picked again. Workers share the table, the origins' load
//! and nothing else.
//!
//! A request's way through the files: `accept` lets its client in, `serve` waits for a head and `h1` reads it, or `h2` does both; `exchange` settles it
//! and carries it out over one of `connections`, `transfer` moves the bodies, `io` the bytes.
//!
//! | metric | labels |
//! |---|---|
//! | `meridian_http_requests_total` | `route`, `pool`, `outcome` |
//! | `meridian_http_request_seconds` | `route` |
//! | `meridian_http_rungs_total` | `pool`, `rung` |
//! | `meridian_http_retries_total` | `pool` |
//! | `meridian_http_retries_refused_total`: the budget was spent | `pool` |
//! | `meridian_http_connections_opened_total`, `_closed_total` | |
//! | `meridian_http_connections_refused_total` | `why` (`too-many-of-one-client`, `no-proxy-header`) |
//! | `meridian_tls_handshakes_total` | `result` (`full`, `resumed`, `unknown-host`, `timed-out`, `failed`) |
//! | `meridian_observations_dropped_total`: what showed how origins do, and found no room | |
//! | `meridian_origin_connections_opened_total`, `_closed_total` | `pool` |
//! | `meridian_origin_connection_waits_total`: as many were opening as may at the same time | `pool` |
//!
//! Not here: what is healthy (`table`), which region and origin (`policy`, `balance`).

mod accept;
mod affinity;
mod answer;
#[cfg(feature = "bench")]
pub mod codec;
mod connections;
mod date;
mod decide;
mod exchange;
mod explain;
mod fuzz;
mod h1;
mod h2;
mod headers;
mod id;
mod io;
mod listen;
mod looped;
mod observe;
mod peer;
mod refuse;
mod route;
mod serve;
mod tally;
mod target;
mod trace;
mod transfer;
mod watch;
mod witness;
mod worker;

pub use explain::Explainer;
pub use fuzz::{fuzz_chunked, fuzz_head, fuzz_preamble};
pub use listen::{BindError, Server};
pub use refuse::Refusal;
pub use route::{Asked, Routing};
pub use worker::Running;
