//! How the origins of a pool share its requests.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::fleet::Balance;

/// How the origins of a pool share its requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balancing {
    /// How the next one is chosen.
    pub method: Balance,
    /// How soon they are thought to answer; for [`Balance::PeakEwma`].
    pub peak_ewma: PeakEwma,
    /// What sends requests to the same one; for [`Balance::Hash`].
    pub hash: Hashing,
    /// What brings clients back.
    pub sticky: Option<Sticky>,
}

/// How soon origins are thought to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeakEwma {
    /// After so long an answer counts a third.
    pub decay: Duration,
    /// What is thought of one that has not answered yet.
    pub first_estimate: Duration,
}

impl Default for PeakEwma {
    fn default() -> Self {
        Self { decay: Duration::from_secs(10), first_estimate: Duration::from_millis(10) }
    }
}

/// What sends requests to the same origin, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// What is the same for them.
    pub key: HashKey,
    /// How much of the mean load one may carry, 125 to 200.
    pub bound_percent: u32,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { key: HashKey::Client, bound_percent: 150 }
    }
}

/// What is the same for requests that go to the same origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashKey {
    /// The client's address, of IPv6 the first 64 bits.
    Client,
    /// A header's value; its name in lower case.
    Header(Arc<str>),
    /// A cookie's value.
    Cookie(Arc<str>),
    /// The path without the query.
    Path,
}

/// A cookie that brings clients back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sticky {
    /// Its name.
    pub cookie: Arc<str>,
    /// How long it is kept; nothing where the browser forgets it when it is closed.
    pub ttl: Option<Duration>,
    /// The secrets that it is made with; nothing where this node makes one.
    pub secret_file: Option<PathBuf>,
}
