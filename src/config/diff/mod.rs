//! What changed between two configs, in words: for the log of a reload, and for people who ask before one.
//!
//! Everything goes by name, never by id: ids shift when something before them comes or goes.
//!
//! Not here: applying a change (`node`).

mod balance;
mod change;
mod dns;
mod fields;
mod passive;
mod policies;
mod pools;
mod regions;
mod routes;
mod settings;
mod tls;
mod zones;

pub use change::{Change, changes};

#[cfg(test)]
mod tests;
