//! What is on its way: who returns and gets its share back bit by bit, and who lost a part and passes it on bit by bit (`policy` says how fast).
//!
//! Merging says what is believed, and at once. What the rows say of a weight follows that at the pace that others can bear. Whoever moves is
//! looked at with every tick; all others cost nothing.

use std::{collections::BTreeSet, time::Duration};

use super::{
    ledger::Ledger,
    report::{Move, Moves},
    roster::{Entry, Group, Place},
};
use crate::{
    clock::Ticks,
    fleet::{BasisPoints, Belief, Health, Source},
    policy::{self, Pace},
    table::{RowState, Writer},
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
    /// What it had when that began.
    from: BasisPoints,
}

impl Leave {
    /// One that takes so long and began so long ago with all of it, through `until`; `None` where it is over.
    pub(super) fn of(over: Duration, began: Duration, until: Ticks, now: Ticks) -> Option<Self> {
        let left = over.checked_sub(began).filter(|left| !left.is_zero())?;
        Some(Self { ends: now.after(left), over, until, from: BasisPoints::FULL })
    }

    /// The same, begun with this share.
    pub(super) fn starting_from(self, from: BasisPoints) -> Self {
        Self { from, ..self }
    }

    fn left(&self, now: Ticks) -> Duration {
        Duration::from_millis(100) * self.ends.0.saturating_sub(now.0)
    }

    fn share(&self, now: Ticks) -> BasisPoints {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.from.thinned(BasisPoints::ratio(millis(self.left(now)), millis(self.over))).max(BasisPoints::LEAST)
    }
}

/// What somebody returns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It was lost, and may be lost again: it is held first.
    Loss,
    /// An operator, or whoever else drained it, took it away or thinned it. It did not fail.
    Order,
    /// It was never seen before, among others that were.
    Nothing,
}

/// A return, while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Return {
    pub(super) since: Ticks,
    pub(super) after: After,
    /// What it had when that began.
    from: BasisPoints,
}

impl Return {
    /// Whether a change from one health to another begins one `after` this, goes on with one, or ends it.
    fn with(
        current: Option<Self>,
        (before, now_is): (&RowState, &RowState),
        after: Option<After>,
        now: Ticks,
    ) -> Option<Self> {
        // An operator's "up" is not waited for.
        if now_is.health != Health::Up || now_is.is_forced {
            return None;
        }
        if before.health == Health::Up {
            return current;
        }
        // What a node that doubts its eyes believes again was never lost.
        after.filter(|_| !now_is.is_stale).map(|after| Self { since: now, after, from: BasisPoints::ZERO })
    }

    /// What it has by now of what it returns to; `None` where that is all.
    fn share(self, pace: Pace, now: Ticks) -> Option<BasisPoints> {
        let share = self.pace(pace).share(self.lasts(now))?;
        let rest = BasisPoints::FULL.get() - self.from.get();
        let points = u64::from(self.from.get()) + share.of(rest.into());
        Some(BasisPoints::new(u16::try_from(points).unwrap_or(u16::MAX)).max(BasisPoints::LEAST))
    }

    fn pace(self, pace: Pace) -> Pace {
        if self.after == After::Loss { pace } else { pace.without_hold() }
    }

    /// For people.
    fn report(self, pace: Pace, now: Ticks) -> Move {
        let (pace, lasts) = (self.pace(pace), self.lasts(now));
        let held = pace.hold_left(lasts);
        let why = match self.after {
            After::Loss if !held.is_zero() => Moves::Held(held),
            After::Loss => Moves::Returns,
            After::Order => Moves::GivenBack,
            After::Nothing => Moves::Joins,
        };
        Move { why, left: pace.left(lasts) }
    }

    fn lasts(self, now: Ticks) -> Duration {
        Duration::from_millis(100) * now.0.saturating_sub(self.since.0)
    }
}

/// What operators, and whoever drains, leave of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    takes_work: bool,
    /// An operator's word on its weight.
    weight: Option<BasisPoints>,
    leaves: Option<Leave>,
    /// What it has had of its weight, as far as that has come back.
    pub(super) share: BasisPoints,
}

impl Default for Grant {
    fn default() -> Self {
        Self { takes_work: true, weight: None, leaves: None, share: BasisPoints::FULL }
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
        self.returns.is_some() || self.rises.is_some() || self.leaves.is_some()
    }

    /// Why its weight is on its way, for people.
    pub(super) fn moving(&self, now: Ticks) -> Vec<Move> {
        let returns = [self.returns, self.rises].into_iter().flatten().map(|returns| returns.report(self.pace, now));
        let leaves = self.leaves.map(|leave| Move { why: Moves::Leaves(leave.over), left: leave.left(now) });
        leaves.into_iter().chain(returns).collect()
    }

    /// What its row says now, when its state was another one `before`; whom nobody judged yet `joins` others that are ready. What it returns to
    /// is what it is granted, so it is thinned by both.
    pub(super) fn told(&mut self, before: &RowState, joins: bool, now: Ticks) -> RowState {
        let is_origin = matches!(self.place, Place::Origin { .. });
        self.is_new |= joins && is_origin && !self.is_judged;
        let after = match before.health {
            // Whether it failed meanwhile or not: nobody counted on it yet.
            _ if self.is_new => Some(After::Nothing),
            Health::Unknown => self.was_lost.then_some(After::Loss),
            // What an operator took down and gives back is granted, and did not fail.
            _ => (!before.is_forced && !self.starts_with_us(now)).then_some(After::Loss),
        };
        let is_up = self.merged.state.health == Health::Up;
        self.has_been_up |= is_up;
        let returns = Return::with(self.returns, (before, &self.merged.state), after, now);
        self.was_lost &= !is_up;
        let share = returns.and_then(|returns| returns.share(self.pace, now));
        self.returns = returns.filter(|_| share.is_some());
        self.is_new &= !is_up || self.returns.is_some();
        let state = RowState { is_joining: self.is_new, ..self.merged.state };
        let granted = self.granted(now);
        if granted == BasisPoints::ZERO {
            return state;
        }
        RowState {
            weight: granted.thinned(share.unwrap_or(BasisPoints::FULL)),
            is_returning: is_up && (self.returns.is_some() || self.rises.is_some()),
            ..state
        }
    }

    /// Whether it is a front door that was never up as long as this node runs, which is not long: where a fleet is started one node after the
    /// other, nobody returns from anything.
    fn starts_with_us(&self, now: Ticks) -> bool {
        let is_young = || self.pace.share(Duration::from_millis(100) * now.0).is_some();
        matches!(self.place, Place::FrontDoor) && !self.has_been_up && !self.was_lost && is_young()
    }

    /// Says what a front door is granted beside its row, as those who came are served by that whatever it returns from.
    pub(super) fn say_grant(&self, writer: &mut Writer) {
        let known = self.row.measure();
        if matches!(self.place, Place::FrontDoor) && known.granted() != self.grant.share {
            writer.set_measure(&self.row, known.granting(self.grant.share));
        }
    }

    /// What it may take by word of operators: less is at once, more comes bit by bit, and nothing comes to who is leaving.
    fn granted(&mut self, now: Ticks) -> BasisPoints {
        let state = self.merged.state;
        let is_up_by_order = state.is_forced && state.health == Health::Up;
        let is_down_by_order = state.is_forced && state.health == Health::Down;
        let weight = self.beliefs.view(Source::Operator).weight.filter(|(_, until)| *until >= now);
        let takes_work = state.takes_new_work() && !is_down_by_order;
        let share = self.grant.share;
        let grant = Grant { takes_work, weight: weight.map(|(share, _)| share), leaves: self.leaves, share };
        let whole = match self.leaves {
            _ if !takes_work => BasisPoints::ZERO,
            Some(leave) => state.weight.min(leave.share(now)).min(share.max(BasisPoints::LEAST)),
            None => state.weight,
        };
        if is_up_by_order || self.leaves.is_some() || whole == BasisPoints::ZERO {
            self.rises = None;
        } else if grant != self.grant {
            let from = BasisPoints::ratio(share.get().into(), whole.get().into());
            self.rises = (from < BasisPoints::FULL).then_some(Return { since: now, after: After::Order, from });
        }
        let risen = self.rises.and_then(|rises| rises.share(self.pace, now));
        self.rises = self.rises.filter(|_| risen.is_some());
        let share = risen.map_or(whole, |risen| whole.thinned(risen));
        self.grant = Grant { share, ..grant };
        share
    }
}

impl Group {
    /// What its row says now of what its origins add up to; `spill_percent` as in the config.
    pub(super) fn told(&mut self, spill_percent: u32, now: Ticks) -> RowState {
        let state = self.tally.state();
        let before = std::mem::replace(&mut self.state, state);
        let returns = Return::with(self.returns, (&before, &state), self.gone, now);
        self.gone = match state.health {
            Health::Up => None,
            // What takes the place of origins that were lost has no verdict at first.
            Health::Unknown => self.gone,
            Health::Down if state.is_draining => Some(After::Order),
            Health::Down => Some(After::Loss),
        };
        let could = if state.is_usable() { policy::carry(state.weight) } else { BasisPoints::ZERO };
        // Until all have had a verdict there is nothing that was there before.
        let kept = self.kept.follow(could, if self.is_known { spill_percent } else { 0 }, now);
        self.is_known |= self.tally.is_judged();
        let share = returns.and_then(|returns| returns.share(self.pace, now));
        self.returns = returns.filter(|_| share.is_some());
        match share {
            Some(share) if share < kept => {
                RowState { weight: policy::share_that_carries(share), is_returning: true, ..state }
            }
            _ if kept > could => RowState { weight: policy::share_that_carries(kept), ..state },
            _ => state,
        }
    }

    /// Why its weight is on its way, for people.
    pub(super) fn moving(&self, spill_percent: u32, now: Ticks) -> Vec<Move> {
        let returns = self.returns.map(|returns| returns.report(self.pace, now));
        let passes_on = (returns.is_none() && self.moves()).then(|| {
            let left = self.kept.left(policy::carry(self.state.weight), spill_percent);
            Move { why: Moves::PassesOn, left }
        });
        returns.into_iter().chain(passes_on).collect()
    }

    /// Whether its row says something else with the next tick, even if nothing happens.
    pub(super) fn moves(&self) -> bool {
        self.returns.is_some() || self.row_says.weight != self.state.weight
    }
}

impl Ledger {
    /// This node's own front door was lost until the node started.
    pub(super) fn was_away(&mut self) {
        let own = self.config.node.region.index();
        let is_own = |entry: &&mut Entry| entry.region == own && matches!(entry.place, Place::FrontDoor);
        for entry in self.roster.entries.iter_mut().filter(is_own) {
            entry.was_lost = true;
        }
    }

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
