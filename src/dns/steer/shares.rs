//! How much of a client's traffic a region may take now, from the rows alone.

use std::{cell::Cell, time::Duration};

use super::{Steering, compass::Steer};
use crate::{
    clock::Ticks,
    fleet::{BasisPoints, Health, PoolId, RegionId},
    policy::{Flow, Grade},
    table::{RowHandle, RowState, Snapshot},
};

/// The rows, as one query sees them, and what was noticed on the way.
#[derive(Debug)]
pub(super) struct Shares<'a> {
    pub(super) steer: &'a Steer,
    pub(super) snapshot: Snapshot<'a>,
    /// When any row that was looked at last moved.
    moved_at: Cell<Ticks>,
    /// When any row that was looked at is known to move next.
    due: Cell<Ticks>,
    is_stale: Cell<bool>,
}

impl<'a> Shares<'a> {
    pub(super) fn new(steer: &'a Steer, snapshot: Snapshot<'a>) -> Self {
        let (moved_at, due) = (Cell::new(Ticks(0)), Cell::new(Ticks::FOREVER));
        Self { steer, snapshot, moved_at, due, is_stale: Cell::new(false) }
    }

    /// How much a region takes on a rung: the least that its front door and any of the name's pools leaves it.
    pub(super) fn of(&self, region: RegionId, rung: Steering) -> BasisPoints {
        if !self.steer.is_permitted.get(region.index()).copied().unwrap_or_default() {
            return BasisPoints::ZERO;
        }
        let Some(door) = self.snapshot.generation.region(region) else { return BasisPoints::ZERO };
        let state = self.look(&door.front_door);
        let mut least = grade(rung).of_door(state).unwrap_or(BasisPoints::ZERO);
        for pool in &*self.steer.pools {
            if least == BasisPoints::ZERO {
                break;
            }
            least = least.min(self.of_either(*pool, region, rung).1);
        }
        least
    }

    /// What a pool leaves a region, or its last resort where that counts; and which of them.
    fn of_either(&self, pool: (PoolId, Option<PoolId>), region: RegionId, rung: Steering) -> (PoolId, BasisPoints) {
        let (id, resort) = pool;
        match (rung, self.of_pool(id, region, rung), resort) {
            (Steering::LastResort, BasisPoints::ZERO, Some(resort)) => (resort, self.of_pool(resort, region, rung)),
            (_, share, _) => (id, share),
        }
    }

    /// The row that leaves a region the least, in words, where that is not all. It looks at no row that deciding has not looked at.
    pub(super) fn why(&self, region: RegionId, rung: Steering) -> Option<String> {
        let Snapshot { generation, now } = self.snapshot;
        let least = self.of(region, rung);
        if least == BasisPoints::FULL {
            return None;
        }
        if !self.steer.is_permitted.get(region.index()).copied().unwrap_or_default() {
            return Some("the name does not permit it".to_owned());
        }
        let door = generation.region(region)?.front_door.read(now);
        if grade(rung).of_door(door).unwrap_or(BasisPoints::ZERO) == least {
            return Some(words("its front door", door));
        }
        let mut pools = self.steer.pools.iter().map(|pool| self.of_either(*pool, region, rung));
        let (id, _) = pools.find(|(_, share)| *share == least)?;
        let pool = generation.pool(id)?;
        let what = format!("pool `{}` there", pool.name);
        Some(pool.region(region).map_or_else(|| format!("{what} has no origins"), |it| words(&what, it.row.read(now))))
    }

    fn of_pool(&self, id: PoolId, region: RegionId, rung: Steering) -> BasisPoints {
        let entry = self.snapshot.generation.pool(id).and_then(|pool| pool.region(region));
        entry.and_then(|entry| grade(rung).of_pool(self.look(&entry.row)).ok()).unwrap_or(BasisPoints::ZERO)
    }

    /// Whether a region has room for more than its own.
    pub(super) fn has_room(&self, region: RegionId) -> bool {
        let Some(flow) = self.snapshot.generation.compiled::<std::sync::Arc<Flow>>() else { return true };
        let Some(door) = self.snapshot.generation.region(region) else { return false };
        let now = Duration::from_millis(u64::from(self.snapshot.now.0) * 100);
        flow.has_room(region, door.front_door.measure().capacity_per_second, now)
    }

    fn look(&self, row: &RowHandle) -> RowState {
        let state = row.read(self.snapshot.now);
        self.moved_at.set(self.moved_at.get().max(row.moved_at()));
        if state.is_stale {
            self.is_stale.set(true);
        }
        if state.is_forced && state.valid_until < self.due.get() {
            self.due.set(state.valid_until);
        }
        state
    }

    /// A region's name, for people.
    pub(super) fn name(&self, region: RegionId) -> &str {
        self.snapshot.generation.region(region).map_or("", |region| &region.name)
    }

    /// Whether what was looked at is old.
    pub(super) fn is_stale(&self) -> bool {
        self.is_stale.get()
    }

    /// How long what was looked at may be believed, in seconds: as long as it has not moved, and not beyond what is known to come.
    pub(super) fn ttl(&self) -> u32 {
        let now = self.snapshot.now.0;
        let (rested, ahead) = (now.saturating_sub(self.moved_at.get().0), self.due.get().0.saturating_sub(now));
        (rested.min(ahead) / 10).clamp(self.steer.min_ttl, self.steer.ttl)
    }
}

/// What a row says that holds clients back.
fn words(what: &str, row: RowState) -> String {
    let percent = f64::from(row.weight.get()) / 100.0;
    let by_whom = if row.is_forced { ", by an operator's word" } else { "" };
    let state = match row.health {
        _ if row.is_draining => "is drained".to_owned(),
        Health::Down => "is down".to_owned(),
        Health::Unknown => "has no verdict yet".to_owned(),
        Health::Up if row.is_returning => format!("returns, with {percent} % so far"),
        Health::Up => format!("is weakened to {percent} %"),
    };
    format!("{what} {state}{by_whom}")
}

/// How good a region has to be on a rung.
fn grade(rung: Steering) -> Grade {
    match rung {
        Steering::Preferred | Steering::Next | Steering::OverCapacity => Grade::Proven,
        Steering::Unproven | Steering::LastResort => Grade::Unproven,
        Steering::Drained => Grade::Drained,
        Steering::Open | Steering::Closed => Grade::Any,
    }
}
