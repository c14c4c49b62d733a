//! What every source believes of one subject, and the one state that follows from it. Pure: the time is an argument.
//!
//! Health, drain and weight are three dimensions, and each is settled by itself. The strongest source that speaks about a
//! dimension wins it, in whatever order they spoke; draining is an exception, since nobody can say "not draining": one source
//! is enough. So an operator's drain leaves the probe's health visible.
//!
//! A belief holds through its last tick. Then it is gone, with one exception: the health that a checker (probe, peer) saw
//! last stays, marked stale, because nothing turns down by itself. Of two checkers one that still sees beats one that does
//! not; among equals the stronger wins. A probe whose node doubts its own eyes counts as one that does not see.
//!
//! Who is believed about health, strongest first:
//!
//! | source | says | holds | when its time is over |
//! |---|---|---|---|
//! | operator | up, down | until cleared, or as long as was said | gone |
//! | drill | up, down | as long as the drill | gone |
//! | traffic | down: an origin is ejected | as long as the ejection | gone |
//! | probe | up, down | five intervals, at least 10 s, from every probe | stays, stale |
//! | peer | up, down | as long as the peer says | stays, stale |
//!
//! So a passing check does not end an ejection, and an operator's "up" does; when an ejection is over, the row is what the check says meanwhile,
//! which the report shows beneath it all the time.

use std::sync::Arc;

use crate::{
    clock::Ticks,
    fleet::{BasisPoints, Belief, Health, Source},
    table::RowState,
};

/// What one source believes, dimension by dimension, and through which tick.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    /// Up or down; a source that does not know does not speak.
    pub(super) health: Option<(Health, Ticks)>,
    /// It takes no new work.
    pub(super) drain: Option<Ticks>,
    /// Its share of the configured weight.
    pub(super) weight: Option<(BasisPoints, Ticks)>,
    /// Why, in its own words.
    pub(super) said: Option<Arc<str>>,
    /// Since when it says what it says about health.
    pub(super) since: Option<Ticks>,
}

impl View {
    fn hear(&mut self, belief: Belief, until: Ticks) {
        if let Belief::Health(health) = belief {
            // Words are those of the last belief, which may have none.
            self.said = None;
            if self.health.is_none_or(|(known, _)| known != health) {
                self.since = None;
            }
        }
        match belief {
            Belief::Health(Health::Unknown) => self.health = None,
            Belief::Health(health) => self.health = Some((health, until)),
            Belief::Drain => self.drain = Some(until),
            Belief::Weight(share) => self.weight = Some((share, until)),
            Belief::Withdrawn => *self = Self::default(),
        }
    }

    fn expiries(&self) -> impl Iterator<Item = Ticks> {
        [self.health.map(|(_, until)| until), self.drain, self.weight.map(|(_, until)| until)].into_iter().flatten()
    }
}

/// What is believed of one subject, source by source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Beliefs {
    views: [View; Source::ALL.len()],
    /// The node suspects itself of seeing this subject wrongly.
    pub(super) is_probe_doubted: bool,
}

/// What follows from the beliefs at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Merged {
    /// For the row.
    pub(super) state: RowState,
    /// Whose word on health it is, where anybody spoke.
    pub(super) source: Option<Source>,
}

impl Beliefs {
    /// Takes in one more belief, which holds through `until`.
    pub(super) fn hear(&mut self, source: Source, belief: Belief, until: Ticks) {
        self.views[source as usize].hear(belief, until);
    }

    /// Remembers why a source says what it was just heard to say, and since when.
    pub(super) fn note(&mut self, source: Source, said: Option<&Arc<str>>, now: Ticks) {
        let view = &mut self.views[source as usize];
        if view.health.is_some() {
            view.since.get_or_insert(now);
        }
        if let Some(said) = said
            && view.said.as_ref() != Some(said)
        {
            view.said = Some(Arc::clone(said));
        }
    }

    /// What one source believes.
    pub(super) fn view(&self, source: Source) -> &View {
        &self.views[source as usize]
    }

    /// What this node's own checks say, for as long as they have not said otherwise.
    pub(super) fn probed(&self) -> Option<(Health, Ticks)> {
        self.view(Source::Probe).health
    }

    /// The state that follows from them at `now`.
    pub(super) fn merge(&self, now: Ticks) -> Merged {
        let is_live = |until: Ticks| until >= now;
        let sees = |source| source != Source::Probe || !self.is_probe_doubted;
        let spoke = |source: Source| Some((source, self.view(source).health?));
        let fresh =
            Source::ALL.into_iter().filter_map(spoke).find(|(source, (_, until))| is_live(*until) && sees(*source));
        let verdict = fresh.or_else(|| [Source::Probe, Source::Peer].into_iter().find_map(spoke));
        let weight = Source::ALL.into_iter().find_map(|source| {
            let (share, _) = self.view(source).weight.filter(|(_, until)| is_live(*until))?;
            Some((source, share))
        });
        let drains = |source: Source| self.view(source).drain.is_some_and(is_live);
        let source = verdict.map(|(source, _)| source);
        let is_drilled = |by: Option<Source>| by == Some(Source::Drill);
        let state = RowState {
            health: verdict.map_or(Health::Unknown, |(_, (health, _))| health),
            is_forced: source == Some(Source::Operator),
            is_draining: Source::ALL.into_iter().any(drains),
            is_drilled: is_drilled(source) || is_drilled(weight.map(|(by, _)| by)) || drains(Source::Drill),
            is_stale: verdict.is_some() && fresh.is_none(),
            is_breaker_open: false,
            is_returning: false,
            is_joining: false,
            weight: weight.map_or(BasisPoints::FULL, |(_, share)| share),
            valid_until: verdict.map_or(Ticks::FOREVER, |(_, (_, until))| until),
        };
        Merged { state, source }
    }

    /// The first tick after `now` at which merging may say something else, if nobody speaks until then.
    pub(super) fn next_change(&self, now: Ticks) -> Option<Ticks> {
        let expiries = self.views.iter().flat_map(View::expiries);
        let next = expiries.filter(|until| *until >= now && *until != Ticks::FOREVER).min()?;
        Some(Ticks(next.0 + 1))
    }
}

#[cfg(test)]
mod tests;
