//! The one row of a pool in a region, from the rows of its origins there. Pure.
//!
//! A [`Tally`] counts what the origins add up to. A change of one origin takes its old part out and puts its new part in, so it
//! costs the same in a pool of ten and of 100,000, and always says what counting anew would say.
//!
//! - *health*: up if any origin is usable; otherwise unknown if any without a verdict takes new work; otherwise down.
//! - *weight*: usable configured weight times its share, over all configured weight of the first tier, which the other tiers only stand in
//!   for; a living part never counts as nothing, and more than all as all. Nobody counts on who had no verdict yet, or is new and has
//!   not had its share yet, be it down: adding origins to a region does not make it look lost. Where nothing is usable, the weight of those without a verdict counts, over
//!   that of everybody: it is what the unproven rung draws by.
//! - *draining*: origins work, and all of those drain; or nothing is left that the last rung may ask.
//! - *stale*: no verdict is fresh on any usable origin, or on any at all where none is usable: that one is surely dead says nothing of those that
//!   carry the work. So it is valid for as long as its freshest evidence is.
//! - *forced*: an operator's "up" is what makes it up, or part of it, so that it is not waited for. Other words of operators, and drills, are
//!   not inherited: the row of the region is a consequence.

use std::collections::BTreeMap;

use crate::{
    clock::Ticks,
    fleet::{BasisPoints, Health, STANDBY},
    table::{Measure, RowState},
};

const TIERS: usize = STANDBY as usize + 1;

/// How much of the work is an origin's by its config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stake {
    /// Configured weight.
    pub(super) weight: u16,
    /// Configured tier.
    pub(super) tier: u8,
}

/// What one origin contributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// By config.
    pub(super) stake: Stake,
    /// What its row says.
    pub(super) state: RowState,
}

impl Stake {
    fn place(self) -> usize {
        usize::from(self.tier.min(STANDBY))
    }
}

/// What the origins of one pool in one region add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// By tier.
    total_weight: [u64; TIERS],
    /// The same of those that are counted on.
    counted_on: [u64; TIERS],
    /// In basis points of a unit of configured weight.
    usable_weight: u64,
    /// The same of those without a verdict.
    hopeful_weight: u64,
    usable: u32,
    forced: u32,
    hopeful: u32,
    /// Those that nobody took out, whatever their health.
    askable: u32,
    counted: u32,
    up: u32,
    up_and_draining: u32,
    judged: u32,
    /// How many verdicts that nobody doubts are valid through which tick, those on usable origins last.
    evidence: BTreeMap<(bool, Ticks), u32>,
}

impl Tally {
    /// Counts an origin in.
    pub(super) fn add(&mut self, part: Part) {
        let counts = Counts::of(part);
        self.total_weight[part.stake.place()] += u64::from(part.stake.weight);
        self.counted_on[part.stake.place()] += counts.counted_on;
        self.usable_weight += counts.usable_weight;
        self.hopeful_weight += counts.hopeful_weight;
        self.usable += u32::from(counts.is_usable);
        self.forced += u32::from(counts.is_usable && part.state.is_forced);
        self.hopeful += u32::from(counts.is_hopeful);
        self.askable += u32::from(counts.is_askable);
        self.counted += 1;
        self.up += u32::from(counts.is_up);
        self.up_and_draining += u32::from(counts.is_up && part.state.is_draining);
        self.judged += u32::from(counts.is_judged);
        if let Some(evidence) = counts.evidence {
            *self.evidence.entry(evidence).or_default() += 1;
        }
    }

    /// Takes out an origin that was counted in.
    pub(super) fn remove(&mut self, part: Part) {
        let counts = Counts::of(part);
        self.total_weight[part.stake.place()] -= u64::from(part.stake.weight);
        self.counted_on[part.stake.place()] -= counts.counted_on;
        self.usable_weight -= counts.usable_weight;
        self.hopeful_weight -= counts.hopeful_weight;
        self.usable -= u32::from(counts.is_usable);
        self.forced -= u32::from(counts.is_usable && part.state.is_forced);
        self.hopeful -= u32::from(counts.is_hopeful);
        self.askable -= u32::from(counts.is_askable);
        self.counted -= 1;
        self.up -= u32::from(counts.is_up);
        self.up_and_draining -= u32::from(counts.is_up && part.state.is_draining);
        self.judged -= u32::from(counts.is_judged);
        if let Some(evidence) = counts.evidence
            && let Some(count) = self.evidence.get_mut(&evidence)
        {
            *count -= 1;
            if *count == 0 {
                self.evidence.remove(&evidence);
            }
        }
    }

    /// The row that follows.
    pub(super) fn state(&self) -> RowState {
        let health = match (self.usable, self.hopeful) {
            (1.., _) => Health::Up,
            (0, 1..) => Health::Unknown,
            (0, 0) => Health::Down,
        };
        let weight = if self.usable > 0 { self.usable_weight } else { self.hopeful_weight };
        let freshest = self.evidence.last_key_value().map(|(evidence, _)| *evidence);
        let freshest = freshest.filter(|(is_of_usable, _)| *is_of_usable || self.usable == 0);
        RowState {
            health,
            is_forced: self.forced > 0,
            is_draining: (self.up > 0 && self.up == self.up_and_draining) || (self.counted > 0 && self.askable == 0),
            is_stale: self.judged > 0 && freshest.is_none(),
            weight: BasisPoints::ratio(weight, self.expected_weight() * u64::from(BasisPoints::FULL.get())),
            valid_until: freshest.map_or(Ticks::FOREVER, |(_, until)| until),
            ..RowState::default()
        }
    }

    /// How many are usable, and of how many, for people.
    pub(super) fn usable(&self) -> (u32, u32) {
        (self.usable, self.counted)
    }

    /// Whether there was a verdict on each origin.
    pub(super) fn is_judged(&self) -> bool {
        self.judged == self.counted
    }

    /// The amounts that follow.
    pub(super) fn measure(&self) -> Measure {
        let usable = self.usable_weight.div_ceil(u64::from(BasisPoints::FULL.get()));
        let whole = |weight: u64| u32::try_from(weight).unwrap_or(u32::MAX);
        Measure::of_pool(whole(usable), whole(self.expected_weight()))
    }

    /// The configured weight that its share is counted by.
    fn expected_weight(&self) -> u64 {
        let first = |tiers: [u64; TIERS]| tiers.into_iter().find(|weight| *weight > 0);
        let counted_on = first(self.counted_on).filter(|_| self.usable > 0);
        counted_on.or_else(|| first(self.total_weight)).unwrap_or_default()
    }
}

struct Counts {
    usable_weight: u64,
    hopeful_weight: u64,
    counted_on: u64,
    is_usable: bool,
    is_hopeful: bool,
    is_askable: bool,
    is_up: bool,
    is_judged: bool,
    evidence: Option<(bool, Ticks)>,
}

impl Counts {
    fn of(Part { stake: Stake { weight, .. }, state }: Part) -> Self {
        let is_usable = weight > 0 && state.is_usable();
        let is_judged = state.health != Health::Unknown;
        let is_hopeful = weight > 0 && !is_judged && state.takes_new_work();
        let effective = u64::from(weight) * u64::from(state.weight.get());
        Self {
            usable_weight: if is_usable { effective } else { 0 },
            hopeful_weight: if is_hopeful { effective } else { 0 },
            counted_on: if state.is_counted_on() { u64::from(weight) } else { 0 },
            is_usable,
            is_hopeful,
            is_askable: weight > 0 && state.is_askable(),
            is_up: state.health == Health::Up,
            is_judged,
            evidence: (is_judged && !state.is_stale).then_some((is_usable, state.valid_until)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn any_part()(
            weight in 0..=256_u16,
            tier in 0..=STANDBY,
            health in prop_oneof![Just(Health::Unknown), Just(Health::Up), Just(Health::Down)],
            flags in any::<[bool; 5]>(),
            share in prop_oneof![Just(0), Just(1), 0..=10_000_u16],
            until in 0..8_u32,
        ) -> Part {
            let state = RowState {
                health,
                is_forced: flags[0],
                is_draining: flags[1],
                is_drilled: flags[2],
                is_stale: flags[3],
                is_breaker_open: false,
                is_returning: false,
                is_joining: flags[4],
                weight: BasisPoints::new(share),
                valid_until: Ticks(until),
            };
            Part { stake: Stake { weight, tier }, state }
        }
    }

    fn tally(parts: &[Part]) -> Tally {
        let mut tally = Tally::default();
        for part in parts {
            tally.add(*part);
        }
        tally
    }

    fn up(weight: u16) -> Part {
        Part {
            stake: Stake { weight, tier: 0 },
            state: RowState { health: Health::Up, valid_until: Ticks(9), ..RowState::default() },
        }
    }

    fn with(part: Part, change: impl FnOnce(&mut RowState)) -> Part {
        let mut part = part;
        change(&mut part.state);
        part
    }

    proptest! {
        #[test]
        fn taking_out_and_putting_in_is_counting_anew(
            mut parts in prop::collection::vec(any_part(), 1..8),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any_part()), 0..20),
        ) {
            let mut running = tally(&parts);
            for (at, part) in changes {
                let at = at.index(parts.len());
                running.remove(parts[at]);
                running.add(part);
                parts[at] = part;
                prop_assert_eq!(&running, &tally(&parts));
            }
        }

        #[test]
        fn it_says_what_the_rules_say(parts in prop::collection::vec(any_part(), 0..8)) {
            let (row, measure) = (tally(&parts).state(), tally(&parts).measure());
            let usable: Vec<&Part> = parts.iter().filter(|part| part.stake.weight > 0 && part.state.is_usable()).collect();
            prop_assert_eq!(row.health == Health::Up, !usable.is_empty());
            prop_assert_eq!(row.weight > BasisPoints::ZERO, row.health != Health::Down);
            prop_assert_eq!(measure.usable_weight > 0, !usable.is_empty());
            let hope = |part: &&Part| part.stake.weight > 0 && part.state.health == Health::Unknown && part.state.takes_new_work();
            prop_assert_eq!(row.health == Health::Unknown, usable.is_empty() && parts.iter().any(|part| hope(&part)));
            let judged: Vec<&Part> = parts.iter().filter(|part| part.state.health != Health::Unknown).collect();
            let evidence = if usable.is_empty() { &judged } else { &usable };
            prop_assert_eq!(row.is_stale, !evidence.is_empty() && evidence.iter().all(|part| part.state.is_stale));
            let working: Vec<&Part> = parts.iter().filter(|part| part.state.health == Health::Up).collect();
            let all_drain = !working.is_empty() && working.iter().all(|part| part.state.is_draining);
            let none_is_left = !parts.is_empty() && !parts.iter().any(|part| part.stake.weight > 0 && part.state.is_askable());
            prop_assert_eq!(row.is_draining, all_drain || none_is_left);
            prop_assert_eq!(row.is_forced, usable.iter().any(|part| part.state.is_forced));
            prop_assert!(!row.is_drilled);
            let total: u32 = parts.iter().map(|part| u32::from(part.stake.weight)).sum();
            prop_assert!(measure.usable_weight <= total);
        }
    }

    #[test]
    fn half_of_the_weight_is_half_of_the_row() {
        let down = with(up(30), |state| state.health = Health::Down);
        let thinned = with(up(20), |state| state.weight = BasisPoints::new(5_000));
        let tally = tally(&[down, thinned, up(10)]);
        assert_eq!(tally.state().weight, BasisPoints::ratio(20, 60));
        assert_eq!(tally.measure().usable_weight, 20);
    }

    #[test]
    fn later_tiers_stand_in_for_the_first() {
        let in_tier = |tier: u8, part: Part| Part { stake: Stake { tier, ..part.stake }, ..part };
        let down = with(up(100), |state| state.health = Health::Down);
        let standby = in_tier(STANDBY, up(100));
        let weight = |parts: &[Part]| tally(parts).state().weight;
        assert_eq!(weight(&[up(100), up(100), standby]), BasisPoints::FULL, "never more than all");
        assert_eq!(weight(&[up(100), down, standby]), BasisPoints::FULL, "what one lacks the other has");
        let taken_over = tally(&[down, down, standby]).state();
        assert_eq!(
            (taken_over.health, taken_over.weight),
            (Health::Up, BasisPoints::new(5_000)),
            "what it carries of the first"
        );
        assert_eq!(
            weight(&[in_tier(3, up(10)), in_tier(4, down)]),
            BasisPoints::FULL,
            "the first is the lowest there is"
        );
    }

    #[test]
    fn who_is_new_is_not_counted_on_while_somebody_else_is() {
        let unknown = with(up(10), |state| state.health = Health::Unknown);
        let joins = with(up(10), |state| (state.is_joining, state.weight) = (true, BasisPoints::new(1_000)));
        let down = with(up(10), |state| state.health = Health::Down);
        let weight = |parts: &[Part]| tally(parts).state().weight;
        assert_eq!(weight(&[up(10), unknown, unknown, unknown]), BasisPoints::FULL);
        assert_eq!(weight(&[up(10), joins, joins, joins]), BasisPoints::FULL);
        let expected = |parts: &[Part]| tally(parts).measure().expected();
        assert_eq!(
            [expected(&[up(10), joins, unknown]), expected(&[joins, joins]), expected(&[down, unknown])],
            [10, 20, 20]
        );
        assert_eq!(weight(&[up(10), down, joins, unknown]), BasisPoints::new(5_500), "what it takes counts");
        assert_eq!(
            weight(&[joins, joins]),
            BasisPoints::new(1_000),
            "where all is new there is nothing that was there before"
        );
        assert_eq!(weight(&[down, unknown]), BasisPoints::new(5_000), "nor where nothing is usable");
    }

    #[test]
    fn a_region_without_a_verdict_can_be_drawn_and_one_that_was_taken_out_cannot() {
        let unknown = with(up(5), |state| state.health = Health::Unknown);
        assert!(tally(&[unknown]).state().takes_new_work());
        let dead = with(up(5), |state| state.health = Health::Down);
        let taken_out = with(dead, |state| state.is_forced = true);
        let nothing = with(dead, |state| state.weight = BasisPoints::ZERO);
        assert!(!tally(&[dead, taken_out]).state().is_withheld());
        assert!(tally(&[taken_out, taken_out]).state().is_withheld());
        assert!(tally(&[up(0), nothing]).state().is_withheld());
    }

    #[test]
    fn one_living_origin_among_many_is_not_nothing() {
        let mut parts = vec![with(up(256), |state| state.health = Health::Down); 1_000];
        parts.push(with(up(1), |state| state.weight = BasisPoints::new(1)));
        assert_eq!(tally(&parts).state().weight.get(), 1);
        assert_eq!(tally(&parts).measure().usable_weight, 1);
    }

    #[test]
    fn a_row_is_as_fresh_as_its_freshest_evidence() {
        let old = with(up(1), |state| state.valid_until = Ticks(3));
        let doubted = with(up(1), |state| (state.is_stale, state.valid_until) = (true, Ticks(99)));
        assert_eq!(tally(&[old, up(1), doubted]).state().valid_until, Ticks(9));
        assert!(tally(&[doubted]).state().is_stale);
        let dead = with(up(1), |state| state.health = Health::Down);
        assert!(tally(&[doubted, dead]).state().is_stale, "what is surely dead says nothing of those that work");
        assert_eq!(tally(&[old, dead]).state().valid_until, Ticks(3));
        assert!(!tally(&[with(doubted, |state| state.health = Health::Down), dead]).state().is_stale);
        assert!(!tally(&[]).state().is_stale);
    }

    #[test]
    fn a_drained_region_is_down_and_says_that_it_drains() {
        let drained = with(up(5), |state| state.is_draining = true);
        let row = tally(&[drained, drained]).state();
        assert_eq!((row.health, row.is_draining, row.weight), (Health::Down, true, BasisPoints::ZERO));
    }
}
