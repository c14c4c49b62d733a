//! Why each row is what it is: for status, the admin API and whoever is on call.

use std::{sync::Arc, time::Duration};

use super::{ledger::Ledger, overrides::Override, roster::Entry};
use crate::{
    clock::{self, Ticks},
    fleet::{BasisPoints, Health, Source, Subject},
    table::RowState,
};

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
    /// Who said in words why it is as it is, and what.
    pub said: Option<(Source, Arc<str>)>,
    /// What each source that spoke says, strongest first.
    pub views: Vec<ViewReport>,
    /// The operator's decisions, with author and reason.
    pub overrides: Vec<Override>,
}

/// What one source says of one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewReport {
    /// Who.
    pub source: Source,
    /// Does it work? `None` where it does not say.
    pub health: Option<Health>,
    /// Whether that verdict has outlived its time.
    pub is_stale: bool,
    /// It takes no new work.
    pub is_draining: bool,
    /// Its share of the configured weight, where it says.
    pub weight: Option<BasisPoints>,
}

impl Ledger {
    /// Reports on everybody: costs what the fleet costs, so it is asked for and not kept.
    pub(super) fn describe(&self) -> Vec<SubjectReport> {
        let now = self.clock.ticks();
        self.roster.entries.iter().map(|entry| self.report(entry, now)).collect()
    }

    fn report(&self, entry: &Entry, now: Ticks) -> SubjectReport {
        let merged = entry.beliefs.merge(now);
        let overrides = self.overrides.of(&entry.subject).iter();
        let until = merged.state.valid_until;
        let steps = until.0.saturating_sub(now.0);
        SubjectReport {
            subject: entry.subject.clone(),
            state: RowState {
                weight: entry.row_says.weight,
                is_returning: entry.row_says.is_returning,
                ..merged.state
            },
            source: merged.source,
            since: entry.since,
            valid_for: (until != Ticks::FOREVER).then(|| Duration::from_millis(100) * steps),
            is_withheld: entry.withheld.is_some(),
            said: entry.said.clone(),
            views: Source::ALL.into_iter().filter_map(|source| view_report(entry, source, now)).collect(),
            overrides: overrides.filter(|(_, until)| *until >= now).map(|(kept, _)| kept.clone()).collect(),
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
        is_stale: verdict.is_some_and(|(_, until)| !is_live(&until)),
        is_draining: view.drain.as_ref().is_some_and(is_live),
        weight: view.weight.filter(|(_, until)| is_live(until)).map(|(share, _)| share),
    };
    (report.health.is_some() || report.is_draining || report.weight.is_some()).then_some(report)
}

impl SubjectReport {
    /// How long ago the row last changed in what it means.
    pub fn age(&self) -> Duration {
        clock::unix_time().saturating_sub(self.since)
    }
}
