//! The ladder over regions: who is asked when things fail, for one pool, from one snapshot.
//!
//! ```text
//! home        this region, as much as its healthy weight × 1.4 carries
//! neighbour   the next regions, nearest first, that keep all of their own clients and have room
//! over        whatever is healthy anywhere, over capacity
//! unproven    what has no verdict yet
//! resort      another pool, where one is named: who climbs asks for it, as it is climbed by itself
//! open        everything an operator did not take out, where the pool opens when all is down
//! ```
//!
//! A region whose front door an operator drained or took down takes no new work on any rung above `open`; one that was given a weight keeps
//! that much.
//!
//! Not here: classes; residency, which narrows `regions`.

use std::time::Duration;

use super::{Spare, carry};
use crate::{
    clock::Random,
    config::WhenAllDown,
    fleet::{BasisPoints, Health, RegionId},
    table::{Pool, RowState, Snapshot},
};

/// Which step of the ladder answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// This region's healthy origins.
    Home,
    /// Another region with room.
    Neighbour,
    /// Healthy somewhere, over capacity.
    OverCapacity,
    /// Without a verdict yet.
    Unproven,
    /// Of another pool, as this one has nobody left.
    LastResort,
    /// Down, but better than nothing.
    Open,
}

impl Rung {
    /// The word used in metrics, logs and `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Neighbour => "neighbour",
            Self::OverCapacity => "over-capacity",
            Self::Unproven => "unproven",
            Self::LastResort => "last-resort",
            Self::Open => "open",
        }
    }
}

/// What the ladder is climbed with.
#[derive(Clone, Copy, Debug)]
pub struct Climb<'a> {
    /// Whose origins.
    pub pool: &'a Pool,
    /// The regions that may be asked: this node's own first, then the others, nearest first.
    pub regions: &'a [RegionId],
    /// The region this node stands in.
    pub home: RegionId,
    /// What to do on the last rung.
    pub when_all_down: WhenAllDown,
    /// What is believed now.
    pub snapshot: Snapshot<'a>,
    /// How much room the regions have.
    pub spare: &'a Spare,
    /// The time that room is measured at.
    pub now: Duration,
}

/// The region to ask, or `None` where nothing that may be asked is left.
pub fn climb(with: &Climb<'_>, random: &mut Random) -> Option<(Rung, RegionId)> {
    let row = |region: RegionId| with.pool.region(region).map(|entry| entry.row.read(with.snapshot.now));
    let door = |region: RegionId| with.door(region);
    let first = |rung: Rung, is_good: &dyn Fn(RegionId) -> bool| {
        with.regions.iter().copied().find(|region| is_good(*region)).map(|region| (rung, region))
    };
    // A door that probes lost is clients' trouble, not requests'; one that an operator took down or out is closed for both.
    let is_open_for_work =
        |region: RegionId| door(region).is_none_or(|door| door.takes_new_work() && !door.is_withheld());
    let is_proven = |region: RegionId| row(region).is_some_and(RowState::is_usable) && is_open_for_work(region);

    if is_proven(with.home) && with.regions.contains(&with.home) && with.keeps(with.home, random) {
        return Some((Rung::Home, with.home));
    }
    let takes_spill = |region: RegionId| {
        region != with.home
            && is_proven(region)
            && row(region).is_some_and(|row| !row.is_returning && carry(row.weight) == BasisPoints::FULL)
            && door(region).is_none_or(|door| door.health != Health::Down && !door.is_returning)
            && with.spare.has_room(region, with.capacity(region), with.now)
    };
    let is_unproven =
        |region: RegionId| row(region).is_some_and(|row| row.health != Health::Down && row.takes_new_work());
    first(Rung::Neighbour, &takes_spill)
        .or_else(|| first(Rung::OverCapacity, &is_proven))
        .or_else(|| first(Rung::Unproven, &|region| is_unproven(region) && is_open_for_work(region)))
        .or_else(|| match with.when_all_down {
            WhenAllDown::Open => first(Rung::Open, &|region| with.has_last_resort(region)),
            WhenAllDown::Closed => None,
        })
}

impl Climb<'_> {
    /// Whether this request is within what the region keeps.
    fn keeps(&self, region: RegionId, random: &mut Random) -> bool {
        let Some(entry) = self.pool.region(region) else { return false };
        // What a door that returns is held back from are new clients. Those who are here already are served here.
        let word = self.door(region).filter(|door| !door.is_returning).map_or(BasisPoints::FULL, |door| door.weight);
        let share = carry(entry.row.read(self.snapshot.now).weight).min(word);
        share == BasisPoints::FULL || random.u16(..BasisPoints::FULL.get()) < share.get()
    }

    /// Whether an origin there is not withheld on purpose. Only the last rung pays for this look at every origin.
    fn has_last_resort(&self, region: RegionId) -> bool {
        let origins = &self.pool.origins()[self.pool.positions_in(region)];
        origins.iter().any(|origin| origin.weight > 0 && origin.row.read(self.snapshot.now).is_askable())
    }

    fn door(&self, region: RegionId) -> Option<RowState> {
        Some(self.snapshot.generation.region(region)?.front_door.read(self.snapshot.now))
    }

    fn capacity(&self, region: RegionId) -> u32 {
        let known = self.snapshot.generation.region(region);
        known.map_or(0, |region| region.front_door.measure().capacity_per_second)
    }
}

#[cfg(test)]
mod tests;
