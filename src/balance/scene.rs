//! A pool as tests of balancing play with it: on a table of its own, without control.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    clock::{Random, Ticks, seeded},
    config::Balancing,
    fleet::{Address, Balance, BasisPoints, Health, PoolId, RegionId},
    table::{Membership, OriginSpec, Pool, PoolSpec, RegionSpec, RowKey, RowState, Writer},
};

pub(super) const HERE: RegionId = RegionId(0);
pub(super) const UP: RowState = RowState::of(Health::Up);
pub(super) const DOWN: RowState = RowState { health: Health::Down, ..UP };

/// One pool in one region, and one worker.
pub(super) struct Scene {
    writer: Writer,
    pub(super) pool: Arc<Pool>,
    pub(super) settings: Balancing,
    pub(super) turns: Turns,
    pub(super) random: Random,
    pub(super) now: Ticks,
}

/// Origins of these weights, all up.
pub(super) fn scene(method: Balance, weights: &[u16]) -> Scene {
    let origins: Vec<_> = weights.iter().map(|weight| (*weight, 0)).collect();
    tiered(method, &origins)
}

/// Origins of these weights in these tiers, all up.
pub(super) fn tiered(method: Balance, origins: &[(u16, u8)]) -> Scene {
    let mut writer = Writer::new(Some(Box::new(build)));
    writer.publish(membership(method, origins));
    let pool = Arc::clone(&writer.table().load().pools()[0]);
    let settings = Balancing { method, ..Balancing::default() };
    let (turns, random) = (Turns::default(), seeded(7));
    let mut scene = Scene { writer, pool, settings, turns, random, now: Ticks(0) };
    (0..origins.len()).for_each(|at| scene.say(at, UP));
    scene
}

fn membership(method: Balance, origins: &[(u16, u8)]) -> Membership {
    let origin = |(port, (weight, tier)): (u16, &(u16, u8))| OriginSpec {
        address: Address::Fixed(([127, 0, 0, 1], port).into()),
        region: HERE,
        weight: *weight,
        tier: *tier,
    };
    Membership {
        pools: vec![PoolSpec {
            name: "shop".into(),
            balance: method,
            origins: (1..).zip(origins).map(origin).collect(),
        }],
        regions: vec![RegionSpec { name: "here".into(), capacity_per_second: 0 }],
        ..Membership::default()
    }
}

impl Scene {
    /// Says what is believed of an origin; a moment passes.
    pub(super) fn say(&mut self, position: usize, state: RowState) {
        let key = RowKey::Origin("shop".into(), self.pool.origins()[position].address.clone());
        let row = self.writer.row(&key).unwrap().clone();
        self.writer.set(&row, state);
        self.now.0 += 1;
    }

    /// Moves to these origins.
    pub(super) fn change(&mut self, origins: &[(u16, u8)]) {
        self.writer.publish(membership(self.settings.method, origins));
        self.pool = Arc::clone(&self.writer.table().load().pools()[0]);
        (0..origins.len()).for_each(|at| self.say(at, UP));
    }

    pub(super) fn pick_as(&mut self, standard: Standard, key: Option<u64>, tried: &[usize]) -> Option<usize> {
        let pool = Arc::clone(&self.pool);
        let (pool, settings) = ((PoolId(0), &*pool), &self.settings);
        let ask = Ask { pool, settings, region: HERE, standard, key, tried, now: self.now };
        pick(&ask, &mut self.turns, &mut self.random)
    }

    pub(super) fn pick(&mut self, key: Option<u64>) -> Option<usize> {
        self.pick_as(Standard::Proven, key, &[])
    }

    pub(super) fn keeps(&mut self, position: usize, tried: &[usize]) -> bool {
        let pool = Arc::clone(&self.pool);
        let (pool, settings, standard) = ((PoolId(0), &*pool), &self.settings, Standard::Proven);
        let ask = Ask { pool, settings, region: HERE, standard, key: None, tried, now: self.now };
        keeps(&ask, position, &mut self.turns, &mut self.random)
    }

    pub(super) fn begin(&self, position: usize) -> InFlight {
        self.pool.selector::<Selector>().unwrap().begin(position, &self.settings, Duration::ZERO).unwrap()
    }

    pub(super) fn in_flight(&self) -> Vec<u32> {
        let selector = self.pool.selector::<Selector>().unwrap();
        (0..self.pool.origins().len()).map(|at| selector.load(at).unwrap().in_flight()).collect()
    }

    /// How often each was picked, of so many times.
    pub(super) fn shares(&mut self, picks: u32) -> Vec<u32> {
        self.shares_as(Standard::Proven, &[], picks)
    }

    pub(super) fn shares_as(&mut self, standard: Standard, tried: &[usize], picks: u32) -> Vec<u32> {
        let mut counts = vec![0; self.pool.origins().len()];
        for _ in 0..picks {
            if let Some(at) = self.pick_as(standard, None, tried) {
                counts[at] += 1;
            }
        }
        counts
    }

    /// Sends so many requests that never end.
    pub(super) fn fill(&mut self, requests: u32) -> Vec<InFlight> {
        let send = |_| {
            let at = self.pick(None).unwrap();
            self.begin(at)
        };
        (0..requests).map(send).collect()
    }
}

/// A row whose weight is thinned to this share.
pub(super) fn thinned(basis_points: u16) -> RowState {
    RowState { weight: BasisPoints::new(basis_points), ..UP }
}

/// Asserts that counts are in the proportion of weights, to within this part of each due count.
pub(super) fn assert_shares(counts: &[u32], weights: &[u64], within: f64) {
    let (sum, total) = (counts.iter().sum::<u32>(), weights.iter().sum::<u64>());
    for (count, weight) in counts.iter().zip(weights) {
        let due = f64::from(sum) * to_float(*weight) / to_float(total);
        assert!((f64::from(*count) - due).abs() <= due * within + 1.0, "{counts:?} for {weights:?}");
    }
}

fn to_float(weight: u64) -> f64 {
    f64::from(u32::try_from(weight).unwrap())
}
