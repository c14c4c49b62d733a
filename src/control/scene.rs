//! Scenes for control's own tests: configs from regions by name and pools by name with (port, region, weight), and a ledger on a
//! clock that is turned by hand.

use std::{path::Path, sync::Arc, time::Duration};

use super::{
    command::CommandError,
    ledger::Ledger,
    overrides::{Action, NewOverride, OverrideList},
};
use crate::{
    clock::Clock,
    config::{
        self, Balancing, Check, CheckKind, CheckTiming, Checks, Config, Failover, FrontDoor, Node, Origin, Passive,
        Pool, Protocol, Region, Retry, SlowStart, Timeouts, Via, WhenAllDown,
    },
    fleet::{Address, Belief, Health, RegionId, Signal, Source, Subject},
    table::{Compiled, RowKey, RowState},
};

pub(super) type Origins<'a> = &'a [(u16, u16, u16)];

/// Everything else is as it is where nobody wrote it.
pub(super) fn config(regions: &[&str], pools: &[(&str, Origins<'_>)]) -> Config {
    let text = "[regions.here]\naddresses = [\"192.0.2.1\"]\n";
    let base = config::from_text("scene.toml", text, &config::Identity::default()).config.unwrap();
    Config {
        node: Node { name: "here-1".into(), region: RegionId(0) },
        state_directory: "/nonexistent/state".into(),
        regions: regions.iter().map(|name| Arc::new(region(name))).collect(),
        failover: Failover::default(),
        pools: pools.iter().map(|(name, origins)| Arc::new(pool(name, origins))).collect(),
        ..base
    }
}

pub(super) fn kept_in(directory: &Path, mut config: Config) -> Arc<Config> {
    config.state_directory = directory.to_path_buf();
    Arc::new(config)
}

pub(super) fn address(port: u16) -> Address {
    Address::Fixed(([127, 0, 0, 1], port).into())
}

pub(super) fn origin(pool: &str, port: u16) -> Subject {
    Subject::Origin { pool: pool.into(), address: address(port) }
}

pub(super) fn door(region: &str) -> Subject {
    Subject::FrontDoor { region: region.into() }
}

pub(super) fn probed(subject: Subject, health: Health) -> Signal {
    let valid_for = Some(Duration::from_secs(3));
    Signal { subject, source: Source::Probe, belief: Belief::Health(health), valid_for, said: None }
}

pub(super) fn ledger(regions: &[&str], pools: &[(&str, Origins<'_>)]) -> Ledger {
    let config = Arc::new(config(regions, pools));
    Ledger::open(config, Compiled::default(), None, Clock::manual(), OverrideList::new())
}

/// Three regions, each with two origins of weight 10; ports 1 and 2 stand in `a`, 3 and 4 in `b`, 5 and 6 in `c`.
pub(super) fn three_regions() -> Ledger {
    let origins = [(1, 0, 10), (2, 0, 10), (3, 1, 10), (4, 1, 10), (5, 2, 10), (6, 2, 10)];
    let mut ledger = ledger(&["a", "b", "c"], &[("shop", &origins)]);
    ledger.all_see(everybody(&ledger), Health::Up);
    ledger
}

pub(super) fn everybody(ledger: &Ledger) -> Vec<Subject> {
    ledger.roster.entries.iter().map(|entry| entry.subject.clone()).collect()
}

pub(super) fn of_region(region: &str) -> Vec<Subject> {
    let first = 1 + 2 * u16::from(region.as_bytes()[0] - b'a');
    vec![door(region), origin("shop", first), origin("shop", first + 1)]
}

impl Ledger {
    pub(super) fn row(&self, subject: &Subject) -> RowState {
        let key = match subject.clone() {
            Subject::Origin { pool, address } => RowKey::Origin(pool, address),
            Subject::FrontDoor { region } => RowKey::FrontDoor(region),
        };
        self.writer.row(&key).unwrap().read(self.clock.ticks())
    }

    pub(super) fn in_region(&self, pool: &str, region: &str) -> RowState {
        self.writer.row(&RowKey::PoolRegion(pool.into(), region.into())).unwrap().read(self.clock.ticks())
    }

    pub(super) fn all_see(&mut self, subjects: Vec<Subject>, health: Health) {
        for subject in subjects {
            self.hear(&probed(subject, health));
        }
    }

    pub(super) fn waits(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
            self.clock.advance(Duration::from_millis(100));
            self.tick();
        }
    }

    pub(super) fn orders(
        &mut self,
        subject: Subject,
        action: Action,
        expires_in: Option<Duration>,
    ) -> Result<(), CommandError> {
        self.set_override(NewOverride { subject, action, author: "ann".into(), reason: "test".into(), expires_in })
    }
}

fn region(name: &str) -> Region {
    Region {
        location: None,
        jurisdiction: None,
        name: name.into(),
        addresses: Vec::new(),
        capacity_per_second: 0,
        front_door: FrontDoor { port: 80, tls: None },
        check: check(Some(80)),
        neighbours: Vec::new(),
    }
}

fn pool(name: &str, origins: Origins<'_>) -> Pool {
    let second = Duration::from_secs(1);
    let origin = |(port, region, weight): &(u16, u16, u16)| Origin {
        address: address(*port),
        region: RegionId(*region),
        weight: *weight,
        tier: 0,
    };
    Pool {
        name: name.into(),
        origins: origins.iter().map(origin).collect(),
        protocol: Protocol::H1,
        tls: None,
        check: check(None),
        slow_start: SlowStart::default(),
        passive: usual_passive(),
        when_all_down: WhenAllDown::Open,
        last_resort: None,
        timeouts: Timeouts { connect: second, response_head: second, between_bytes: second, tunnel_idle: second },
        via: Via::Direct,
        retries: 1,
        retry: Retry {
            budget_percent: 20,
            budget_per_second: 3,
            backoff: second,
            max_backoff: second,
            max_body: 0,
            statuses: Vec::new(),
        },
        max_connections: 1,
        max_connecting: 1,
        max_connection_age: second,
        max_idle_connections: 1,
        idle_timeout: second,
        balancing: Balancing::default(),
    }
}

fn usual_passive() -> Passive {
    let text = "[regions.here]\naddresses = [\"192.0.2.1\"]\n[[pools.shop.origins]]\naddress = \"127.0.0.1:1\"\n";
    let config = config::from_text("scene.toml", text, &config::Identity::default()).config.unwrap();
    config.pools[0].passive.clone()
}

fn check(port: Option<u16>) -> Checks {
    let timing = CheckTiming {
        interval: Duration::from_secs(1),
        recheck: Duration::from_millis(250),
        timeout: Duration::from_millis(500),
        rise: 3,
        fall: 2,
        jitter_percent: 20,
        long_down: Duration::from_secs(5),
        long_down_after: Duration::from_mins(1),
        flap_window: Duration::ZERO,
        flaps: 4,
    };
    let kind = CheckKind::Tcp { send: Arc::default(), expect: Arc::default() };
    Checks::One(Arc::new(Check { kind, port, tls: None, timing }))
}
