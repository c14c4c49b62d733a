//! What can only be seen from outside: real processes, real sockets, real files.

#![allow(clippy::unwrap_used, reason = "in a test, what fails is the test")]

mod arrivals;
mod balance;
mod checks;
mod config;
mod cuts;
mod differential;
mod disguises;
mod dns;
mod dns_https;
mod doors;
mod drain;
mod explain;
mod hostile;
mod hostile2;
mod house;
mod http1;
mod lockstep;
mod malice;
mod names;
mod node;
mod pairs;
mod passive;
mod proxy;
mod querylog;
mod resort;
mod retries;
mod routes;
mod scenarios;
mod scene;
mod slow;
#[path = "../dns/stage.rs"]
mod stage;
mod status;
mod stray;
