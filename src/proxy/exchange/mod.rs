//! One request and its answer: settled, sent, tried again where nothing was left behind, streamed both ways at once.

mod order;
mod run;
mod talk;
mod tunnel;

pub(super) use order::{Refused, Reply, settle, unread};
pub(super) use run::{After, run};
