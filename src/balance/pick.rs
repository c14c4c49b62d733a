//! The pick: whose turn it is, unless that origin should not be asked now.
//!
//! While all is well this is one look-up and one row read. When the origin whose turn it is must be left out, its turn is drawn by
//! weight among the others (handing it to the next in line would give that neighbour all of it).

use super::{round_robin::Turns, selector::Selector};
use crate::{
    clock::{Random, Ticks},
    fleet::{BasisPoints, Health, PoolId, RegionId},
    table::{Origin, Pool, RowState},
};

/// How good an origin has to be, from the ladder's rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// Known to be up.
    Proven,
    /// Not known to be down.
    Unproven,
    /// Not taken out by an operator or a drill: the last resort, at configured weights.
    Any,
}

impl Standard {
    /// The share of its configured weight that an origin in this state takes.
    pub fn share(self, row: RowState) -> BasisPoints {
        match self {
            Self::Proven if row.is_usable() => row.weight,
            Self::Unproven if row.health != Health::Down && !row.is_draining => row.weight,
            Self::Any if row.is_askable() => BasisPoints::FULL,
            _ => BasisPoints::ZERO,
        }
    }
}

/// The origin, as a position among the pool's origins, that takes the next request in a region. `tried` are left out.
pub fn pick(
    (id, pool): (PoolId, &Pool),
    region: RegionId,
    standard: Standard,
    tried: &[usize],
    now: Ticks,
    turns: &mut Turns,
    random: &mut Random,
) -> Option<usize> {
    let at = pool.regions().iter().position(|entry| entry.region == region)?;
    let members = pool.positions_in(region);
    let origins = &pool.origins()[members.clone()];

    if let Some(schedule) = pool.selector::<Selector>().and_then(|selector| selector.schedule(at)) {
        let turn = schedule.turn(turns.next(id, region, random), random)?;
        let share = standard.share(origins[turn].row.read(now));
        if accepts(share, random) && !tried.contains(&(members.start + turn)) {
            return Some(members.start + turn);
        }
    }
    let weight_of = |(position, origin): (usize, &Origin)| {
        if tried.contains(&position) {
            return 0;
        }
        // In basis points of configured weight, so that a thinned weight of 1 is still more than nothing.
        u64::from(origin.weight) * u64::from(standard.share(origin.row.read(now)).get())
    };
    draw(|| members.clone().zip(origins).map(weight_of), random).map(|within| members.start + within)
}

fn accepts(share: BasisPoints, random: &mut Random) -> bool {
    share == BasisPoints::FULL || random.u16(..BasisPoints::FULL.get()) < share.get()
}

/// Draws a position by weight. Weights are read twice and may have changed in between: the last one with weight stands in.
fn draw<I: Iterator<Item = u64>>(weights: impl Fn() -> I, random: &mut Random) -> Option<usize> {
    let total: u64 = weights().sum();
    let mut left = if total == 0 { return None } else { random.u64(..total) };
    let mut last = None;
    for (position, weight) in weights().enumerate().filter(|(_, weight)| *weight > 0) {
        if left < weight {
            return Some(position);
        }
        left -= weight;
        last = Some(position);
    }
    last
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        balance,
        clock::seeded,
        fleet::Address,
        table::{Membership, OriginSpec, PoolSpec, RegionSpec, RowKey, Writer},
    };

    const HERE: RegionId = RegionId(0);

    struct Scene {
        writer: Writer,
        pool: Arc<Pool>,
    }

    fn scene(weights: &[u16]) -> Scene {
        let mut writer = Writer::new(Some(Box::new(balance::build)));
        let origins = (1..).zip(weights).map(|(port, weight)| OriginSpec {
            address: Address::Fixed(([127, 0, 0, 1], port).into()),
            region: HERE,
            weight: *weight,
        });
        writer.publish(Membership {
            pools: vec![PoolSpec { name: "shop".into(), origins: origins.collect() }],
            regions: vec![RegionSpec { name: "here".into(), capacity_per_second: 0 }],
            ..Membership::default()
        });
        let pool = Arc::clone(&writer.table().load().pools()[0]);
        Scene { writer, pool }
    }

    impl Scene {
        fn say(&mut self, position: usize, state: RowState) {
            let key = RowKey::Origin("shop".into(), self.pool.origins()[position].address.clone());
            let row = self.writer.row(&key).unwrap().clone();
            self.writer.set(&row, state);
        }

        fn shares(&self, standard: Standard, tried: &[usize], picks: u32) -> Vec<u32> {
            let (mut turns, mut random) = (Turns::default(), seeded(7));
            let mut counts = vec![0; self.pool.origins().len()];
            for _ in 0..picks {
                let id = (PoolId(0), &*self.pool);
                if let Some(at) = pick(id, HERE, standard, tried, Ticks(0), &mut turns, &mut random) {
                    counts[at] += 1;
                }
            }
            counts
        }
    }

    const UP: RowState = RowState::of(Health::Up);

    #[test]
    fn healthy_origins_share_exactly_by_weight() {
        let mut scene = scene(&[3, 2, 1]);
        (0..3).for_each(|at| scene.say(at, UP));
        assert_eq!(scene.shares(Standard::Proven, &[], 600), [300, 200, 100]);
    }

    #[test]
    fn the_turns_of_a_dead_origin_are_shared_by_weight() {
        let mut scene = scene(&[100, 100, 200]);
        scene.say(1, UP);
        scene.say(2, UP);
        scene.say(0, RowState { health: Health::Down, ..UP });
        let shares = scene.shares(Standard::Proven, &[], 30_000);
        assert_eq!(shares[0], 0);
        assert!((9_700..10_300).contains(&shares[1]), "{shares:?}");
    }

    #[test]
    fn a_thinned_weight_takes_its_share() {
        let mut scene = scene(&[100, 100]);
        scene.say(0, RowState { weight: BasisPoints::new(5_000), ..UP });
        scene.say(1, UP);
        let shares = scene.shares(Standard::Proven, &[], 30_000);
        // Half of the turns of the first are drawn anew, a third of which come back to it.
        assert!((9_600..10_400).contains(&shares[0]), "{shares:?}");
    }

    #[test]
    fn an_origin_without_a_verdict_waits_for_its_rung() {
        let mut scene = scene(&[1, 1]);
        scene.say(0, UP);
        assert_eq!(scene.shares(Standard::Proven, &[], 100), [100, 0]);
        assert_eq!(scene.shares(Standard::Unproven, &[], 100), [50, 50]);
    }

    #[test]
    fn an_operators_word_holds_on_the_last_rung() {
        let mut scene = scene(&[1, 1, 1]);
        scene.say(0, RowState { health: Health::Down, is_forced: true, ..UP });
        scene.say(1, RowState { is_draining: true, ..UP });
        scene.say(2, RowState { health: Health::Down, ..UP });
        assert_eq!(scene.shares(Standard::Any, &[], 90), [0, 0, 90]);
    }

    #[test]
    fn an_origin_that_was_tried_is_not_tried_again() {
        let mut scene = scene(&[1, 1]);
        (0..2).for_each(|at| scene.say(at, UP));
        assert_eq!(scene.shares(Standard::Proven, &[1], 50), [50, 0]);
        assert_eq!(scene.shares(Standard::Proven, &[0, 1], 50), [0, 0]);
    }
}
