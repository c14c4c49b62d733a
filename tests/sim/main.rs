//! What a fleet does when things fail: a simulation of clients, resolvers, regions and origins around the production's own deciders.
//!
//! Nothing of what decides is imitated: probes' answers go through `health::Verdict`, beliefs through `control::Control`, requests through
//! `policy::climb` and `balance::pick`, and queries, as bytes, through `dns::Responder`. One node stands in each region. What is imitated is the
//! world (`world`), those who want something of it (`clients`), and when probes happen (`eyes`). There is one clock, turned by hand, and one
//! seed, so a run can be had again:
//!
//! ```text
//! MERIDIAN_SIM_SEED=7 cargo test --test sim        every scenario, with this seed alone
//! MERIDIAN_SIM_SEEDS=1000 cargo test --test sim    with so many of them
//! ```
//!
//! What must hold is in `watch`. Each scenario leaves a picture in `target/sim/`. That the watch would see is a fact, too: `bites` takes each
//! protection out, and what it protected from happens. What does not hold yet is in `findings`.

#![allow(clippy::unwrap_used, reason = "in a test, what fails is the test")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of requests and seconds are far below 2^52, and not negative"
)]

mod bites;
mod clients;
mod eyes;
mod findings;
mod history;
mod node;
mod picture;
mod plan;
mod run;
mod scenario;
mod seeds;
mod stories;
mod watch;
mod world;
