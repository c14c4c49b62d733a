//! From a document to a `Config`: references become ids, defaults that depend on other keys are settled, and what
//! cannot hold together is reported.
//!
//! One file per noun. Nothing stops at a mistake: what is wrong is reported and left out, so that the rest is looked
//! at, too, and the caller throws the incomplete config away. A reference to something that does not exist is reported
//! once, where it stands.

mod actions;
mod balance;
mod check;
mod conditions;
mod dns;
mod edits;
mod geo;
mod names;
mod neighbours;
mod networks;
mod node;
mod passive;
mod policies;
mod pools;
mod regions;
mod routes;
mod tls;
mod twice;
mod unused;
mod whole;
mod zones;

pub(crate) use whole::resolve;

#[cfg(test)]
mod tests;
