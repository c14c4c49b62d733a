//! HTTP/2 with clients: frames metered, streams served like requests of HTTP/1.
//!
//! The `h2` library reads and writes frames; what a request is and where it goes is settled from the same head that HTTP/1 gives, and its body moves
//! through the same exchange. Another reader of frames can take the library's place behind `serve`.
//!
//! | metric | labels |
//! |---|---|
//! | `meridian_http2_floods_total` | `kind` (`resets`, `control`, `empty`, `continuations`, `streams`) |
//!
//! Not here: HTTP/2 to origins (`connections`), bodies in frames (`transfer`).

mod asked;
mod fields;
mod meter;
mod serve;

pub(super) use fields::fields;
pub(super) use serve::serve;
