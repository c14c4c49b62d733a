//! Sockets around the answering: plain threads, each with its own sockets and one poll loop for UDP and TCP.

mod bind;
mod connection;
mod server;
mod worker;

pub use bind::BindError;
pub use server::{Running, Server};
