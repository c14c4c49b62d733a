//! Everybody there is something to believe about, at dense indices, for one membership.
//!
//! A subject that survives a change of membership keeps its beliefs; everything else here is made anew from the generation.

use std::{collections::HashMap, sync::Arc, time::Duration};

use metrics::Gauge;

use super::{
    derive::{Part, Stake, Tally},
    merge::{Beliefs, Merged},
    meters,
    motion::{After, Grant, Leave, Return},
    suspicion::Standing,
};
use crate::{
    clock::{self, Ticks},
    config::Config,
    fleet::{Belief, Health, Source, Subject},
    policy::{Kept, Pace},
    table::{Generation, RowHandle, RowState},
};

/// One subject.
pub(super) struct Entry {
    pub(super) subject: Subject,
    /// Index of its region.
    pub(super) region: usize,
    pub(super) place: Place,
    pub(super) row: RowHandle,
    pub(super) beliefs: Beliefs,
    /// A probe's "down" that the node does not believe yet, and through when it holds.
    pub(super) withheld: Option<Ticks>,
    /// What is believed now.
    pub(super) merged: Merged,
    /// What the row says: the same, or a part of its weight while it returns.
    pub(super) row_says: RowState,
    /// How it returns from where it was lost.
    pub(super) pace: Pace,
    pub(super) returns: Option<Return>,
    /// It was lost before this node saw anybody.
    pub(super) was_lost: bool,
    /// Whether it was up since this node runs.
    pub(super) has_been_up: bool,
    /// It came when others were ready, and has not had its share yet.
    pub(super) is_new: bool,
    /// How it gets back what an operator took.
    pub(super) rises: Option<Return>,
    pub(super) leaves: Option<Leave>,
    pub(super) grant: Grant,
    /// When its own probes last saw it work, until that has ended in its row being down.
    pub(super) last_good: Option<Duration>,
    /// How long after that its row said that it is down, while its probes do not say so yet.
    pub(super) left_after: Option<Duration>,
    /// When the row last changed in what it means; calendar time.
    pub(super) since: Duration,
    /// The tick at which it is looked at again.
    pub(super) armed: Option<Ticks>,
    /// Somebody gave a verdict on its health once.
    pub(super) is_judged: bool,
    pub(super) gauge: Gauge,
}

/// Where a subject's row counts.
#[derive(Clone, Copy)]
pub(super) enum Place {
    FrontDoor,
    Origin { group: usize, weight: Stake },
}

/// A pool in a region.
pub(super) struct Group {
    pub(super) pool: Arc<str>,
    pub(super) region: Arc<str>,
    pub(super) row: RowHandle,
    pub(super) tally: Tally,
    /// What its origins add up to.
    pub(super) state: RowState,
    /// What the row says: the same, or another weight on the way there.
    pub(super) row_says: RowState,
    pub(super) kept: Kept,
    /// Why it is down, or was before it had no verdict; `None` where it is up, or never was.
    pub(super) gone: Option<After>,
    pub(super) pace: Pace,
    pub(super) returns: Option<Return>,
    /// When the row last changed in what it means; calendar time.
    pub(super) since: Duration,
    /// All of its origins had a verdict once.
    pub(super) is_known: bool,
    pub(super) gauge: Gauge,
}

impl Group {
    /// Draws the usable share.
    pub(super) fn draw(&self) {
        self.gauge.set(f64::from(self.row_says.weight.get()) / 10_000.0);
    }
}

impl Entry {
    /// How its own probes see it.
    pub(super) fn standing(&self) -> Standing {
        match (self.withheld, self.beliefs.probed()) {
            (Some(_), _) => Standing::Withheld,
            (None, Some((Health::Up, _))) => Standing::Up,
            _ => Standing::NotUp,
        }
    }

    /// Does not believe the "down" that is, or was just, heard: the verdict before it stays, doubted.
    pub(super) fn withhold(&mut self, until: Ticks) {
        self.withheld = Some(until);
        let (_, seen_until) = self.beliefs.probed().unwrap_or((Health::Up, until));
        self.beliefs.hear(Source::Probe, Belief::Health(Health::Up), seen_until);
        self.beliefs.is_probe_doubted = true;
    }

    /// Believes what was withheld.
    pub(super) fn believe(&mut self) {
        if let Some(until) = self.withheld.take() {
            self.beliefs.hear(Source::Probe, Belief::Health(Health::Down), until);
        }
        self.beliefs.is_probe_doubted = false;
    }

    /// Forgets what was withheld.
    pub(super) fn trust(&mut self) {
        self.withheld = None;
        self.beliefs.is_probe_doubted = false;
    }

    /// What it contributes to its group in this state.
    pub(super) fn part(stake: Stake, state: RowState) -> Part {
        Part { stake, state }
    }
}

/// Everybody.
#[derive(Default)]
pub(super) struct Roster {
    pub(super) entries: Vec<Entry>,
    pub(super) groups: Vec<Group>,
    index: HashMap<Subject, usize>,
}

impl Roster {
    /// Who is there in this generation. Whoever was there `before` keeps what was believed; who is new starts with what
    /// `remembered` says. Meters of who left show 0: the recorder cannot forget them.
    pub(super) fn of(
        generation: &Generation,
        config: &Config,
        before: Self,
        remembered: impl Fn(&Subject) -> (Beliefs, Option<Leave>),
        now: Ticks,
    ) -> Self {
        let mut roster = Self::default();
        let mut known = Known::of(before);
        for (region, door) in generation.regions().iter().enumerate() {
            let subject = Subject::FrontDoor { region: Arc::clone(&door.name) };
            let pace = Pace::of_region(&config.failover);
            let entry = known.entry(subject, (region, Place::FrontDoor), pace, &door.front_door, &remembered);
            roster.push(entry, now);
        }
        for (pool, settings) in generation.pools().iter().zip(&config.pools) {
            for entry in pool.regions() {
                let region = &generation.regions()[entry.region.index()].name;
                let group = roster.groups.len();
                roster.groups.push(known.group(&pool.name, region, &entry.row, Pace::of_pool(&config.failover)));
                for origin in &pool.origins()[pool.positions_in(entry.region)] {
                    let subject = Subject::Origin { pool: Arc::clone(&pool.name), address: origin.address.clone() };
                    let place = Place::Origin { group, weight: Stake { weight: origin.weight, tier: origin.tier } };
                    let pace = Pace::of_origin(&settings.slow_start);
                    let entry = known.entry(subject, (origin.region.index(), place), pace, &origin.row, &remembered);
                    roster.push(entry, now);
                }
                let group = &mut roster.groups[group];
                group.row_says = group.told(config.failover.spill_percent, now);
            }
        }
        known.leave();
        roster.entries.iter().for_each(|entry| entry.gauge.set(meters::level(entry.merged.state.health)));
        roster.groups.iter().for_each(Group::draw);
        roster
    }

    pub(super) fn find(&self, subject: &Subject) -> Option<usize> {
        self.index.get(subject).copied()
    }

    fn push(&mut self, mut entry: Entry, now: Ticks) {
        let before = std::mem::replace(&mut entry.merged, entry.beliefs.merge(now));
        entry.row_says = entry.told(&before.state, false, now);
        entry.is_judged |= entry.merged.state.health != Health::Unknown;
        if let Place::Origin { group, weight } = entry.place {
            self.groups[group].tally.add(Entry::part(weight, entry.row_says));
        }
        self.index.insert(entry.subject.clone(), self.entries.len());
        self.entries.push(entry);
    }
}

/// Who was there before and has not been met again yet.
struct Known {
    entries: HashMap<Subject, Entry>,
    groups: HashMap<(Arc<str>, Arc<str>), Group>,
}

impl Known {
    fn of(before: Roster) -> Self {
        let entries = before.entries.into_iter().map(|entry| (entry.subject.clone(), entry));
        let groups =
            before.groups.into_iter().map(|group| ((Arc::clone(&group.pool), Arc::clone(&group.region)), group));
        Self { entries: entries.collect(), groups: groups.collect() }
    }

    fn entry(
        &mut self,
        subject: Subject,
        (region, place): (usize, Place),
        pace: Pace,
        row: &RowHandle,
        remembered: impl Fn(&Subject) -> (Beliefs, Option<Leave>),
    ) -> Entry {
        if let Some(same) = self.entries.remove(&subject) {
            return Entry { region, place, pace, row: row.clone(), armed: None, ..same };
        }
        let gauge = match &subject {
            Subject::Origin { pool, address } => meters::origin_up(pool, address),
            Subject::FrontDoor { region } => meters::front_door_up(region),
        };
        let (beliefs, leaves) = remembered(&subject);
        Entry {
            beliefs,
            leaves,
            subject,
            region,
            place,
            row: row.clone(),
            withheld: None,
            merged: Merged { state: RowState::default(), source: None },
            row_says: RowState::default(),
            pace,
            returns: None,
            was_lost: false,
            has_been_up: false,
            is_new: false,
            rises: None,
            grant: Grant::default(),
            last_good: None,
            left_after: None,
            since: clock::unix_time(),
            armed: None,
            is_judged: false,
            gauge,
        }
    }

    fn group(&mut self, pool: &Arc<str>, region: &Arc<str>, row: &RowHandle, pace: Pace) -> Group {
        if let Some(same) = self.groups.remove(&(Arc::clone(pool), Arc::clone(region))) {
            return Group { row: row.clone(), tally: Tally::default(), pace, ..same };
        }
        Group {
            pool: Arc::clone(pool),
            region: Arc::clone(region),
            row: row.clone(),
            tally: Tally::default(),
            state: RowState::default(),
            row_says: RowState::default(),
            kept: Kept::default(),
            gone: None,
            pace,
            returns: None,
            since: clock::unix_time(),
            is_known: false,
            gauge: meters::usable_ratio(pool, region),
        }
    }

    fn leave(self) {
        let gone = self.entries.into_values().map(|entry| entry.gauge);
        gone.chain(self.groups.into_values().map(|group| group.gauge)).for_each(|gauge| gauge.set(0.0));
    }
}
