//! The command line: one file per command. The only place that prints.
//!
//! Exit codes: 0 yes, 1 no, 2 could not tell.

mod args;
mod check;
mod client;
mod demo;
mod explain;
mod geo;
mod operate;
mod probe;
mod report;
mod schema;
mod serve;
mod status;

pub use args::run;
