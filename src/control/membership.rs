//! What exists, from the config, and how control moves to it: new rows are filled before anybody can see them.

use std::{sync::Arc, time::Duration};

use super::{
    journal::Journal, ledger::Ledger, merge::Beliefs, meters::Meters, overrides::OverrideList, roster::Roster,
    suspicion::Suspicion,
};
use crate::{
    clock::Clock,
    config::Config,
    fleet::Source,
    table::{Compiled, Membership, OriginSpec, PoolSpec, RegionSpec, SelectorBuilder, Writer},
};

impl Ledger {
    /// With the first membership published; `overrides` count from the start.
    pub(super) fn open(
        config: Arc<Config>,
        compiled: Compiled,
        build_selector: Option<SelectorBuilder>,
        clock: Clock,
        overrides: OverrideList,
    ) -> Self {
        let mut ledger = Self {
            clock,
            writer: Writer::new(build_selector),
            config: Arc::clone(&config),
            revision: 0,
            roster: Roster::default(),
            suspicion: Suspicion::new(0, 0, Duration::ZERO),
            overrides,
            meters: Meters::new(),
            journal: Journal::new(),
            deadlines: std::collections::BinaryHeap::new(),
            unjudged: 0,
            is_ready: false,
        };
        ledger.apply(config, compiled);
        ledger
    }

    /// Moves to this config and says the new generation's revision. Subjects that stay keep what is believed of them.
    pub(super) fn apply(&mut self, config: Arc<Config>, compiled: Compiled) -> u64 {
        self.revision += 1;
        let now = self.clock.ticks();
        let wanted = membership(&config, self.revision, compiled);
        let (roster, overrides) = (&mut self.roster, &self.overrides);
        self.writer.publish_filled(wanted, |writer, next| {
            let remembered = |subject: &_| {
                let mut beliefs = Beliefs::default();
                for (kept, until) in overrides.of(subject) {
                    beliefs.hear(Source::Operator, kept.action.belief(), *until);
                }
                beliefs
            };
            *roster = Roster::of(next, std::mem::take(roster), remembered, now);
            roster.entries.iter().for_each(|entry| writer.change(&entry.row, entry.merged.state, now));
            for group in &roster.groups {
                writer.change(&group.row, group.state, now);
                writer.set_measure(&group.row, group.tally.measure());
            }
        });
        let own = config.node.region.index();
        let mut suspicion = self.suspicion.carried_to(own, config.regions.len(), slowest_check(&config));
        self.deadlines.clear();
        self.unjudged = 0;
        for at in 0..self.roster.entries.len() {
            let entry = &self.roster.entries[at];
            suspicion.place(at, entry.region, entry.standing(), now);
            self.unjudged += usize::from(!entry.is_judged);
            // Arms its deadline; the row says it already.
            self.settle(at, now);
        }
        self.suspicion = suspicion;
        self.is_ready |= self.unjudged == 0;
        self.config = config;
        self.draw();
        self.revision
    }
}

fn membership(config: &Config, revision: u64, compiled: Compiled) -> Membership {
    let regions = config
        .regions
        .iter()
        .map(|region| RegionSpec { name: Arc::clone(&region.name), capacity_per_second: region.capacity_per_second });
    let pools = config.pools.iter().map(|pool| {
        let origins = pool.origins.iter().map(|origin| OriginSpec {
            address: origin.address.clone(),
            region: origin.region,
            weight: origin.weight,
            tier: origin.tier,
        });
        PoolSpec { name: Arc::clone(&pool.name), balance: pool.balancing.method, origins: origins.collect() }
    });
    Membership { revision, regions: regions.collect(), pools: pools.collect(), compiled }
}

/// The longest time in which a check of this config notices a death.
fn slowest_check(config: &Config) -> Duration {
    let doors = config.regions.iter().map(|region| &region.check);
    let checks = doors.chain(config.pools.iter().map(|pool| &pool.check));
    checks.map(|check| check.timing.detection_bound()).max().unwrap_or_default()
}
