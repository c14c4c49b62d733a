//! What one worker remembers from pick to pick: its place in every round, and how much of each tier was usable a moment ago.
//!
//! A tier's usable weight is counted anew once in a tick (100 ms), or when control's own count for the region changed, and only where
//! somebody asks: in regions with several tiers, and for the bound of the hash. So a pick never looks at all origins for it, and a tier that
//! died since is noticed by the pick that finds nobody there.

use super::{
    selector::{Selector, Tier},
    standard::Standard,
};
use crate::{
    clock::{Random, Ticks},
    fleet::PoolId,
    table::{Measure, Origin},
};

/// One worker's memory of all pools.
#[derive(Debug, Default)]
pub struct Turns(Vec<Desk>);

/// One worker's memory of one pool. Ids may change their meaning with a reload: a round goes on from any place, and what was seen is
/// forgotten.
#[derive(Debug, Default)]
pub(super) struct Desk {
    selector: u64,
    tiers: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    turn: u32,
    seen: Option<(Moment, u64)>,
}

/// When a tier was looked at, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) now: Ticks,
    /// What control had counted in the region then.
    pub(super) measure: Measure,
    pub(super) standard: Standard,
}

impl Turns {
    pub(super) fn desk(&mut self, pool: PoolId, selector: &Selector, random: &mut Random) -> &mut Desk {
        if self.0.len() <= pool.index() {
            self.0.resize_with(pool.index() + 1, Desk::default);
        }
        let desk = &mut self.0[pool.index()];
        if desk.selector != selector.serial() {
            desk.selector = selector.serial();
            desk.tiers.truncate(selector.tiers().len());
            desk.tiers.iter_mut().for_each(|place| place.seen = None);
            // Workers start at different places, so that they do not march in step.
            desk.tiers.resize_with(selector.tiers().len(), || Place { turn: random.u32(..), seen: None });
        }
        desk
    }
}

impl Desk {
    /// The next turn in a tier.
    #[inline]
    pub(super) fn turn(&mut self, tier: usize) -> u32 {
        let place = &mut self.tiers[tier].turn;
        *place = place.wrapping_add(1);
        *place
    }

    /// What the tier's origins may take, as the sum of their weights in basis points.
    pub(super) fn usable(&mut self, at: usize, tier: &Tier, origins: &[Origin], moment: Moment) -> u64 {
        if let Some((then, usable)) = self.tiers[at].seen
            && then == moment
        {
            return usable;
        }
        let part = |origin: &Origin| {
            u64::from(origin.weight) * u64::from(moment.standard.share(origin.row.read(moment.now)).get())
        };
        let usable = origins[tier.members.clone()].iter().map(part).sum();
        self.tiers[at].seen = Some((moment, usable));
        usable
    }
}
