//! One node: the one place that knows every part.
//!
//! Built apart from started: [`Node::build`] binds every listener and reads what is on disk, so that whatever can go wrong goes wrong
//! before anything runs. [`Node::run`] then starts the parts in the order in which they need each other, and stops them in reverse.

mod alive;
mod build;
mod files;
mod places;
mod probe;
mod reload;
mod run;
mod secured;
mod signals;

pub use build::{BuildError, Node, Source};
pub use probe::{Asked, Brought, Outcome, ProbeError, probe};
