//! What exists, from the config, and how control moves to it: new rows are filled before anybody can see them.

use std::{sync::Arc, time::Duration};

use super::{
    journal::Journal,
    ledger::Ledger,
    merge::Beliefs,
    meters::Meters,
    motion::{Leave, Motion},
    overrides::{Action, OverrideList},
    roster::Roster,
    suspicion::{Standing, Suspicion},
};
use crate::{
    clock::{self, Clock, Ticks},
    config::{Checks, Config},
    fleet::{Doubt, Source, Subject},
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
            doubt: Doubt::default(),
            overrides,
            meters: Meters::new(),
            journal: Journal::new(),
            motion: Motion::default(),
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
        let (now, today) = (self.clock.ticks(), clock::unix_time().as_secs());
        let wanted = membership(&config, self.revision, compiled);
        let fallen = self.fallen();
        let (roster, overrides) = (&mut self.roster, &self.overrides);
        self.writer.publish_filled(wanted, |writer, next| {
            let remembered = |subject: &_| {
                let (mut beliefs, mut leaves) = (Beliefs::default(), None);
                for (kept, until) in overrides.of(subject) {
                    let began = Duration::from_secs(today.saturating_sub(kept.created));
                    let leave = match kept.action {
                        Action::Evacuate(over) => Leave::of(over, began, *until, now),
                        _ => None,
                    };
                    if leave.is_none() {
                        beliefs.hear(Source::Operator, kept.action.belief(), *until);
                    }
                    leaves = leaves.or(leave);
                }
                (beliefs, leaves)
            };
            *roster = Roster::of(next, &config, std::mem::take(roster), remembered, now);
            for entry in &roster.entries {
                entry.say_grant(writer);
                writer.change(&entry.row, entry.row_says, now);
            }
            for group in &roster.groups {
                writer.change(&group.row, group.row_says, now);
                writer.set_measure(&group.row, group.tally.measure());
            }
        });
        let own = config.node.region.index();
        let mut suspicion = self.suspicion.carried_to(own, config.regions.len(), slowest_check(&config));
        self.deadlines.clear();
        self.motion.clear();
        self.unjudged = 0;
        for at in 0..self.roster.entries.len() {
            let entry = &mut self.roster.entries[at];
            // Whom nobody asks, nobody waits for.
            entry.is_judged |= is_unasked(&config, &entry.subject);
            if entry.standing() == Standing::Up {
                suspicion.place(entry.region);
            }
            self.unjudged += usize::from(!entry.is_judged);
            // Arms its deadline; the row says it already.
            self.settle(at, now);
        }
        for (fell, subject) in fallen {
            let known = self.roster.find(&subject).map(|at| (at, &self.roster.entries[at]));
            if let Some((at, entry)) = known.filter(|(_, entry)| entry.standing() != Standing::Up) {
                suspicion.place_fallen(at, entry.region, fell);
            }
        }
        for (at, group) in self.roster.groups.iter().enumerate() {
            self.motion.group(at, group.moves());
        }
        self.suspicion = suspicion;
        self.is_ready |= self.unjudged == 0;
        self.config = config;
        self.draw();
        self.revision
    }

    /// Who fell lately by this node's own probes, in that order.
    fn fallen(&self) -> Vec<(Ticks, Subject)> {
        let fallen = self.suspicion.fallen();
        let mut named: Vec<_> = fallen.map(|(at, fell)| (fell, self.roster.entries[at].subject.clone())).collect();
        named.sort_unstable();
        named
    }
}

fn membership(config: &Config, revision: u64, compiled: Compiled) -> Membership {
    let regions = config
        .regions
        .iter()
        .map(|region| RegionSpec { name: Arc::clone(&region.name), capacity_per_second: region.capacity_per_second });
    let pools = config.pools.iter().map(|pool| {
        let origins = pool.in_table_order().into_iter().map(|origin| OriginSpec {
            address: origin.address.clone(),
            region: origin.region,
            weight: origin.weight,
            tier: origin.tier,
        });
        PoolSpec { name: Arc::clone(&pool.name), balance: pool.balancing.method, origins: origins.collect() }
    });
    Membership { revision, regions: regions.collect(), pools: pools.collect(), compiled }
}

/// Whether nothing ever checks it.
fn is_unasked(config: &Config, subject: &Subject) -> bool {
    let check = match subject {
        Subject::Origin { pool, .. } => {
            config.pools.binary_search_by(|one| one.name.cmp(pool)).map(|at| &config.pools[at].check)
        }
        Subject::FrontDoor { region } => {
            config.regions.binary_search_by(|one| one.name.cmp(region)).map(|at| &config.regions[at].check)
        }
    };
    check.is_ok_and(|check| *check == Checks::None)
}

/// The longest time in which a check of this config notices a death.
fn slowest_check(config: &Config) -> Duration {
    let doors = config.regions.iter().map(|region| &region.check);
    let checks = doors.chain(config.pools.iter().map(|pool| &pool.check));
    checks.filter_map(Checks::detection_bound).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        config::{Identity, from_text},
    };

    /// Cookies, observations and plans speak of origins by their position.
    #[test]
    fn the_table_has_origins_where_the_config_says_that_it_has_them() {
        let text = "node.region = \"b\"\nregions.a.addresses = [\"192.0.2.1\"]\nregions.b.addresses = [\"192.0.2.2\"]\n[pools.shop]\norigins = [\
                    { address = \"127.0.0.1:1\", region = \"b\", standby = true }, { address = \"127.0.0.1:2\", region = \"b\" }, \
                    { address = \"127.0.0.1:3\", region = \"a\", tier = 2 }, { address = \"127.0.0.1:4\", region = \"a\", tier = 1 }, \
                    { address = \"127.0.0.1:5\", region = \"b\" }]\n";
        let loaded = from_text("order.toml", text, &Identity::default());
        let config = Arc::new(loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false))));
        let clock = Clock::manual();
        let ledger = Ledger::open(Arc::clone(&config), Compiled::default(), None, clock.clone(), OverrideList::new());
        let mut reader = ledger.writer.table().reader(clock);
        let snapshot = reader.snapshot();
        let pool = snapshot.generation.pool(crate::fleet::PoolId(0)).unwrap();
        let table: Vec<u16> = pool.origins().iter().map(|origin| origin.address.port()).collect();
        let said: Vec<u16> = config.pools[0].in_table_order().iter().map(|origin| origin.address.port()).collect();
        assert_eq!((&*table, &*said), (&[4, 3, 2, 5, 1][..], &*table));
    }
}
