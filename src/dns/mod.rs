//! Authoritative DNS: bytes in, bytes out, from one snapshot of the table.
//!
//! Zones are compiled when a config is: names into maps, records into wire form. A query is parsed in place, found, and answered
//! without allocation or lock; a steered name looks at the front doors' and the (pool, region) rows and at nothing else.
//!
//! | metric | labels |
//! |---|---|
//! | `meridian_dns_queries_total` | `zone`, `type`, `rcode`, `transport` |
//! | `meridian_dns_steered_total` | `zone`, `outcome` (`healthy`, `unproven`, `open`, `closed`) |
//! | `meridian_dns_dropped_total` | `reason` (`short`, `response`) |
//! | `meridian_dns_truncated_total` | |
//! | `meridian_dns_connections_opened_total`, `_closed_total`, `_refused_total` | |
//!
//! Not here: what is healthy (`table`), how much a weakened region keeps (`policy`).

mod meters;
mod outcome;
mod respond;
mod serve;
mod steer;
mod wire;
mod zone;

pub use outcome::{Asked, Client, CookieSeen, Moment, Outcome, Transport, Unanswered};
pub use respond::{Responder, fuzz_respond};
pub use serve::{BindError, Running, Server};
pub use steer::Steering;
pub use wire::Rcode;
pub use zone::Zones;
