//! Authoritative DNS: bytes in, bytes out, from one snapshot of the table.
//!
//! Zones are compiled when a config is: names into maps, records into wire form. A query is parsed in place, found, and answered
//! without allocation or lock; a steered name looks at the front doors' and the (pool, region) rows and at nothing else.
//!
//! | metric | labels |
//! |---|---|
//! | `meridian_dns_received_total` | `transport`; as many as queries and dropped together |
//! | `meridian_dns_queries_total` | `zone`, `type`, `rcode`, `transport` |
//! | `meridian_dns_dropped_total` | `reason` (`short`, `response`, `rate-limited`, `oversized`, `unanswerable`) |
//! | `meridian_dns_steered_total` | `zone`, `outcome` |
//! | `meridian_dns_truncated_total` | |
//! | `meridian_dns_rate_limited_total` | `action` (`drop`, `slip`) |
//! | `meridian_dns_cookies_total` | `seen` (`none`, `new`, `valid`, `invalid`) |
//! | `meridian_dns_client_subnet_total` | |
//! | `meridian_dns_unsent_total` | `transport`: answers that could not be sent |
//! | `meridian_dns_batches_total` | what was answered at once |
//! | `meridian_dns_response_seconds` | `transport`: from the arrival of a batch until all of it was sent |
//! | `meridian_dns_connections_opened_total`, `_closed_total` | `transport` |
//! | `meridian_dns_connections_refused_total` | `transport`, `reason` (`full`, `too-many-of-one-client`) |
//! | `meridian_dns_handshakes_total` | `transport`, `result` (`full`, `resumed`, `unknown-host`, `timed-out`, `failed`) |
//! | `meridian_dns_https_refused_total` | `status`: requests that were no query |
//! | `meridian_dns_log_lines_total`, `meridian_dns_log_dropped_total` | lines written, lines lost |
//!
//! Not here: what is healthy (`table`), how much a weakened region keeps (`policy`).

mod explain;
mod guard;
mod log;
mod meters;
mod outcome;
mod reply;
mod respond;
mod serve;
mod steer;
mod wire;
mod zone;

pub use explain::Explainer;
pub use guard::{Guard, GuardError};
pub use outcome::{Asked, Client, CookieSeen, Moment, Outcome, Transport, Unanswered};
pub use respond::{Responder, fuzz_respond};
pub use serve::{BindError, Desk, Encrypted, Running, Server};
pub use steer::Steering;
pub use wire::Rcode;
pub use zone::Zones;
