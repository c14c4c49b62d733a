//! The ladder over regions: who is asked when things fail, for one pool, from one snapshot.
//!
//! ```text
//! home        this region, as much as its healthy weight × 1.4 carries
//! neighbour   the next regions, nearest first, that keep all of their own clients and have room
//! over        whatever is healthy anywhere, over capacity: each as much as it keeps
//! unproven    what has no verdict yet
//! resort      another pool, where one is named: who climbs asks for it, as it is climbed by itself
//! drained     what works behind a front door that an operator took out, where the pool opens when all is down
//! open        everything that was not taken out on purpose, each try in another region, where the pool opens
//! ```
//!
//! A region whose front door an operator drained or took down takes no new work on any rung above `drained`; one that was given a weight keeps
//! that much, and takes no others' requests. A door that probes lost matters to clients, and to requests that would go through it; not to
//! those that are in the region already, or go to its origins directly.
//!
//! Not here: classes; residency, which narrows `regions`.

use std::time::Duration;

use super::{Flow, Grade, Keeps, LeftOut, grade::word};
use crate::{
    clock::Random,
    config::WhenAllDown,
    fleet::{BasisPoints, Health, PoolId, RegionId},
    table::{Pool, PoolRegion, RowState, Snapshot},
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
    /// Healthy, but taken out of service.
    Drained,
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
            Self::Drained => "drained",
            Self::Open => "open",
        }
    }
}

/// What the ladder is climbed with.
#[derive(Clone, Copy, Debug)]
pub struct Climb<'a> {
    /// Whose origins.
    pub pool: (PoolId, &'a Pool),
    /// The regions that may be asked: this node's own first, then the others, nearest first.
    pub regions: &'a [RegionId],
    /// The region this node stands in.
    pub home: RegionId,
    /// Whether other regions are entered by their front doors.
    pub by_door: bool,
    /// Origins that this request was sent to, as positions among the pool's.
    pub tried: &'a [usize],
    /// What to do on the last rungs.
    pub when_all_down: WhenAllDown,
    /// What is believed now.
    pub snapshot: Snapshot<'a>,
    /// What is seen of requests.
    pub flow: &'a Flow,
    /// The time that requests are counted at.
    pub now: Duration,
}

/// The region to ask, or `None` where nothing that may be asked is left.
pub fn climb(with: &Climb<'_>, random: &mut Random) -> Option<(Rung, RegionId)> {
    let regions = || with.regions.iter().copied();
    if with.regions.contains(&with.home) && is_drawn(with.part_that_stays(), random) {
        return Some((Rung::Home, with.home));
    }
    let first = |rung: Rung, grade: Grade| {
        regions().find(|region| with.is(grade, *region).is_ok()).map(|region| (rung, region))
    };
    let opens = with.when_all_down == WhenAllDown::Open;
    let neighbour = regions().find(|region| *region != with.home && with.takes_spill(*region).is_ok());
    neighbour
        .map(|region| (Rung::Neighbour, region))
        .or_else(|| with.over_capacity(random).map(|region| (Rung::OverCapacity, region)))
        .or_else(|| first(Rung::Unproven, Grade::Unproven))
        .or_else(|| if opens { first(Rung::Drained, Grade::Drained) } else { None })
        .or_else(|| if opens { with.anybody().map(|region| (Rung::Open, region)) } else { None })
}

impl Climb<'_> {
    /// How much a region keeps of its own clients, where it is as good as this.
    ///
    /// # Errors
    /// Says why it is left out.
    pub fn is(&self, grade: Grade, region: RegionId) -> Result<BasisPoints, LeftOut> {
        let entry = self.entry(region).ok_or(LeftOut::NoOrigins)?;
        Ok(grade.of_door(self.door(region))?.min(grade.of_pool(entry.row.read(self.snapshot.now))?))
    }

    /// Whether it has room for what others pass on.
    ///
    /// # Errors
    /// Says why not.
    pub fn takes_spill(&self, region: RegionId) -> Result<(), LeftOut> {
        let keeps = self.is(Grade::Proven, region)?;
        let door = self.snapshot.generation.region(region).map(|region| region.front_door.read(self.snapshot.now));
        // Those who go to its origins directly spare it, too: whoever lost its door has its hands full.
        if door.is_some_and(|door| door.health == Health::Down) {
            return Err(LeftOut::DoorDown);
        }
        let row = self.entry(region).map(|entry| entry.row.read(self.snapshot.now));
        if row.is_some_and(|row| row.is_returning) || door.is_some_and(|door| door.is_returning) {
            return Err(LeftOut::Returning);
        }
        if keeps < BasisPoints::FULL {
            return Err(LeftOut::Weakened);
        }
        if self.flow.has_room(region, self.capacity(region), self.now) { Ok(()) } else { Err(LeftOut::Full) }
    }

    /// Whether a client that has an origin there may keep it: at home as far as an operator leaves the region clients, elsewhere as long as
    /// it takes those of others.
    pub fn may_stay_in(&self, region: RegionId, random: &mut Random) -> bool {
        if !self.regions.contains(&region) {
            return false;
        }
        if region != self.home {
            return self.takes_spill(region).is_ok();
        }
        Grade::Proven.of_door(self.door(region)).is_ok_and(|word| is_drawn(self.flow.part(self.pool.0, word), random))
    }

    /// Of the requests that come to this region, as much as stays here; nothing where nobody here is known to work.
    pub fn part_that_stays(&self) -> f32 {
        let Some(entry) = self.entry(self.home) else { return 0.0 };
        let row = entry.row.read(self.snapshot.now);
        let (Ok(word), Ok(share)) = (Grade::Proven.of_door(self.door(self.home)), Grade::Proven.of_pool(row)) else {
            return 0.0;
        };
        // DNS leads away as many as an operator says, too: what comes nevertheless is compared with what came.
        let of_word = if word == BasisPoints::FULL { 1.0 } else { self.flow.part(self.pool.0, word) };
        if share == BasisPoints::FULL {
            return of_word;
        }
        let measure = entry.row.measure();
        let usable = BasisPoints::ratio(measure.usable_weight.into(), measure.expected().into());
        let keeps =
            Keeps { share, usable, capacity_per_second: self.capacity(self.home), is_returning: row.is_returning };
        self.flow.stays(self.pool.0, self.home, keeps, self.now).min(of_word)
    }

    /// What nobody has room for stays where it came from; where nothing works there, each takes as much as it keeps, and the first the rest.
    fn over_capacity(&self, random: &mut Random) -> Option<RegionId> {
        let mut first = None;
        for region in self.regions.iter().copied() {
            let Ok(keeps) = self.is(Grade::Proven, region) else { continue };
            if region == self.home || is_drawn(part(keeps), random) {
                return Some(region);
            }
            first.get_or_insert(region);
        }
        first
    }

    /// Whoever was not taken out on purpose, nearest first; every try another region, as nothing is known of any.
    fn anybody(&self) -> Option<RegionId> {
        let origins = self.pool.1.origins();
        let was_asked = |region: RegionId| {
            self.tried.iter().any(|at| origins.get(*at).is_some_and(|origin| origin.region == region))
        };
        let askable = || self.regions.iter().copied().filter(|region| self.is(Grade::Any, *region).is_ok());
        askable().find(|region| !was_asked(*region)).or_else(|| askable().next())
    }

    fn entry(&self, region: RegionId) -> Option<&PoolRegion> {
        self.pool.1.region(region)
    }

    /// Its front door as far as it matters to a request: fully, where that goes through it; else only an operator's word does, and what a
    /// returning door is held back from are new clients.
    fn door(&self, region: RegionId) -> RowState {
        let known = self.snapshot.generation.region(region);
        let door = known.map_or(RowState::of(Health::Up), |region| region.front_door.read(self.snapshot.now));
        if self.by_door && region != self.home {
            return door;
        }
        let is_by_word = door.is_forced || door.is_drilled;
        let weight = known.map_or(BasisPoints::FULL, |region| word(&region.front_door, door));
        RowState { health: if is_by_word { door.health } else { Health::Up }, weight, ..door }
    }

    fn capacity(&self, region: RegionId) -> u32 {
        let known = self.snapshot.generation.region(region);
        known.map_or(0, |region| region.front_door.measure().capacity_per_second)
    }
}

fn part(share: BasisPoints) -> f32 {
    f32::from(share.get()) / f32::from(BasisPoints::FULL.get())
}

fn is_drawn(part: f32, random: &mut Random) -> bool {
    part >= 1.0 || random.f32() < part
}

#[cfg(test)]
mod tests;
