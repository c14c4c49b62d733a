//! What a DNS thread knows of an answer: everything in its place, nothing to free but a count.

use std::{net::IpAddr, sync::Arc, time::Duration};

use super::question::{Question, Subnet};
use crate::{
    dns::outcome::{Client, Outcome},
    table::Generation,
};

/// An answer, as those who sent it see it.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) struct Answered<'a> {
    /// The query's bytes.
    pub(in crate::dns) message: &'a [u8],
    pub(in crate::dns) client: Client,
    pub(in crate::dns) outcome: Outcome,
    /// Length of the answer.
    pub(in crate::dns) size: usize,
    /// Calendar time.
    pub(in crate::dns) unix: Duration,
    /// Whose zones and regions the outcome means.
    pub(in crate::dns) generation: &'a Arc<Generation>,
}

/// The same on its way to the writer.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) question: Question,
    pub(super) client: Client,
    pub(super) outcome: Outcome,
    pub(super) size: usize,
    pub(super) unix: Duration,
    /// Keeps the names alive that the line has to have.
    pub(super) generation: Arc<Generation>,
}

impl Entry {
    pub(super) fn of(answered: Answered<'_>) -> Self {
        Self {
            question: Question::read(answered.message, answered.outcome.has_subnet),
            client: answered.client,
            outcome: answered.outcome,
            size: answered.size,
            unix: answered.unix,
            generation: Arc::clone(answered.generation),
        }
    }

    pub(super) fn subnet(&self) -> Option<Subnet> {
        self.question.subnet
    }

    pub(super) fn address(&self) -> IpAddr {
        self.client.address
    }
}
