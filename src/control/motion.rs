//! What is on its way: who returns and gets its share back bit by bit, and who lost a part and passes it on bit by bit (`policy` says how fast).
//!
//! Merging says what is believed, and at once. What the rows say of a weight follows that at the pace that others can bear. Whoever moves is
//! looked at with every tick; all others cost nothing.

use std::{collections::BTreeSet, time::Duration};

use super::{
    ledger::Ledger,
    roster::{Entry, Group, Place},
};
use crate::{
    clock::Ticks,
    fleet::{BasisPoints, Belief, Health, Source},
    policy::{self, Pace},
    table::RowState,
};

/// Who moves now, as indices.
#[derive(Debug, Default)]
pub(super) struct Motion {
    entries: BTreeSet<usize>,
    groups: BTreeSet<usize>,
}

impl Motion {
    pub(super) fn entry(&mut self, at: usize, moves: bool) {
        note(&mut self.entries, at, moves);
    }

    pub(super) fn group(&mut self, at: usize, moves: bool) {
        note(&mut self.groups, at, moves);
    }

    /// The indices mean somebody else now.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.groups.clear();
    }
}

fn note(moving: &mut BTreeSet<usize>, at: usize, moves: bool) {
    if moves {
        moving.insert(at);
    } else {
        moving.remove(&at);
    }
}

/// An evacuation, while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leave {
    ends: Ticks,
    over: Duration,
    /// Through when the operator's word holds.
    until: Ticks,
}

impl Leave {
    /// One that takes so long and began so long ago, through `until`; `None` where it is over.
    pub(super) fn of(over: Duration, began: Duration, until: Ticks, now: Ticks) -> Option<Self> {
        let left = over.checked_sub(began).filter(|left| !left.is_zero())?;
        Some(Self { ends: now.after(left), over, until })
    }

    fn share(&self, now: Ticks) -> BasisPoints {
        let left = u64::from(self.ends.0.saturating_sub(now.0)) * 100;
        BasisPoints::ratio(left, u64::try_from(self.over.as_millis()).unwrap_or(u64::MAX)).max(BasisPoints::LEAST)
    }
}

/// A return, while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Return {
    since: Ticks,
    pace: Pace,
}

impl Return {
    /// Whether a change from one state to another begins one, goes on with one, or ends it. `joins` where who was never seen before takes its
    /// place among others.
    fn after(
        current: Option<Self>,
        (before, after): (&RowState, &RowState),
        joins: bool,
        pace: Pace,
        now: Ticks,
    ) -> Option<Self> {
        // An operator's "up" is not waited for.
        if !after.is_usable() || after.is_forced {
            return None;
        }
        if before.is_usable() {
            return current;
        }
        // What a node that doubts its eyes believes again was never lost.
        if after.is_stale {
            return None;
        }
        // What an operator took away did not fail.
        let was_given_back = before.is_draining || before.is_forced || before.health == Health::Up;
        let pace = if was_given_back { pace.without_hold() } else { pace };
        (joins || before.health != Health::Unknown).then_some(Self { since: now, pace })
    }

    fn share(&self, now: Ticks) -> Option<BasisPoints> {
        self.pace.share(Duration::from_millis(100) * now.0.saturating_sub(self.since.0))
    }
}

impl Entry {
    /// Drains, where an evacuation is over.
    pub(super) fn finish_leaving(&mut self, now: Ticks) {
        let Some(leave) = self.leaves.filter(|leave| leave.ends <= now || leave.until < now) else { return };
        self.leaves = None;
        self.beliefs.hear(Source::Operator, Belief::Drain, leave.until);
    }

    /// Whether its row says something else with the next tick, even if nothing happens.
    pub(super) fn moves(&self) -> bool {
        self.returns.is_some() || self.leaves.is_some()
    }

    /// What its row says now, when its state was another one `before`.
    pub(super) fn told(&mut self, before: &RowState, joins: bool, now: Ticks) -> RowState {
        let state = self.merged.state;
        let joins = joins && matches!(self.place, Place::Origin { .. });
        self.returns = Return::after(self.returns, (before, &state), joins, self.pace, now);
        let share = self.returns.and_then(|returns| returns.share(now));
        if share.is_none() {
            self.returns = None;
        }
        match share {
            Some(share) => RowState { weight: state.weight.thinned(share), is_returning: true, ..state },
            None => match self.leaves {
                Some(leave) => RowState { weight: state.weight.thinned(leave.share(now)), ..state },
                None => state,
            },
        }
    }
}

impl Group {
    /// What its row says now of what its origins add up to; `spill_percent` as in the config.
    pub(super) fn told(&mut self, spill_percent: u32, now: Ticks) -> RowState {
        let state = self.tally.state();
        let before = std::mem::replace(&mut self.state, state);
        self.returns = Return::after(self.returns, (&before, &state), false, self.pace, now);
        let could = if state.is_usable() { policy::carry(state.weight) } else { BasisPoints::ZERO };
        // Until all have had a verdict there is nothing that was there before.
        let kept = self.kept.follow(could, if self.is_known { spill_percent } else { 0 }, now);
        self.is_known |= self.tally.is_judged();
        let share = self.returns.and_then(|returns| returns.share(now));
        if share.is_none() {
            self.returns = None;
        }
        match share {
            Some(share) if share < could => {
                RowState { weight: policy::share_that_carries(share), is_returning: true, ..state }
            }
            _ if kept > could => RowState { weight: policy::share_that_carries(kept), ..state },
            _ => state,
        }
    }

    /// Whether its row says something else with the next tick, even if nothing happens.
    pub(super) fn moves(&self) -> bool {
        self.returns.is_some() || self.row_says.weight != self.state.weight
    }
}

impl Ledger {
    /// Moves who is on its way by what a tick brings.
    pub(super) fn go_on(&mut self, now: Ticks) {
        for at in self.motion.entries.clone() {
            self.settle(at, now);
        }
        for at in self.motion.groups.clone() {
            self.derive(at, now);
        }
    }
}

#[cfg(test)]
mod tests;
