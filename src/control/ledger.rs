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
    overrides::OverrideList,
    roster::{Entry, Group, Place, Roster},
    suspicion::Suspicion,
};
use crate::{
    clock::{self, Clock, Ticks},
    config::Config,
    fleet::{Health, Signal, Source},
    table::{RowState, Writer},
};

pub(super) struct Ledger {
    pub(super) clock: Clock,
    pub(super) writer: Writer,
    pub(super) config: Arc<Config>,
    pub(super) revision: u64,
    pub(super) roster: Roster,
    pub(super) suspicion: Suspicion,
    pub(super) overrides: OverrideList,
    pub(super) meters: Meters,
    pub(super) journal: Journal,
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
        self.roster.entries[at].hear_words(signal);
        let now = self.clock.ticks();
        let until = signal.valid_for.map_or(Ticks::FOREVER, |span| now.after(span));
        if signal.source == Source::Probe {
            self.see(at, signal.belief, until, now);
        } else {
            self.roster.entries[at].beliefs.hear(signal.source, signal.belief, until);
            self.settle(at, now);
        }
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
        self.review(now);
        self.journal.tick();
        let has_ended = self.overrides.expire(now) > 0;
        self.draw();
        has_ended
    }

    /// Makes a subject's row, and the row of its group, say what follows from its beliefs.
    pub(super) fn settle(&mut self, at: usize, now: Ticks) {
        let entry = &mut self.roster.entries[at];
        let merged = entry.beliefs.merge(now);
        let before = std::mem::replace(&mut entry.merged, merged);
        if before.state != merged.state {
            self.writer.change(&entry.row, merged.state, now);
            if let Place::Origin { group, weight } = entry.place {
                let group = &mut self.roster.groups[group];
                group.tally.remove(Entry::part(weight, before.state));
                group.tally.add(Entry::part(weight, merged.state));
                Self::derive(&mut self.writer, &mut self.journal, group, now);
            }
        }
        if has_new_meaning(&before.state, &merged.state) || before.source != merged.source {
            entry.since = clock::unix_time();
            entry.gauge.set(meters::level(merged.state.health));
            self.journal.subject(&entry.subject, &before.state, &merged);
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

    fn derive(writer: &mut Writer, journal: &mut Journal, group: &mut Group, now: Ticks) {
        let (state, measure) = (group.tally.state(), group.tally.measure());
        if measure != group.row.measure() {
            writer.set_measure(&group.row, measure);
        }
        if state == group.state {
            return;
        }
        let before = std::mem::replace(&mut group.state, state);
        writer.change(&group.row, state, now);
        if before.weight != state.weight {
            group.draw();
        }
        if before.health != state.health || before.is_draining != state.is_draining {
            journal.group(group, &before);
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
