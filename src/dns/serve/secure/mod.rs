//! DNS over TLS and over HTTPS: one thread with a runtime of its own, so that no handshake delays a probe or a datagram.
//!
//! `hickory-server` brings the frame: messages on a stream, requests and who handles them ([`RequestHandler`]), and answers as it writes
//! them. Its own listeners are not used. They take any number of connections and of requests on each, have one limit of time for the
//! handshake and for silence, one certificate for all hosts, and of DNS over HTTPS only POST. So connections are accepted here, as many
//! as the config allows, and shake hands by what `tls` knows of their host at this moment.
//!
//! | metric | labels |
//! |---|---|
//! | `meridian_dns_handshakes_total` | `transport`, `result` (`full`, `resumed`, `unknown-host`, `timed-out`, `failed`) |
//! | `meridian_dns_https_refused_total` | `status`: requests that were no query |
//!
//! Not here: the answers, which are the same for all transports (`answering`), and where certificates come from (`tls`).
//!
//! [`RequestHandler`]: hickory_server::server::RequestHandler

mod accept;
mod handler;
mod handshake;
mod https;
mod rebuilt;
mod stream;
mod thread;

#[cfg(test)]
mod tests;

pub use handshake::Encrypted;
pub(super) use thread::{Doors, Running};
