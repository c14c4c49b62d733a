//! Everything control knows, and the writer: takes in beliefs and the passing of time, and keeps the rows true to them.
//!
//! Single-threaded and without waiting: the same calls at the same ticks write the same rows, so tests need no runtime.
//! Deadlines are kept in a heap with at most one live entry per subject, so a tick costs what is due and nothing else.
//!
//! Not here: probes' beliefs (`eyes`), operators' (`operate`), membership (`membership`), channels (`task`).

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use super::{
    journal::Journal,
    meters::{self, Meters},
    motion::Motion,
    overrides::OverrideList,
    roster::{Entry, Place, Roster},
    suspicion::Suspicion,
};
use crate::{
    clock::{self, Clock, Ticks},
    config::Config,
    fleet::{Doubt, Health, Signal, Source},
    table::{RowState, Writer},
};

pub(super) struct Ledger {
    pub(super) clock: Clock,
    pub(super) writer: Writer,
    pub(super) config: Arc<Config>,
    pub(super) revision: u64,
    pub(super) roster: Roster,
    pub(super) suspicion: Suspicion,
    /// What the suspicion says, for those outside.
    pub(super) doubt: Doubt,
    pub(super) overrides: OverrideList,
    pub(super) meters: Meters,
    pub(super) journal: Journal,
    /// Whose weight is on its way.
    pub(super) motion: Motion,
    /// When to look at whom again.
    pub(super) deadlines: BinaryHeap<Reverse<(Ticks, usize)>>,
    /// Subjects on which nobody gave a verdict yet.
    pub(super) unjudged: usize,
    /// Every subject had a verdict once. A later reload does not take that back.
    pub(super) is_ready: bool,
}

impl Ledger {
    /// Takes in one belief.
    pub(super) fn hear(&mut self, signal: &Signal) {
        self.meters.signals(signal.source).increment(1);
        if signal.source == Source::Operator {
            // It would be gone after a restart, and nobody would have said it: that is what commands are for.
            self.meters.ignored_operator.increment(1);
            return;
        }
        let Some(at) = self.roster.find(&signal.subject) else {
            self.meters.ignored_unknown.increment(1);
            return;
        };
        let now = self.clock.ticks();
        let until = signal.valid_for.map_or(Ticks::FOREVER, |span| now.after(span));
        if signal.source == Source::Probe {
            self.see(at, signal.belief, until, now);
        } else {
            self.roster.entries[at].beliefs.hear(signal.source, signal.belief, until);
            self.settle(at, now);
        }
        self.roster.entries[at].beliefs.note(signal.source, signal.said.as_ref(), now);
    }

    /// Does what time alone makes happen. Says whether overrides ended.
    pub(super) fn tick(&mut self) -> bool {
        let now = self.clock.ticks();
        while let Some(Reverse((due, at))) = self.deadlines.peek().copied().filter(|Reverse((due, _))| *due <= now) {
            self.deadlines.pop();
            if self.roster.entries[at].armed == Some(due) {
                self.roster.entries[at].armed = None;
                self.settle(at, now);
            }
        }
        self.go_on(now);
        self.review(now);
        self.journal.tick();
        let has_ended = self.overrides.expire(now) > 0;
        self.draw();
        has_ended
    }

    /// Makes a subject's row, and the row of its group, say what follows from its beliefs.
    pub(super) fn settle(&mut self, at: usize, now: Ticks) {
        let entry = &mut self.roster.entries[at];
        entry.finish_leaving(now);
        let merged = entry.beliefs.merge(now);
        let before = std::mem::replace(&mut entry.merged, merged);
        let says = entry.told(&before.state, self.is_ready, now);
        let said = std::mem::replace(&mut entry.row_says, says);
        self.motion.entry(at, entry.moves());
        entry.say_grant(&mut self.writer);
        if said != says {
            if entry.moves() {
                self.writer.shift(&entry.row, says, now);
            } else {
                self.writer.change(&entry.row, says, now);
            }
            if let Place::Origin { group, weight } = entry.place {
                let tally = &mut self.roster.groups[group].tally;
                tally.remove(Entry::part(weight, said));
                tally.add(Entry::part(weight, says));
                self.derive(group, now);
            }
        }
        let entry = &mut self.roster.entries[at];
        if has_new_meaning(&before.state, &merged.state) || before.source != merged.source {
            entry.since = clock::unix_time();
            entry.gauge.set(meters::level(merged.state.health));
            self.journal.subject(&entry.subject, &before.state, &merged);
        }
        if let Some(span) = entry.failed_over(before.state.health, self.clock.now()) {
            let is_door = matches!(entry.place, Place::FrontDoor);
            self.meters.failover(is_door).observe(span);
        }
        if !entry.is_judged && merged.state.health != Health::Unknown {
            entry.is_judged = true;
            self.unjudged -= 1;
            self.is_ready |= self.unjudged == 0;
        }
        let change = entry.beliefs.next_change(now);
        if let Some(due) = change.filter(|due| entry.armed.is_none_or(|armed| *due < armed)) {
            entry.armed = Some(due);
            self.deadlines.push(Reverse((due, at)));
        }
    }

    /// Shows the numbers that belong to nobody in particular.
    #[allow(clippy::cast_precision_loss, reason = "gauges are floats; revisions and counts stay far below 2^52")]
    pub(super) fn draw(&self) {
        self.meters.generation.set(self.revision as f64);
        self.meters.overrides.set(self.overrides.len() as f64);
        self.meters.suspects_itself.set(f64::from(u8::from(self.suspicion.is_active())));
    }

    /// Makes the row of a group say what follows from its origins, as far as it has got there.
    pub(super) fn derive(&mut self, at: usize, now: Ticks) {
        let group = &mut self.roster.groups[at];
        let measure = group.tally.measure();
        if measure != group.row.measure() {
            self.writer.set_measure(&group.row, measure);
        }
        let before = group.state;
        let says = group.told(self.config.failover.spill_percent, now);
        let said = std::mem::replace(&mut group.row_says, says);
        self.motion.group(at, group.moves());
        if said != says {
            if group.moves() {
                self.writer.shift(&group.row, says, now);
            } else {
                self.writer.change(&group.row, says, now);
            }
            if said.weight != says.weight {
                group.draw();
            }
        }
        let meaning = |state: &RowState| (state.health, state.is_draining, state.is_forced);
        if meaning(&before) != meaning(&says) {
            group.since = clock::unix_time();
            self.journal.group(group, &before);
        }
    }
}

/// Whether a reader of the row would act or look different; a belief that is merely renewed means the same.
fn has_new_meaning(before: &RowState, after: &RowState) -> bool {
    let meaning = |state: &RowState| RowState { valid_until: Ticks::FOREVER, ..*state };
    meaning(before) != meaning(after)
}

#[cfg(test)]
mod tests;
