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

/// Why a region is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// It has no origins of the pool.
    NoOrigins,
    /// None of them is healthy.
    Down,
    /// None of them had a verdict yet.
    Unproven,
    /// They take no new work.
    Draining,
    /// An operator or a drill took its front door out.
    DoorWithheld,
    /// Its front door is lost: clients cannot enter, so others' requests are not sent there either.
    DoorDown,
    /// It was lost, and gets its own clients back first.
    Returning,
    /// It cannot keep all of its own.
    Weakened,
    /// It is near its capacity.
    Full,
}

impl LeftOut {
    /// The words that `explain` uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoOrigins => "it has no origins of this pool",
            Self::Down => "its origins are down",
            Self::Unproven => "its origins had no verdict yet",
            Self::Draining => "its origins take no new work",
            Self::DoorWithheld => "it was taken out of service",
            Self::DoorDown => "its front door is down",
            Self::Returning => "it returns, and gets its own clients back first",
            Self::Weakened => "it lost a part, and has no room for more than its own",
            Self::Full => "it is near its capacity",
        }
    }
}

/// The region to ask, or `None` where nothing that may be asked is left.
pub fn climb(with: &Climb<'_>, random: &mut Random) -> Option<(Rung, RegionId)> {
    let first = |rung: Rung, is_good: &dyn Fn(RegionId) -> bool| {
        with.regions.iter().copied().find(|region| is_good(*region)).map(|region| (rung, region))
    };
    let is_proven = |region: RegionId| with.is_proven(region).is_ok();
    if with.regions.contains(&with.home) && is_proven(with.home) && with.keeps(with.home, random) {
        return Some((Rung::Home, with.home));
    }
    let is_unproven = |region: RegionId| {
        let row = with.row(region);
        row.is_some_and(|row| row.health != Health::Down && row.takes_new_work()) && with.is_open_for_work(region)
    };
    first(Rung::Neighbour, &|region| region != with.home && with.takes_spill(region).is_ok())
        .or_else(|| first(Rung::OverCapacity, &is_proven))
        .or_else(|| first(Rung::Unproven, &is_unproven))
        .or_else(|| match with.when_all_down {
            WhenAllDown::Open => first(Rung::Open, &|region| with.has_last_resort(region)),
            WhenAllDown::Closed => None,
        })
}

impl Climb<'_> {
    /// Whether the region's own healthy origins may be asked.
    ///
    /// # Errors
    /// Says why not.
    pub fn is_proven(&self, region: RegionId) -> Result<(), LeftOut> {
        let row = self.row(region).ok_or(LeftOut::NoOrigins)?;
        match row.health {
            _ if !self.is_open_for_work(region) => Err(LeftOut::DoorWithheld),
            _ if row.is_draining => Err(LeftOut::Draining),
            Health::Up if row.is_usable() => Ok(()),
            Health::Unknown => Err(LeftOut::Unproven),
            _ => Err(LeftOut::Down),
        }
    }

    /// Whether it has room for what others pass on.
    ///
    /// # Errors
    /// Says why not.
    pub fn takes_spill(&self, region: RegionId) -> Result<(), LeftOut> {
        self.is_proven(region)?;
        let door = self.door(region);
        if door.is_some_and(|door| door.health == Health::Down) {
            return Err(LeftOut::DoorDown);
        }
        let row = self.row(region).ok_or(LeftOut::NoOrigins)?;
        if row.is_returning || door.is_some_and(|door| door.is_returning) {
            return Err(LeftOut::Returning);
        }
        if carry(row.weight) < BasisPoints::FULL {
            return Err(LeftOut::Weakened);
        }
        if self.spare.has_room(region, self.capacity(region), self.now) { Ok(()) } else { Err(LeftOut::Full) }
    }

    fn row(&self, region: RegionId) -> Option<RowState> {
        self.pool.region(region).map(|entry| entry.row.read(self.snapshot.now))
    }

    /// A door that probes lost is clients' trouble, not requests'; one that an operator took down or out is closed for both.
    fn is_open_for_work(&self, region: RegionId) -> bool {
        self.door(region).is_none_or(|door| door.takes_new_work() && !door.is_withheld())
    }

    /// Whether this request is within what the region keeps.
    fn keeps(&self, region: RegionId, random: &mut Random) -> bool {
        let Some(entry) = self.pool.region(region) else { return false };
        // What a door that returns is held back from are new clients. Those who are here already are served here, as far as operators leave it.
        let granted = |door: RowState| {
            let known = self.snapshot.generation.region(region).filter(|_| door.is_returning);
            known.map_or(door.weight, |region| region.front_door.measure().granted())
        };
        let word = self.door(region).map_or(BasisPoints::FULL, granted);
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
