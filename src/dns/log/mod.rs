//! The query log: one JSON line per answered query, or per some of them.
//!
//! A DNS thread hands an entry of fixed size to a bounded queue and goes on: it formats nothing, allocates nothing and never waits. A
//! thread of its own writes the lines. When the disk is slower than the queries, or not there, lines are lost and counted, queries are
//! not. A file that was moved away is opened anew within a second, so it can be rotated without a word to the node.
//!
//! | metric | |
//! |---|---|
//! | `meridian_dns_log_lines_total` | lines written |
//! | `meridian_dns_log_dropped_total` | lines lost |
//!
//! A query that gets no answer makes no line: it is counted by its reason.
//!
//! Not here: the node's own log (`telemetry`).

mod entry;
mod feed;
mod line;
mod question;
mod writer;

#[cfg(test)]
mod tests;

pub(super) use entry::Answered;
pub(super) use feed::{Log, Tap};
