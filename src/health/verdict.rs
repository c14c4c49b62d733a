//! Counting answers into a verdict. Pure: the time is an argument.

use std::{collections::VecDeque, time::Duration};

use crate::{config::CheckTiming, fleet::Health};

/// One probe's verdict and what speaks against it.
///
/// The first answer decides at once. From then on `rise` good answers in a row make it up and `fall` bad ones make it down. What went up
/// and down too often is held down until it has not changed for a whole window; what it would be otherwise is counted on.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Verdict {
    /// What the answers say, whether or not it is held.
    answered: Health,
    /// Answers in a row that contradict that.
    contradicting: u32,
    /// When it changed lately, the latest last: one more than may be.
    changes: VecDeque<Duration>,
    /// When it went down.
    down_since: Duration,
    is_held: bool,
}

impl Verdict {
    /// As if that had been concluded before, and nothing more were known.
    pub fn starting_from(health: Health, now: Duration) -> Self {
        Self { answered: health, down_since: now, ..Self::default() }
    }

    /// What is concluded so far.
    pub fn health(&self) -> Health {
        if self.is_held { Health::Down } else { self.answered }
    }

    /// Whether it is down for its flapping alone.
    pub fn is_held(&self) -> bool {
        self.is_held && self.answered == Health::Up
    }

    /// Counts one answer; says whether the verdict changed.
    pub fn count(&mut self, is_good: bool, timing: &CheckTiming, now: Duration) -> bool {
        let before = self.health();
        let (said, needed) = if is_good { (Health::Up, timing.rise) } else { (Health::Down, timing.fall) };
        if said == self.answered {
            self.contradicting = 0;
        } else {
            self.contradicting += 1;
            if self.answered == Health::Unknown || self.contradicting >= needed {
                self.turn(said, timing, now);
            }
        }
        let is_quiet = self.changes.back().is_none_or(|latest| now.saturating_sub(*latest) >= timing.flap_window);
        if self.is_held && is_quiet {
            self.is_held = false;
            self.changes.clear();
        }
        self.health() != before
    }

    /// Forgets how often it changed: that was this node, and not what is asked.
    pub fn forgive(&mut self) {
        self.is_held = false;
        self.changes.clear();
    }

    fn turn(&mut self, said: Health, timing: &CheckTiming, now: Duration) {
        let is_first = self.answered == Health::Unknown;
        if said == Health::Down {
            self.down_since = now;
        }
        (self.answered, self.contradicting) = (said, 0);
        if is_first {
            return;
        }
        self.changes.push_back(now);
        let too_many = timing.flaps as usize + 1;
        while self.changes.len() > too_many {
            self.changes.pop_front();
        }
        let is_recent = |first: &Duration| now.saturating_sub(*first) < timing.flap_window;
        self.is_held |= self.changes.len() == too_many && self.changes.front().is_some_and(is_recent);
    }

    /// Whether the last answer agrees with it.
    pub fn is_settled(&self) -> bool {
        self.contradicting == 0
    }

    /// Until the next probe: sooner while the verdict is about to change, later once it has been down for long.
    pub fn next_in(&self, timing: &CheckTiming, now: Duration) -> Duration {
        if self.is_settled() { self.pace(timing, now) } else { timing.recheck.min(timing.interval) }
    }

    /// Between two probes while nothing changes.
    pub fn pace(&self, timing: &CheckTiming, now: Duration) -> Duration {
        let is_long_down =
            self.answered == Health::Down && now.saturating_sub(self.down_since) >= timing.long_down_after;
        if is_long_down { timing.interval.max(timing.long_down) } else { timing.interval }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TIMING: CheckTiming = CheckTiming {
        interval: SECOND,
        recheck: Duration::from_millis(250),
        timeout: Duration::from_millis(500),
        rise: 3,
        fall: 2,
        jitter_percent: 0,
        long_down: Duration::from_secs(5),
        long_down_after: Duration::from_secs(30),
        flap_window: Duration::from_mins(1),
        flaps: 4,
    };
    /// Whose every answer is a change.
    const QUICK: CheckTiming = CheckTiming { rise: 1, fall: 1, ..TIMING };

    /// One answer a second, from the first second on.
    fn after(answers: &[bool]) -> Verdict {
        told(&TIMING, answers)
    }

    fn told(timing: &CheckTiming, answers: &[bool]) -> Verdict {
        let mut verdict = Verdict::default();
        for (at, answer) in (1..).zip(answers) {
            verdict.count(*answer, timing, SECOND * at);
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
        let now = SECOND * 4;
        assert_eq!(after(&[true]).next_in(&TIMING, now), TIMING.interval);
        assert_eq!(after(&[true, false]).next_in(&TIMING, now), TIMING.recheck);
        assert_eq!(after(&[true, false, false]).next_in(&TIMING, now), TIMING.interval);
    }

    #[test]
    fn what_is_long_down_is_asked_less_often_until_it_answers_well() {
        let mut verdict = after(&[false]);
        assert_eq!(verdict.next_in(&TIMING, SECOND * 30), TIMING.interval);
        assert_eq!(verdict.next_in(&TIMING, SECOND * 31), TIMING.long_down);
        let slow = CheckTiming { interval: SECOND * 9, ..TIMING };
        assert_eq!(verdict.next_in(&slow, SECOND * 31), slow.interval, "never more often for that");
        verdict.count(true, &TIMING, SECOND * 36);
        assert_eq!(verdict.next_in(&TIMING, SECOND * 36), TIMING.recheck);
        assert_eq!(after(&[true]).next_in(&TIMING, SECOND * 500), TIMING.interval, "what is up is not");
    }

    #[test]
    fn four_changes_in_a_window_are_none_too_many_and_the_fifth_is() {
        // Up, and then down, up, down, up: four changes.
        assert_eq!(told(&QUICK, &[true, false, true, false, true]).health(), Health::Up);
        let mut verdict = told(&QUICK, &[true, false, true, false, true, false, true]);
        assert!(verdict.is_held() && verdict.health() == Health::Down);
        // It changed last at second 7.
        assert!(!verdict.count(true, &QUICK, SECOND * 66));
        assert_eq!(verdict.health(), Health::Down, "the window is not over");
        assert!(verdict.count(true, &QUICK, SECOND * 67));
        assert_eq!(verdict.health(), Health::Up);
        // Nor does what was counted then count any more.
        verdict.count(false, &QUICK, SECOND * 68);
        assert!(verdict.count(true, &QUICK, SECOND * 69) && verdict.health() == Health::Up);
    }

    #[test]
    fn who_goes_on_flapping_stays_down_and_changes_far_apart_never_hold() {
        let mut verdict = told(&QUICK, &[true, false, true, false, true, false]);
        for at in 7..600 {
            assert!(!verdict.count(at % 20 < 10, &QUICK, SECOND * at), "{at}");
            assert_eq!(verdict.health(), Health::Down, "{at}");
        }
        let mut calm = Verdict::default();
        for at in 0..100 {
            assert!(calm.count(at % 2 == 0, &QUICK, SECOND * (16 * at)), "each answer is the verdict: {at}");
        }
    }

    #[test]
    fn what_is_forgiven_is_what_was_answered_last_and_begins_anew() {
        let mut verdict = told(&QUICK, &[true, false, true, false, true, false, true]);
        assert!(verdict.is_held());
        verdict.forgive();
        assert_eq!(verdict.health(), Health::Up);
        for at in 8..12 {
            verdict.count(at % 2 != 0, &QUICK, SECOND * at);
            assert!(!verdict.is_held(), "{at}");
        }
    }

    #[test]
    fn no_window_holds_nothing() {
        let off = CheckTiming { flap_window: Duration::ZERO, ..QUICK };
        let mut verdict = Verdict::default();
        for at in 0..100 {
            assert!(verdict.count(at % 2 == 0, &off, SECOND), "{at}");
        }
        assert!(verdict.changes.len() <= 5);
    }

    #[test]
    fn a_verdict_that_is_carried_over_needs_as_many_answers_to_change() {
        let mut verdict = Verdict::starting_from(Health::Up, SECOND);
        assert!(!verdict.count(false, &TIMING, SECOND) && verdict.health() == Health::Up);
        assert!(verdict.count(false, &TIMING, SECOND));
    }
}
