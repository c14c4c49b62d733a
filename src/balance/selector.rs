//! What is prepared for one pool when it changes: a schedule per region, and the origins' loads.

use std::{collections::HashMap, sync::Arc};

use super::{load::Load, round_robin::Schedule};
use crate::{
    fleet::Address,
    table::{Origin, Pool},
};

/// Prepared for one pool; found through `Pool::selector`.
#[derive(Debug)]
pub struct Selector {
    /// By position among the pool's origins.
    loads: Box<[Arc<Load>]>,
    /// In the order of `Pool::regions`.
    schedules: Box<[Schedule]>,
}

impl Selector {
    /// The load of the origin at this position.
    pub fn load(&self, position: usize) -> Option<&Arc<Load>> {
        self.loads.get(position)
    }

    /// Requests under way at all of them.
    pub fn in_flight(&self) -> u64 {
        self.loads.iter().map(|load| u64::from(load.in_flight())).sum()
    }

    pub(super) fn schedule(&self, region: usize) -> Option<&Schedule> {
        self.schedules.get(region)
    }
}

/// Prepares a pool whose origins are grouped by region. Origins that were there before keep their load.
pub fn build(origins: &[Origin], previous: Option<&Pool>) -> crate::table::Selector {
    let before: HashMap<&Address, &Arc<Load>> = previous
        .and_then(|pool| Some((pool, pool.selector::<Selector>()?)))
        .map(|(pool, selector)| pool.origins().iter().map(|origin| &origin.address).zip(&selector.loads).collect())
        .unwrap_or_default();
    let loads =
        origins.iter().map(|origin| before.get(&origin.address).map_or_else(Arc::default, |load| Arc::clone(load)));
    let by_region = origins.chunk_by(|left, right| left.region == right.region);
    let schedules = by_region.map(|members| Schedule::new(members.iter().map(|origin| origin.weight)));
    Arc::new(Selector { loads: loads.collect(), schedules: schedules.collect() })
}
