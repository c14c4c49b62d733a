//! Sockets around the answering: plain threads, each with a UDP socket of its own or with one poll loop for TCP, and one thread for what
//! is asked over TLS.
//!
//! Not here: what is answered (`respond`), and what is counted (`meters`).

mod answering;
#[cfg(target_os = "linux")]
mod batch;
mod bind;
mod connection;
mod connections;
mod desk;
mod secure;
mod server;
#[cfg(any(test, not(target_os = "linux")))]
mod single;
mod streams;
mod udp;

#[cfg(test)]
mod tests;

#[cfg(target_os = "linux")]
use batch as datagrams;
#[cfg(not(target_os = "linux"))]
use single as datagrams;

pub use bind::BindError;
pub use desk::Desk;
pub use secure::Encrypted;
pub use server::{Running, Server};

/// What receiving waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// The first datagram, as long as the socket's patience lasts.
    ForOne,
    /// What is there.
    ForNone,
}

/// Datagrams of a batch that led to nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Replied {
    /// Longer than any query.
    oversized: u64,
    /// Sent to many hosts at once.
    unanswerable: u64,
    /// Answered, and the answer could not be sent.
    unsent: u64,
}
