//! Counting answers into a verdict. Pure.

use std::time::Duration;

use crate::{config::CheckTiming, fleet::Health};

/// One target's verdict and what speaks against it.
///
/// The first answer decides at once. From then on `rise` good answers in a row make it up and `fall` bad ones make it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Verdict {
    health: Health,
    /// Answers in a row that contradict the verdict.
    contradicting: u32,
}

impl Verdict {
    /// What is concluded so far.
    pub fn health(self) -> Health {
        self.health
    }

    /// Counts one answer; says whether the verdict changed.
    pub fn count(&mut self, is_good: bool, timing: &CheckTiming) -> bool {
        let (said, needed) = if is_good { (Health::Up, timing.rise) } else { (Health::Down, timing.fall) };
        if said == self.health {
            self.contradicting = 0;
            return false;
        }
        self.contradicting += 1;
        let is_changing = self.health == Health::Unknown || self.contradicting >= needed;
        if is_changing {
            *self = Self { health: said, contradicting: 0 };
        }
        is_changing
    }

    /// Whether the last answer agrees with it.
    pub fn is_settled(self) -> bool {
        self.contradicting == 0
    }

    /// Until the next probe: sooner while the verdict is about to change.
    pub fn next_in(self, timing: &CheckTiming) -> Duration {
        if self.is_settled() { timing.interval } else { timing.recheck.min(timing.interval) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: CheckTiming = CheckTiming {
        interval: Duration::from_secs(1),
        recheck: Duration::from_millis(250),
        timeout: Duration::from_millis(500),
        rise: 3,
        fall: 2,
        jitter_percent: 0,
    };

    fn after(answers: &[bool]) -> Verdict {
        let mut verdict = Verdict::default();
        for answer in answers {
            verdict.count(*answer, &TIMING);
        }
        verdict
    }

    #[test]
    fn the_first_answer_decides() {
        assert_eq!(after(&[]).health(), Health::Unknown);
        assert_eq!(after(&[true]).health(), Health::Up);
        assert_eq!(after(&[false]).health(), Health::Down);
    }

    #[test]
    fn only_answers_in_a_row_change_a_verdict() {
        assert_eq!(after(&[true, false, true, false]).health(), Health::Up);
        assert_eq!(after(&[true, false, false]).health(), Health::Down);
        assert_eq!(after(&[false, true, true, false, true, true]).health(), Health::Down);
        assert_eq!(after(&[false, true, true, true]).health(), Health::Up);
    }

    #[test]
    fn probes_come_sooner_while_a_verdict_is_changing() {
        assert_eq!(after(&[true]).next_in(&TIMING), TIMING.interval);
        assert_eq!(after(&[true, false]).next_in(&TIMING), TIMING.recheck);
        assert_eq!(after(&[true, false, false]).next_in(&TIMING), TIMING.interval);
    }
}
