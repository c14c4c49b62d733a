//! What tries at origins showed, on its way from those who tried to whoever judges.
//!
//! One observation sums up what one worker saw of one origin since it last said so: the way to the judge is bounded, and must not be filled by
//! what goes well.
//!
//! Not here: who collects it on a worker ([`Book`](super::Book)), and what follows from it (`health/passive`).

use std::{fmt, sync::Arc, time::Duration};

use super::Watched;

/// How a try ended, as far as its origin has to do with it. One whose client left shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// It answered.
    Good,
    /// It did not, or with a status that says as much.
    Failed(Fault),
    /// It asked for less: never a vote, neither way.
    Pressed,
}

/// A failure of the gateway kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It did not accept a connection.
    Connect,
    /// It took too long.
    Timeout,
    /// It broke off, or spoke something else.
    Broken,
    /// It answered with this status.
    Status(u16),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("no connection"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Broken => f.write_str("broken off"),
            Self::Status(status) => write!(f, "status {status}"),
        }
    }
}

/// What one worker saw of one origin since it last said so.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Of whom.
    pub origin: Arc<Watched>,
    /// Tries that were answered.
    pub good: u32,
    /// Tries that failed.
    pub failed: u32,
    /// What the last failure was, if there was one.
    pub fault: Option<Fault>,
    /// How many failed in a row, on all workers, where that has just become as many as count.
    pub in_a_row: Option<u32>,
    /// For how long the origin asked to be left alone, where it did.
    pub asked_out: Option<Duration>,
    /// Times to the first byte, where they are wanted.
    pub latencies: Option<Box<Sketch>>,
}

/// How many times lay in which quarter of an octave. Everything below 64 µs is the first of them, all from 67 s on the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch([u16; Self::BUCKETS]);

impl Default for Sketch {
    fn default() -> Self {
        Self([0; Self::BUCKETS])
    }
}

impl Sketch {
    /// Twenty octaves of four.
    pub const BUCKETS: usize = 80;
    const SHORTEST: u64 = 64;

    /// Counts one.
    pub fn count(&mut self, time: Duration) {
        let bucket = &mut self.0[Self::bucket(time)];
        *bucket = bucket.saturating_add(1);
    }

    /// What lies in each.
    pub fn counts(&self) -> &[u16; Self::BUCKETS] {
        &self.0
    }

    /// The shortest time that is counted there.
    pub fn beginning(bucket: usize) -> Duration {
        let (octave, quarter) = (bucket / 4, bucket as u64 % 4);
        Duration::from_micros((Self::SHORTEST << octave) + ((Self::SHORTEST / 4 * quarter) << octave))
    }

    fn bucket(time: Duration) -> usize {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(Self::SHORTEST);
        let octave = (micros / Self::SHORTEST).ilog2();
        // The two bits below the highest.
        let quarter = (micros >> (octave + 4)) & 3;
        usize::try_from(4 * u64::from(octave) + quarter).map_or(Self::BUCKETS - 1, |at| at.min(Self::BUCKETS - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_in_the_quarter_of_an_octave_that_begins_before_it() {
        for micros in (0..100_000_000_u64).step_by(7_919).chain([63, 64, 79, 80, 81, 127, 128]) {
            let time = Duration::from_micros(micros);
            let bucket = Sketch::bucket(time);
            assert!(bucket == 0 || Sketch::beginning(bucket) <= time, "{micros}");
            assert!(bucket + 1 == Sketch::BUCKETS || time < Sketch::beginning(bucket + 1), "{micros}");
        }
        assert_eq!(Sketch::bucket(Duration::MAX), Sketch::BUCKETS - 1);
        assert_eq!(Sketch::beginning(4 * 4 + 1), Duration::from_micros(1_280));
    }
}
