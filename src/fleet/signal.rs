//! One belief about an origin or a front door, on its way to control.
//!
//! Not here: how beliefs of several sources become one row (`control/merge`).

use std::{fmt, sync::Arc, time::Duration};

use super::{Address, Health};

/// What a belief is about. Identity goes by name and address, so it outlives reloads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// One server of one pool.
    Origin {
        /// The pool's name.
        pool: Arc<str>,
        /// Where the origin listens.
        address: Address,
    },
    /// The addresses that DNS hands out for a region.
    FrontDoor {
        /// The region's name.
        region: Arc<str>,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin { pool, address } => write!(f, "origin {pool}/{address}"),
            Self::FrontDoor { region } => write!(f, "front door {region}"),
        }
    }
}

/// Who believes it, strongest first: an earlier source beats a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A person, through the admin API.
    Operator,
    /// A planned failure.
    Drill,
    /// This node's own checks.
    Probe,
    /// What other nodes say.
    Peer,
}

impl Source {
    /// All of them, strongest first.
    pub const ALL: [Self; 4] = [Self::Operator, Self::Drill, Self::Probe, Self::Peer];

    /// The word used in status, logs and the admin API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Drill => "drill",
            Self::Probe => "probe",
            Self::Peer => "peer",
        }
    }
}

/// What is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// It works, or does not.
    Health(Health),
    /// It finishes what it has and takes no new work.
    Drain,
    /// It takes this share of its configured weight.
    Weight(super::BasisPoints),
    /// The source has nothing to say any more: its earlier beliefs about the subject are forgotten.
    Withdrawn,
}

/// One belief, from one source, with its life span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// About what.
    pub subject: Subject,
    /// By whom.
    pub source: Source,
    /// That it is so.
    pub belief: Belief,
    /// How long the belief holds; `None` until withdrawn.
    pub valid_for: Option<Duration>,
    /// Why, in words for people: at most 200 bytes.
    pub said: Option<Arc<str>>,
}
