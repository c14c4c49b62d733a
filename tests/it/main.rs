//! What can only be seen from outside: real processes, real sockets, real files.

#![allow(clippy::unwrap_used, reason = "in a test, what fails is the test")]

mod arrivals;
mod config;
mod cuts;
mod disguises;
mod dns;
mod doors;
mod hostile;
mod hostile2;
mod house;
mod http1;
mod lockstep;
mod names;
mod node;
mod pairs;
mod proxy;
mod retries;
mod routes;
mod scene;
mod slow;
mod stray;
