//! A generation: which pools, origins and regions exist, as one immutable value.
//!
//! Everything that has to agree changes in one swap: the pools, and what the movers compiled from the same config
//! ([`Compiled`]). Pools and regions that did not change are the same `Arc` in the next generation.

use std::{any::Any, ops::Range, sync::Arc};

use super::row::RowHandle;
use crate::fleet::{Address, Balance, PoolId, RegionId};

/// What balancing prebuilt for one pool; its type is known to who injected the builder and who picks.
pub type Selector = Arc<dyn Any + Send + Sync>;

/// One origin as control wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginSpec {
    /// Where it listens; unique within the pool.
    pub address: Address,
    /// Where it stands.
    pub region: RegionId,
    /// Its share relative to the pool's other origins.
    pub weight: u16,
    /// Which of its region's origins are asked before it: those of lower tiers.
    pub tier: u8,
}

/// One pool as control wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolSpec {
    /// Its identity over time.
    pub name: Arc<str>,
    /// How its origins share requests.
    pub balance: Balance,
    /// In the order of the config.
    pub origins: Vec<OriginSpec>,
}

/// One region as control wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionSpec {
    /// Its identity over time.
    pub name: Arc<str>,
    /// Requests per second it is built for, 0 where nobody said.
    pub capacity_per_second: u32,
}

/// Everything that exists, as control wants it.
#[derive(Debug, Default)]
pub struct Membership {
    /// The config's revision.
    pub revision: u64,
    /// In id order.
    pub pools: Vec<PoolSpec>,
    /// In id order.
    pub regions: Vec<RegionSpec>,
    /// What the movers made of the same config.
    pub compiled: Compiled,
}

/// What the movers compiled from a config (routes, zones), found by type. The table carries it without knowing it.
#[derive(Clone, Debug, Default)]
pub struct Compiled(Vec<Arc<dyn Any + Send + Sync>>);

impl Compiled {
    /// With one more part, instead of the one of its type that was there.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, part: T) -> Self {
        self.0.retain(|kept| !kept.is::<T>());
        self.0.push(Arc::new(part));
        self
    }

    /// The part of this type; a handful are compared, no hashing.
    pub fn find<T: 'static>(&self) -> Option<&T> {
        self.0.iter().find_map(|part| part.downcast_ref())
    }
}

/// One origin of a pool, with its row.
#[derive(Debug)]
pub struct Origin {
    /// Where it listens.
    pub address: Address,
    /// Where it stands.
    pub region: RegionId,
    /// Configured weight.
    pub weight: u16,
    /// Which of its region's origins are asked before it: those of lower tiers.
    pub tier: u8,
    /// What is believed of it.
    pub row: RowHandle,
}

/// The derived row of one (pool, region), and which origins it stands for.
#[derive(Debug)]
pub struct PoolRegion {
    /// The region.
    pub region: RegionId,
    /// Health, usable share and usable weight of the pool there.
    pub row: RowHandle,
    /// Sum of configured weights there.
    pub total_weight: u32,
    pub(super) members: Range<usize>,
}

/// The origins that serve one application.
///
/// Aligned, so that the count of its `Arc`, which every new generation touches, is not on the line that readers read.
#[derive(Debug)]
#[repr(align(64))]
pub struct Pool {
    /// Its identity over time.
    pub name: Arc<str>,
    pub(super) spec: PoolSpec,
    pub(super) origins: Box<[Origin]>,
    pub(super) regions: Box<[PoolRegion]>,
    pub(super) selector: Option<Selector>,
}

impl Pool {
    /// All origins, grouped by region and inside a region by tier, else in config order.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// The regions in which the pool has origins.
    pub fn regions(&self) -> &[PoolRegion] {
        &self.regions
    }

    /// The pool in one region, where it has origins there.
    pub fn region(&self, region: RegionId) -> Option<&PoolRegion> {
        let at = self.regions.binary_search_by_key(&region, |entry| entry.region).ok()?;
        Some(&self.regions[at])
    }

    /// The positions, among [`Self::origins`], of the origins in one region.
    pub fn positions_in(&self, region: RegionId) -> Range<usize> {
        self.region(region).map_or(0..0, |entry| entry.members.clone())
    }

    /// What balancing prebuilt for this pool.
    pub fn selector<T: 'static>(&self) -> Option<&T> {
        self.selector.as_ref()?.downcast_ref()
    }
}

/// A region's front door.
#[derive(Debug)]
pub struct Region {
    /// Its identity over time.
    pub name: Arc<str>,
    /// What is believed of its front door.
    pub front_door: RowHandle,
    pub(super) spec: RegionSpec,
}

/// Everything that exists, at one moment.
#[derive(Debug, Default)]
pub struct Generation {
    /// The config's revision.
    pub revision: u64,
    pub(super) pools: Vec<Arc<Pool>>,
    pub(super) regions: Vec<Arc<Region>>,
    pub(super) compiled: Compiled,
}

impl Generation {
    /// All pools, in id order.
    pub fn pools(&self) -> &[Arc<Pool>] {
        &self.pools
    }

    /// All regions, in id order.
    pub fn regions(&self) -> &[Arc<Region>] {
        &self.regions
    }

    /// One pool.
    pub fn pool(&self, id: PoolId) -> Option<&Arc<Pool>> {
        self.pools.get(id.index())
    }

    /// One region.
    pub fn region(&self, id: RegionId) -> Option<&Arc<Region>> {
        self.regions.get(id.index())
    }

    /// Everything that the movers compiled, to go on with.
    pub fn parts(&self) -> Compiled {
        self.compiled.clone()
    }

    /// What a mover compiled from the config of this generation.
    pub fn compiled<T: 'static>(&self) -> Option<&T> {
        self.compiled.find()
    }
}
