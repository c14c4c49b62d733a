//! What can only be seen from outside: real processes, real sockets, real files.

#![allow(clippy::unwrap_used, reason = "in a test, what fails is the test")]

mod config;
mod dns;
mod doors;
mod hostile;
mod house;
mod http1;
mod lockstep;
mod names;
mod node;
mod proxy;
mod routes;
mod scene;
