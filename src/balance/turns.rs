//! What one worker remembers from pick to pick: its place in every round, and how much of each tier was usable a moment ago.
//!
//! What rows leave of the weights of a tier is looked at anew once in a tick (100 ms), or when control's own count for the region changed, and
//! only where somebody asks: for the sum in regions with several tiers and for the bound of the hash, one by one for the least of a few. So a
//! pick never looks at all rows for it; who died since is noticed by the pick that chose it.

use super::{
    load::SEATS,
    selector::{Selector, Tier},
    standard::Standard,
};
use crate::{
    clock::{Random, Ticks},
    fleet::{BasisPoints, PoolId},
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
    seen: Option<(Moment, Weighed)>,
    weights: Option<Box<Weights>>,
}

/// What a tier can take, in basis points of configured weight.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weighed {
    /// What its origins may take now.
    pub(super) usable: u64,
    /// What they would take if nothing were lost. Who joins was not there before, so nothing of it is missing.
    pub(super) whole: u64,
}

/// What rows left of the weights of a few, a moment ago.
#[derive(Debug)]
struct Weights {
    moment: Moment,
    of: [f32; SEATS],
}

/// When a tier was looked at, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) now: Ticks,
    /// What control had counted in the region then.
    pub(super) measure: Measure,
    pub(super) standard: Standard,
}

impl Moment {
    /// What is left of an origin's weight, in basis points of it.
    fn part(&self, origin: &Origin) -> u32 {
        u32::from(origin.weight) * u32::from(self.standard.share(origin.row.read(self.now)).get())
    }
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
            desk.tiers.iter_mut().for_each(|place| {
                (place.seen, place.weights) = (None, None);
            });
            // Workers start at different places, so that they do not march in step.
            desk.tiers.resize_with(selector.tiers().len(), || Place {
                turn: random.u32(..),
                seen: None,
                weights: None,
            });
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

    /// What each of a few origins may take, by place in the tier; nothing beyond the last.
    #[inline]
    #[allow(clippy::cast_precision_loss, reason = "256 times 10,000 fits")]
    pub(super) fn weights(&mut self, at: usize, tier: &Tier, origins: &[Origin], moment: Moment) -> [f32; SEATS] {
        let place = &mut self.tiers[at];
        match &place.weights {
            Some(weights) if weights.moment == moment => weights.of,
            _ => {
                let mut of = [0.0; SEATS];
                for (weight, origin) in of.iter_mut().zip(&origins[tier.members.clone()]) {
                    *weight = moment.part(origin) as f32;
                }
                place.weights = Some(Box::new(Weights { moment, of }));
                of
            }
        }
    }

    /// Looks anew the next time.
    pub(super) fn forget(&mut self, at: usize) {
        self.tiers[at].weights = None;
    }

    /// What a tier can take.
    pub(super) fn weighed(&mut self, at: usize, tier: &Tier, origins: &[Origin], moment: Moment) -> Weighed {
        if let Some((then, weighed)) = self.tiers[at].seen
            && then == moment
        {
            return weighed;
        }
        let (mut usable, mut counted) = (0, Weighed::default());
        for origin in &origins[tier.members.clone()] {
            let part = u64::from(moment.part(origin));
            usable += part;
            if origin.row.read(moment.now).is_counted_on() {
                counted.usable += part;
                counted.whole += u64::from(origin.weight) * u64::from(BasisPoints::FULL.get());
            }
        }
        // Where all who work have only joined, they stand for the whole.
        let all = tier.weight * u64::from(BasisPoints::FULL.get());
        let weighed = Weighed { usable, whole: if counted.usable > 0 { counted.whole } else { all } };
        self.tiers[at].seen = Some((moment, weighed));
        weighed
    }
}
