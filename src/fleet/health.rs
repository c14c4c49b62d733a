//! What is believed about whether something works.

use std::fmt;

/// The three answers to "does it work?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Health {
    /// No verdict yet: not chosen while something known to be up exists.
    #[default]
    Unknown,
    /// It answers as it should.
    Up,
    /// It does not.
    Down,
}

impl Health {
    /// The word used in status, logs and the admin API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
