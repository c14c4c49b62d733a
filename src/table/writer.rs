//! The only way to change the table. Not `Clone`: control owns the one there is.
//!
//! Rows are found by identity ([`RowKey`]), so what survives a change of membership keeps its row. A row that nothing refers to
//! any more goes back to the free list once the last clone of its handle is gone.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use super::{
    generation::{Generation, Membership, Origin, Pool, PoolRegion, PoolSpec, Region, RegionSpec, Selector},
    reader::Table,
    row::{self, Measure, RowHandle, RowState},
    sync::Published,
};
use crate::{
    clock::Ticks,
    fleet::{Address, Balance, BasisPoints, PoolId, RegionId},
};

/// What a row is about: its identity over all generations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowKey {
    /// One origin of a pool.
    Origin(Arc<str>, Address),
    /// A region's front door.
    FrontDoor(Arc<str>),
    /// A pool in a region, both by name.
    PoolRegion(Arc<str>, Arc<str>),
}

/// Builds what balancing wants to have ready for a pool; gets the pool it replaces, to carry counters over.
pub type SelectorBuilder = Box<dyn Fn(Balance, &[Origin], Option<&Pool>) -> Selector + Send>;

/// The one writer.
pub struct Writer {
    current: Published<Generation>,
    rows: HashMap<RowKey, RowHandle>,
    free: Vec<RowHandle>,
    retired: Vec<RowHandle>,
    build_selector: Option<SelectorBuilder>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("rows", &self.rows.len())
            .field("retired", &self.retired.len())
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// An empty table, and the right to fill it.
    pub fn new(build_selector: Option<SelectorBuilder>) -> Self {
        Self {
            current: Published::new(Arc::default()),
            rows: HashMap::new(),
            free: Vec::new(),
            retired: Vec::new(),
            build_selector,
        }
    }

    /// What readers are made from.
    pub fn table(&self) -> Table {
        Table { current: self.current.clone() }
    }

    /// The row of something that exists in the current generation.
    pub fn row(&self, key: &RowKey) -> Option<&RowHandle> {
        self.rows.get(key)
    }

    /// Says what is believed from now on, and remembers when that changed.
    pub fn change(&mut self, row: &RowHandle, state: RowState, now: Ticks) {
        if row.moves_with(state, now) {
            row.write_moved(now, state.weight);
        }
        row.write(state);
    }

    /// Says what is believed while that is on its way: it counts as changed each time.
    pub fn shift(&mut self, row: &RowHandle, state: RowState, now: Ticks) {
        row.write_moved(now, state.weight);
        row.write(state);
    }

    /// Says what is believed, as if it had always been so.
    pub fn set(&mut self, row: &RowHandle, state: RowState) {
        row.write_moved(row.moved_at(), state.weight);
        row.write(state);
    }

    /// Says how much there is.
    pub fn set_measure(&mut self, row: &RowHandle, measure: Measure) {
        row.write_measure(measure);
    }

    /// Makes this what exists, in one swap; new rows say nothing yet.
    pub fn publish(&mut self, membership: Membership) -> Arc<Generation> {
        self.publish_filled(membership, |_, _| ())
    }

    /// Makes this what exists, in one swap, after `fill` has written what its rows say: who sees the generation sees them
    /// filled. What did not change is shared with the generation before, and only pools that changed cost more than a
    /// comparison. Names are unique among pools and among regions, addresses in a pool: the config promises that.
    ///
    /// # Panics
    /// Where an origin stands in a region that is not in the membership.
    pub fn publish_filled(
        &mut self,
        membership: Membership,
        fill: impl FnOnce(&mut Self, &Generation),
    ) -> Arc<Generation> {
        let before = self.current.load();
        let regions = self.regions(&before, membership.regions);
        let known: HashMap<&str, &Arc<Pool>> = before.pools.iter().map(|pool| (&*pool.name, pool)).collect();
        let pools = membership.pools.into_iter().map(|spec| match known.get(&*spec.name) {
            Some(pool) if pool.spec == spec && has_same_places(pool, &before.regions, &regions) => Arc::clone(pool),
            previous => Arc::new(self.pool(spec, &regions, previous.map(|pool| &***pool))),
        });
        let pools = pools.collect();
        let next = Generation { revision: membership.revision, pools, regions, compiled: membership.compiled };
        let next = Arc::new(next);
        fill(self, &next);
        self.retire(&before, &next);
        self.current.store(Arc::clone(&next));
        drop(known);
        drop(before);
        self.reclaim();
        next
    }

    /// Changes one pool and nothing else; costs what that pool costs, and a pointer per pool. False, and nothing done, where
    /// the id does not lead to a pool of that name.
    pub fn replace_pool(&mut self, id: PoolId, spec: PoolSpec) -> bool {
        let before = self.current.load();
        let Some(previous) = before.pool(id).filter(|pool| pool.name == spec.name) else { return false };
        let mut pools = before.pools.clone();
        pools[id.index()] = Arc::new(self.pool(spec, &before.regions, Some(previous)));
        self.retire_pool(previous, Some(&pools[id.index()]), &before.regions, &before.regions);
        let next = Generation {
            revision: before.revision,
            pools,
            regions: before.regions.clone(),
            compiled: before.compiled.clone(),
        };
        self.current.store(Arc::new(next));
        drop(before);
        self.reclaim();
        true
    }

    fn regions(&mut self, before: &Generation, specs: Vec<RegionSpec>) -> Vec<Arc<Region>> {
        let known: HashMap<&str, &Arc<Region>> = before.regions.iter().map(|region| (&*region.name, region)).collect();
        let regions = specs.into_iter().map(|spec| match known.get(&*spec.name) {
            Some(region) if region.spec == spec => Arc::clone(region),
            _ => {
                let front_door = self.row_for(RowKey::FrontDoor(Arc::clone(&spec.name)));
                // What it is granted stays as it is: a reader of the generation before may look at it now.
                let known = front_door.measure();
                front_door.write_measure(Measure { capacity_per_second: spec.capacity_per_second, ..known });
                Arc::new(Region { name: Arc::clone(&spec.name), front_door, spec })
            }
        });
        regions.collect()
    }

    fn pool(&mut self, spec: PoolSpec, regions: &[Arc<Region>], previous: Option<&Pool>) -> Pool {
        // As the spec has them, where it has them so already: positions in it are positions here.
        let mut sorted: Vec<_> = spec.origins.iter().collect();
        sorted.sort_by_key(|origin| (origin.region, origin.tier));
        let origins: Box<[Origin]> = sorted
            .into_iter()
            .map(|origin| Origin {
                address: origin.address.clone(),
                region: origin.region,
                weight: origin.weight,
                tier: origin.tier,
                row: self.row_for(RowKey::Origin(Arc::clone(&spec.name), origin.address.clone())),
            })
            .collect();
        let mut start = 0;
        let weight = |origins: &[Origin]| origins.iter().map(|origin| u32::from(origin.weight)).sum::<u32>();
        let by_region = origins.chunk_by(|left, right| left.region == right.region);
        let pool_regions = by_region
            .map(|members| {
                let (region, range) = (members[0].region, start..start + members.len());
                start = range.end;
                PoolRegion {
                    region,
                    row: self.row_for(pool_region_key(&spec.name, region, regions)),
                    total_weight: weight(members),
                    members: range,
                }
            })
            .collect();
        let selector = self.build_selector.as_ref().map(|build| build(spec.balance, &origins, previous));
        Pool { name: Arc::clone(&spec.name), origins, regions: pool_regions, selector, spec }
    }

    fn row_for(&mut self, key: RowKey) -> RowHandle {
        if let Some(row) = self.rows.get(&key) {
            return row.clone();
        }
        let row = self.free.pop().unwrap_or_else(|| {
            self.free.extend(row::new_chunk());
            self.free.pop().expect("a chunk has rows")
        });
        // Nobody can see the row yet; the swap that publishes it makes this visible first.
        row.write(RowState::default());
        row.write_measure(match key {
            RowKey::FrontDoor(_) => Measure::default().granting(BasisPoints::FULL),
            _ => Measure::default(),
        });
        row.write_moved(Ticks(0), BasisPoints::FULL);
        self.rows.insert(key, row.clone());
        row
    }

    /// Sets aside the rows of what is in `before` and no longer in `next`.
    fn retire(&mut self, before: &Generation, next: &Generation) {
        let pools: HashMap<&str, &Arc<Pool>> = next.pools.iter().map(|pool| (&*pool.name, pool)).collect();
        for old in &before.pools {
            match pools.get(&*old.name) {
                Some(new) if Arc::ptr_eq(new, old) => {}
                new => self.retire_pool(old, new.map(|pool| &***pool), &before.regions, &next.regions),
            }
        }
        let regions: HashSet<&str> = next.regions.iter().map(|region| &*region.name).collect();
        for gone in before.regions.iter().filter(|region| !regions.contains(&*region.name)) {
            self.retire_row(&RowKey::FrontDoor(Arc::clone(&gone.name)));
        }
    }

    fn retire_pool(&mut self, old: &Pool, new: Option<&Pool>, was: &[Arc<Region>], is: &[Arc<Region>]) {
        let addresses: HashSet<&Address> =
            new.iter().flat_map(|pool| pool.origins()).map(|origin| &origin.address).collect();
        for gone in old.origins.iter().filter(|origin| !addresses.contains(&origin.address)) {
            self.retire_row(&RowKey::Origin(Arc::clone(&old.name), gone.address.clone()));
        }
        let places: HashSet<&Arc<str>> =
            new.iter().flat_map(|pool| pool.regions()).map(|entry| name_of(entry.region, is)).collect();
        for gone in old.regions.iter().filter(|entry| !places.contains(name_of(entry.region, was))) {
            self.retire_row(&pool_region_key(&old.name, gone.region, was));
        }
    }

    fn retire_row(&mut self, key: &RowKey) {
        self.retired.extend(self.rows.remove(key));
    }

    /// Takes back the rows whose last holder is gone.
    fn reclaim(&mut self) {
        self.free.extend(self.retired.extract_if(.., RowHandle::is_last));
    }
}

/// Whether the ids of the pool's regions still mean the same regions.
fn has_same_places(pool: &Pool, was: &[Arc<Region>], is: &[Arc<Region>]) -> bool {
    let name = |id: RegionId, regions: &[Arc<Region>]| regions.get(id.index()).map(|region| Arc::clone(&region.name));
    pool.regions.iter().all(|entry| name(entry.region, was) == name(entry.region, is))
}

fn name_of(id: RegionId, regions: &[Arc<Region>]) -> &Arc<str> {
    &regions[id.index()].name
}

fn pool_region_key(pool: &Arc<str>, region: RegionId, regions: &[Arc<Region>]) -> RowKey {
    RowKey::PoolRegion(Arc::clone(pool), Arc::clone(name_of(region, regions)))
}

#[cfg(all(test, not(loom)))]
mod tests;
