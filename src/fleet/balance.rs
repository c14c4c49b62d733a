//! By which method the origins of a pool share its requests, and in which order its tiers are asked.

/// How the next origin is chosen among those of one region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Balance {
    /// In turn, each as often as its weight says, and never in bursts.
    #[default]
    RoundRobin,
    /// The one with the fewest requests under way, for its weight.
    LeastConnections,
    /// The one that answers soonest, with what it has under way counted in.
    PeakEwma,
    /// At random by weight.
    Random,
    /// The same for the same key.
    Hash,
}

impl Balance {
    /// The word in configs and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::LeastConnections => "least-connections",
            Self::PeakEwma => "peak-ewma",
            Self::Random => "random",
            Self::Hash => "hash",
        }
    }
}

/// The tier of a standby: after all that have a number, 0 to 9.
pub const STANDBY: u8 = 10;
