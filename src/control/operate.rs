//! What operators ask for: overrides are checked, remembered and believed in one step.

use std::time::Duration;

use tracing::info;

use super::{
    command::CommandError,
    ledger::Ledger,
    motion::Leave,
    overrides::{Action, NewOverride, Override, OverrideList, TooMany},
    roster::Entry,
};
use crate::{
    clock::{self, Ticks},
    fleet::{Belief, Source, Subject},
};

/// Bytes that an author's name may take.
const LONGEST_AUTHOR: usize = 128;
/// Bytes that a reason may take.
const LONGEST_REASON: usize = 1_024;

impl Ledger {
    /// Believes an operator from now on.
    pub(super) fn set_override(&mut self, new: NewOverride) -> Result<(), CommandError> {
        let at = self.roster.find(&new.subject).ok_or_else(|| CommandError::UnknownSubject(new.subject.clone()))?;
        check_text("author", &new.author, LONGEST_AUTHOR)?;
        check_text("reason", &new.reason, LONGEST_REASON)?;
        if new.expires_in.is_some_and(|span| span.is_zero()) {
            return Err(CommandError::EndsAtOnce);
        }
        let (now, created) = (self.clock.ticks(), clock::unix_time());
        if let Action::Evacuate(over) = new.action {
            self.roster.entries[at].can_leave(over, new.expires_in, now)?;
        }
        let until = new.expires_in.map_or(Ticks::FOREVER, |span| now.after(span));
        // Rounded up, so that the file never ends it before the table does.
        let expires = new.expires_in.map(|span| created.saturating_add(span).as_millis().div_ceil(1_000));
        let NewOverride { subject, action, author, reason, .. } = new;
        info!(%subject, action = action.as_str(), author, reason, "override set");
        let made = Override {
            subject,
            action,
            author,
            reason,
            created: created.as_secs(),
            expires: expires.map(|seconds| u64::try_from(seconds).unwrap_or(u64::MAX)),
            is_inert: false,
        };
        self.overrides.set(made, until).map_err(|TooMany| CommandError::TooManyOverrides(OverrideList::LIMIT))?;
        let entry = &mut self.roster.entries[at];
        if action.is_about_the_same(Action::Drain) {
            entry.leaves = None;
        }
        match action {
            Action::Evacuate(over) => {
                let leave = Leave::of(over, Duration::ZERO, until, now);
                entry.leaves = leave.map(|leave| leave.starting_from(entry.grant.share));
            }
            _ => entry.beliefs.hear(Source::Operator, action.belief(), until),
        }
        self.settle(at, now);
        self.draw();
        Ok(())
    }

    /// Believes the others again about this subject, which need not exist any more.
    pub(super) fn clear_override(&mut self, subject: &Subject) -> Result<(), CommandError> {
        if self.overrides.clear(subject) == 0 {
            let is_known = self.roster.find(subject).is_some();
            let subject = subject.clone();
            return Err(if is_known {
                CommandError::NoOverride(subject)
            } else {
                CommandError::UnknownSubject(subject)
            });
        }
        info!(%subject, "overrides cleared");
        if let Some(at) = self.roster.find(subject) {
            let entry = &mut self.roster.entries[at];
            entry.leaves = None;
            entry.beliefs.hear(Source::Operator, Belief::Withdrawn, Ticks::FOREVER);
            self.settle(at, self.clock.ticks());
        }
        self.draw();
        Ok(())
    }

    /// All overrides, in order of subject.
    pub(super) fn list_overrides(&self) -> Vec<Override> {
        self.overrides.listed(|subject| self.roster.find(subject).is_some())
    }
}

impl Entry {
    /// Whether it can be evacuated over so long.
    fn can_leave(&self, over: Duration, expires_in: Option<Duration>, now: Ticks) -> Result<(), CommandError> {
        if over.is_zero() {
            return Err(CommandError::EndsAtOnce);
        }
        if expires_in.is_some_and(|span| span <= over) {
            return Err(CommandError::NeverLeft);
        }
        // Going back to all of its clients to let them go again is nobody's wish.
        match self.beliefs.view(Source::Operator).drain.filter(|until| *until >= now) {
            Some(_) => Err(CommandError::LeftAlready(self.subject.clone())),
            None => Ok(()),
        }
    }
}

fn check_text(field: &'static str, text: &str, longest: usize) -> Result<(), CommandError> {
    if text.trim().is_empty() {
        return Err(CommandError::Missing(field));
    }
    if text.chars().any(char::is_control) {
        return Err(CommandError::Control(field));
    }
    if text.len() > longest {
        return Err(CommandError::TooLong { field, longest });
    }
    Ok(())
}
