//! What this node's own probes say, and whether the node believes it (`suspicion` has the rule).

use std::time::Duration;

use tracing::{info, warn};

use super::{
    ledger::Ledger,
    roster::Entry,
    suspicion::{Change, Standing},
};
use crate::{
    clock::Ticks,
    fleet::{Belief, Health, Source},
};

impl Ledger {
    /// Takes in what a probe saw.
    pub(super) fn see(&mut self, at: usize, belief: Belief, until: Ticks, now: Ticks) {
        let entry = &mut self.roster.entries[at];
        let (region, before) = (entry.region, entry.standing());
        match belief {
            Belief::Health(Health::Up) => {
                (entry.last_good, entry.left_after) = (Some(self.clock.now()), None);
                entry.trust();
                entry.beliefs.hear(Source::Probe, belief, until);
                self.suspicion.up(at, region, before == Standing::Up, now);
            }
            Belief::Health(Health::Down) if before == Standing::Withheld => entry.withheld = Some(until),
            Belief::Health(Health::Down) if before == Standing::Up => {
                self.suspicion.down(at, region, now);
                if self.suspicion.is_active() {
                    entry.withhold(until);
                } else {
                    entry.beliefs.hear(Source::Probe, belief, until);
                }
            }
            Belief::Health(Health::Unknown) | Belief::Withdrawn => {
                entry.trust();
                entry.beliefs.hear(Source::Probe, belief, until);
                self.suspicion.forget(at, region, before == Standing::Up);
            }
            Belief::Health(Health::Down) | Belief::Drain | Belief::Weight(_) => {
                entry.beliefs.hear(Source::Probe, belief, until);
            }
        }
        let is_flip = entry.standing() != before;
        self.settle(at, now);
        if is_flip {
            self.review(now);
        }
    }

    /// Begins or ends the doubt in the node's own eyes, if it is time.
    pub(super) fn review(&mut self, now: Ticks) {
        let Some(change) = self.suspicion.review(now) else { return };
        self.doubt.set(self.suspicion.is_active());
        let mut fallen: Vec<usize> = self.suspicion.fallen().map(|(at, _)| at).collect();
        fallen.sort_unstable();
        match change {
            Change::Began => {
                let subjects = fallen.len();
                warn!(
                    subjects,
                    "most of what was up fell at once: this node suspects itself and keeps the last verdicts"
                );
                for at in &fallen {
                    let entry = &mut self.roster.entries[*at];
                    if let Some((_, until)) = entry.beliefs.probed() {
                        entry.withhold(until);
                    }
                }
            }
            Change::Ended(ending) => {
                info!(reason = ending.as_str(), still_down = fallen.len(), "this node believes its own probes again");
                for at in &fallen {
                    self.roster.entries[*at].believe();
                }
                self.suspicion.settle();
            }
        }
        for at in fallen {
            self.settle(at, now);
        }
        self.draw();
    }
}

impl Entry {
    /// How long after its last good probe its row said that it is down, once its probes say so, too: what its check goes on finding good while
    /// it is ejected did not fail over. Once for each time that it was good: what fell, was not believed, and is in the end, fell once.
    pub(super) fn failed_over(&mut self, was: Health, now: Duration) -> Option<Duration> {
        let state = self.merged.state;
        if was == Health::Up
            && state.health == Health::Down
            && !state.is_forced
            && let Some(seen) = self.last_good.take()
        {
            self.left_after = Some(now.saturating_sub(seen));
        }
        let is_seen_down = self.beliefs.probed().is_some_and(|(health, _)| health == Health::Down);
        if is_seen_down { self.left_after.take() } else { None }
    }
}

#[cfg(test)]
mod tests;
