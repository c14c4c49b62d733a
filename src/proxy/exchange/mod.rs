//! One request and its answer: settled, sent, tried again where nothing was left behind, streamed both ways at once.

mod conduct;
mod order;
mod question;
mod run;
mod sides;
mod talk;
mod tunnel;

pub(super) use order::{Asking, Order, Refused, Reply, Told, settle, settle_h1, unread};
pub(super) use run::{After, Asker, refuse, run};
pub(super) use sides::{Awaiting, Listening};
