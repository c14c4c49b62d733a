//! Why each row is what it is: for status, the admin API and whoever is on call.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    ledger::Ledger,
    overrides::Override,
    roster::{Entry, Group},
};
use crate::{
    clock::{self, Ticks},
    fleet::{BasisPoints, Health, Source, Subject},
    table::RowState,
};

/// Everything that rows say, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Origins and front doors.
    pub subjects: Vec<SubjectReport>,
    /// Pools in regions.
    pub groups: Vec<GroupReport>,
}

/// What follows for a pool in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupReport {
    /// The pool.
    pub pool: Arc<str>,
    /// The region.
    pub region: Arc<str>,
    /// When the row last changed in what it means, in time since 1970.
    pub since: Duration,
    /// How many of its origins are usable.
    pub usable: u32,
    /// Of how many.
    pub origins: u32,
    /// Why its weight is on its way, where it is.
    pub moving: Vec<Move>,
}

/// Why a weight is on its way, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Why.
    pub why: Moves,
    /// Until it is there.
    pub left: Duration,
}

/// Why a weight is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// It was lost, and is held for so long before it gets anything back.
    Held(Duration),
    /// It was lost, and gets its share back.
    Returns,
    /// It gets back what an operator, or a drain, took.
    GivenBack,
    /// It is new among others.
    Joins,
    /// It is evacuated over so long.
    Leaves(Duration),
    /// It lost a part, and passes on what it cannot carry.
    PassesOn,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = spell(self.left);
        match self.why {
            Moves::Held(held) => write!(f, "returns: held for {} more", spell(held)),
            Moves::Returns => write!(f, "returns: rises for {left} more"),
            Moves::GivenBack => write!(f, "given back: rises for {left} more"),
            Moves::Joins => write!(f, "joins: rises for {left} more"),
            Moves::Leaves(over) => write!(f, "evacuated over {}, {left} left", spell(over)),
            Moves::PassesOn => write!(f, "passes on its excess for {left} more"),
        }
    }
}

/// A span in its two largest units, rounded up: it is not over before it is.
pub fn spell(span: Duration) -> String {
    let seconds = span.as_millis().div_ceil(1_000);
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(units.len() - 1);
    let (unit, name) = units[first];
    let rest = units.get(first + 1).map(|(next, name)| (seconds % unit / next, name)).filter(|(count, _)| *count > 0);
    rest.map_or_else(
        || format!("{} {name}", seconds / unit),
        |(count, next)| format!("{} {name} {count} {next}", seconds / unit),
    )
}

/// What is believed of one subject, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectReport {
    /// About what.
    pub subject: Subject,
    /// What its row says.
    pub state: RowState,
    /// Whose word on health stands, where anybody spoke.
    pub source: Option<Source>,
    /// When the row last changed in what it means, in time since 1970.
    pub since: Duration,
    /// For how long that word holds, where it ends at all; zero where it has.
    pub valid_for: Option<Duration>,
    /// A probe saw it go down, and the node suspects itself rather than believe that.
    pub is_withheld: bool,
    /// What each source that spoke says, strongest first.
    pub views: Vec<ViewReport>,
    /// The operator's decisions, with author and reason, and for how long each holds where it ends.
    pub overrides: Vec<(Override, Option<Duration>)>,
    /// Why its weight is on its way, where it is.
    pub moving: Vec<Move>,
}

/// What one source says of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewReport {
    /// Who.
    pub source: Source,
    /// Does it work? `None` where it does not say.
    pub health: Option<Health>,
    /// Why, in its own words.
    pub said: Option<Arc<str>>,
    /// How long it has been saying so.
    pub age: Option<Duration>,
    /// For how long that verdict holds, where it ends at all; zero where it has.
    pub valid_for: Option<Duration>,
    /// Whether that verdict has outlived its time.
    pub is_stale: bool,
    /// It takes no new work.
    pub is_draining: bool,
    /// Its share of the configured weight, where it says.
    pub weight: Option<BasisPoints>,
}

impl Ledger {
    /// Reports on everybody: costs what the fleet costs, so it is asked for and not kept.
    pub(super) fn describe(&self) -> Report {
        let now = self.clock.ticks();
        let spill_percent = self.config.failover.spill_percent;
        let group = |group: &Group| {
            let (usable, origins) = group.tally.usable();
            GroupReport {
                pool: Arc::clone(&group.pool),
                region: Arc::clone(&group.region),
                since: group.since,
                usable,
                origins,
                moving: group.moving(spill_percent, now),
            }
        };
        Report {
            subjects: self.roster.entries.iter().map(|entry| self.report(entry, now)).collect(),
            groups: self.roster.groups.iter().map(group).collect(),
        }
    }

    fn report(&self, entry: &Entry, now: Ticks) -> SubjectReport {
        let merged = entry.beliefs.merge(now);
        let overrides = self.overrides.of(&entry.subject).iter();
        SubjectReport {
            subject: entry.subject.clone(),
            state: RowState {
                weight: entry.row_says.weight,
                is_returning: entry.row_says.is_returning,
                is_joining: entry.row_says.is_joining,
                ..merged.state
            },
            source: merged.source,
            since: entry.since,
            valid_for: left(merged.state.valid_until, now),
            is_withheld: entry.withheld.is_some(),
            views: Source::ALL.into_iter().filter_map(|source| view_report(entry, source, now)).collect(),
            overrides: overrides
                .filter(|(_, until)| *until >= now)
                .map(|(kept, until)| (kept.clone(), left(*until, now)))
                .collect(),
            moving: entry.moving(now),
        }
    }
}

fn view_report(entry: &Entry, source: Source, now: Ticks) -> Option<ViewReport> {
    let view = entry.beliefs.view(source);
    let is_live = |until: &Ticks| *until >= now;
    let outlives = matches!(source, Source::Probe | Source::Peer);
    let verdict = view.health.filter(|(_, until)| outlives || is_live(until));
    let report = ViewReport {
        source,
        health: verdict.map(|(health, _)| health),
        said: view.said.clone().filter(|_| verdict.is_some()),
        age: view.since.filter(|_| verdict.is_some()).map(|since| span(since, now)),
        valid_for: verdict.and_then(|(_, until)| left(until, now)),
        is_stale: verdict.is_some_and(|(_, until)| !is_live(&until)),
        is_draining: view.drain.as_ref().is_some_and(is_live),
        weight: view.weight.filter(|(_, until)| is_live(until)).map(|(share, _)| share),
    };
    (report.health.is_some() || report.is_draining || report.weight.is_some()).then_some(report)
}

fn span(from: Ticks, to: Ticks) -> Duration {
    Duration::from_millis(100) * to.0.saturating_sub(from.0)
}

/// What is left of a time that ends.
fn left(until: Ticks, now: Ticks) -> Option<Duration> {
    (until != Ticks::FOREVER).then(|| span(now, until))
}

impl SubjectReport {
    /// What the one whose word stands says of itself.
    pub fn standing(&self) -> Option<&ViewReport> {
        self.views.iter().find(|view| Some(view.source) == self.source)
    }

    /// How long ago the row last changed in what it means.
    pub fn age(&self) -> Duration {
        clock::unix_time().saturating_sub(self.since)
    }

    /// When the word that stands ends, where it was only said for a time: an operator's, an ejection, a drill.
    pub fn word_ends_in(&self) -> Option<Duration> {
        let passes = |view: &&ViewReport| !matches!(view.source, Source::Probe | Source::Peer);
        self.standing().filter(passes).and_then(|view| view.valid_for)
    }

    /// When something of it ends that was only said for a time, whatever is first: the word that stands, another of an operator, or a way it is
    /// on.
    pub fn ends_in(&self) -> Option<Duration> {
        let orders = self.overrides.iter().filter_map(|(_, left)| *left);
        self.word_ends_in().into_iter().chain(orders).chain(self.moving.iter().map(|moving| moving.left)).min()
    }
}

impl GroupReport {
    /// How long ago the row last changed in what it means.
    pub fn age(&self) -> Duration {
        clock::unix_time().saturating_sub(self.since)
    }
}

#[cfg(test)]
mod tests;
