use std::{sync::Arc, time::Duration};

use crate::{
    clock::Clock,
    config::{Config, Failover, SlowStart},
    control::{
        ledger::Ledger,
        overrides::{Action, OverrideList},
        scene::{Origins, config, door, everybody, of_region, origin, probed},
    },
    fleet::{Health, RegionId, Subject},
    table::{Compiled, RowState},
};

const SECOND: Duration = Duration::from_secs(1);
const FAILOVER: Failover =
    Failover { hold: Duration::from_secs(30), region_hold: Duration::from_mins(5), ramp: SECOND, spill_percent: 10 };

/// Two origins in each of three regions, as `scene::three_regions`, with times of their own; all are up.
fn scene(failover: Failover, slow_start: SlowStart) -> Ledger {
    let origins: Origins<'_> = &[(1, 0, 10), (2, 0, 10), (3, 1, 10), (4, 1, 10), (5, 2, 10), (6, 2, 10)];
    let config = with(config(&["a", "b", "c"], &[("shop", origins)]), failover, slow_start);
    let mut ledger = Ledger::open(config, Compiled::default(), None, Clock::manual(), OverrideList::new());
    ledger.all_see(everybody(&ledger), Health::Up);
    ledger
}

fn with(base: Config, failover: Failover, slow_start: SlowStart) -> Arc<Config> {
    let pools = base.pools.iter().map(|pool| {
        let mut pool = crate::config::Pool::clone(pool);
        pool.slow_start = slow_start;
        Arc::new(pool)
    });
    let pools = pools.collect();
    Arc::new(Config { failover, pools, ..base })
}

fn ramp(ramp: Duration) -> Failover {
    Failover { hold: Duration::ZERO, region_hold: Duration::ZERO, ramp, spill_percent: 0 }
}

/// Time passes for a fleet that goes on being seen as it is, but for `but`.
fn passes(ledger: &mut Ledger, span: Duration, but: &[Subject]) {
    for _ in 0..span.as_millis() / 1_000 {
        ledger.waits(1_000);
        let living = everybody(ledger).into_iter().filter(|subject| !but.contains(subject)).collect();
        ledger.all_see(living, Health::Up);
    }
}

fn weight(state: RowState) -> u16 {
    state.weight.get()
}

#[test]
fn nothing_is_held_back_when_the_node_starts() {
    let slow = SlowStart { window: SECOND * 30, least_percent: 10, aggression: 1 };
    let ledger = scene(FAILOVER, slow);
    for subject in everybody(&ledger) {
        let row = ledger.row(&subject);
        assert_eq!((weight(row), row.is_returning), (10_000, false), "{subject}");
    }
    assert_eq!(weight(ledger.in_region("shop", "a")), 10_000);
}

#[test]
fn an_origin_that_returns_starts_slowly_and_so_does_one_that_joins() {
    let slow = SlowStart { window: SECOND * 30, least_percent: 10, aggression: 1 };
    let mut ledger = scene(ramp(Duration::ZERO), slow);
    ledger.hear(&probed(origin("shop", 1), Health::Down));
    passes(&mut ledger, SECOND * 3, &[origin("shop", 1)]);
    ledger.hear(&probed(origin("shop", 1), Health::Up));
    let row = ledger.row(&origin("shop", 1));
    assert_eq!((weight(row), row.is_returning), (1_000, true));
    assert_eq!(weight(ledger.in_region("shop", "a")), 5_500, "its region counts what it takes");
    passes(&mut ledger, SECOND * 15, &[]);
    assert_eq!(weight(ledger.row(&origin("shop", 1))), 5_000);
    passes(&mut ledger, SECOND * 15, &[]);
    let row = ledger.row(&origin("shop", 1));
    assert_eq!((weight(row), row.is_returning), (10_000, false));
    assert_eq!(weight(ledger.in_region("shop", "a")), 10_000);

    let origins: Origins<'_> = &[(1, 0, 10), (2, 0, 10), (3, 1, 10), (4, 1, 10), (5, 2, 10), (6, 2, 10), (7, 0, 10)];
    ledger.apply(with(config(&["a", "b", "c"], &[("shop", origins)]), ramp(SECOND), slow), Compiled::default());
    ledger.hear(&probed(origin("shop", 7), Health::Up));
    assert_eq!(weight(ledger.row(&origin("shop", 7))), 1_000);
    assert_eq!(weight(ledger.row(&origin("shop", 1))), 10_000, "who was there stays as it was");
}

#[test]
fn an_operators_up_is_not_waited_for() {
    let mut ledger = scene(FAILOVER, SlowStart { window: SECOND * 30, least_percent: 10, aggression: 1 });
    ledger.hear(&probed(origin("shop", 1), Health::Down));
    ledger.orders(origin("shop", 1), Action::Up, None).unwrap();
    assert_eq!(weight(ledger.row(&origin("shop", 1))), 10_000);
}

#[test]
fn a_region_that_was_lost_is_held_and_then_gets_its_clients_back_evenly() {
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
    ledger.all_see(of_region("b"), Health::Down);
    assert_eq!(ledger.in_region("shop", "b").health, Health::Down);
    passes(&mut ledger, SECOND * 5, &of_region("b"));
    ledger.all_see(of_region("b"), Health::Up);
    let told = |ledger: &Ledger| {
        let (pool, door) = (ledger.in_region("shop", "b"), ledger.row(&door("b")));
        assert!(pool.is_usable() && door.is_usable(), "where nobody else is left it is asked");
        (weight(pool), weight(door))
    };
    assert_eq!(told(&ledger), (1, 1));
    passes(&mut ledger, SECOND * 29, &[]);
    assert_eq!(told(&ledger), (1, 1));
    passes(&mut ledger, SECOND * 31, &[]);
    assert_eq!(told(&ledger), (3_572, 1), "half of its clients need this much of its weight");
    passes(&mut ledger, SECOND * 30, &[]);
    assert_eq!(told(&ledger), (10_000, 1));
    passes(&mut ledger, SECOND * 240, &[]);
    assert_eq!(told(&ledger), (10_000, 5_000));
    passes(&mut ledger, SECOND * 31, &[]);
    assert_eq!(told(&ledger), (10_000, 10_000));
    assert!(!ledger.row(&door("b")).is_returning);
}

#[test]
fn who_falls_again_while_it_returns_waits_anew() {
    let mut ledger = scene(FAILOVER, SlowStart::default());
    for _ in 0..3 {
        ledger.all_see(of_region("b"), Health::Down);
        passes(&mut ledger, SECOND * 2, &of_region("b"));
        ledger.all_see(of_region("b"), Health::Up);
        passes(&mut ledger, SECOND * 20, &[]);
        assert_eq!(weight(ledger.in_region("shop", "b")), 1);
    }
}

#[test]
fn what_an_operator_gives_back_returns_without_a_hold() {
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
    ledger.orders(door("b"), Action::Drain, None).unwrap();
    passes(&mut ledger, SECOND * 5, &[]);
    ledger.clear_override(&door("b")).unwrap();
    passes(&mut ledger, SECOND * 30, &[]);
    assert_eq!(weight(ledger.row(&door("b"))), 5_000);
}

#[test]
fn a_weakened_region_passes_its_excess_on_bit_by_bit_and_takes_it_back_at_once() {
    let mut ledger = scene(FAILOVER, SlowStart::default());
    let lost = [origin("shop", 1)];
    ledger.hear(&probed(lost[0].clone(), Health::Down));
    assert_eq!(weight(ledger.in_region("shop", "a")), 7_143, "it keeps all of its clients for now");
    passes(&mut ledger, SECOND * 10, &lost);
    assert_eq!(weight(ledger.in_region("shop", "a")), 6_429, "nine tenths");
    passes(&mut ledger, SECOND * 30, &lost);
    let row = ledger.in_region("shop", "a");
    assert_eq!((weight(row), row.is_returning), (5_000, false));
    ledger.hear(&probed(lost[0].clone(), Health::Up));
    assert_eq!(weight(ledger.in_region("shop", "a")), 10_000);
    ledger.all_see(of_region("a"), Health::Down);
    assert_eq!(ledger.in_region("shop", "a").health, Health::Down, "with nothing left there is nothing to wait for");
}

#[test]
fn a_reload_in_the_middle_changes_nothing() {
    let failover = Failover { ramp: SECOND * 60, ..FAILOVER };
    let mut ledger = scene(failover, SlowStart::default());
    ledger.all_see(of_region("b"), Health::Down);
    passes(&mut ledger, SECOND * 5, &of_region("b"));
    ledger.all_see(of_region("b"), Health::Up);
    passes(&mut ledger, SECOND * 45, &[]);
    let before = ledger.in_region("shop", "b");
    ledger.apply(Arc::clone(&ledger.config), Compiled::default());
    assert_eq!(ledger.in_region("shop", "b"), before);
    passes(&mut ledger, SECOND * 15, &[]);
    assert_eq!(weight(ledger.in_region("shop", "b")), 3_572);
    assert_eq!(ledger.config.regions[RegionId(1).index()].name.as_ref(), "b");
}

#[test]
fn a_row_on_its_way_counts_as_moved() {
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
    ledger.orders(door("b"), Action::Drain, None).unwrap();
    ledger.clear_override(&door("b")).unwrap();
    passes(&mut ledger, SECOND * 30, &[]);
    let key = crate::table::RowKey::FrontDoor("b".into());
    let moved = ledger.writer.row(&key).unwrap().moved_at();
    assert_eq!(moved, ledger.clock.ticks());
}

#[test]
fn an_evacuation_goes_evenly_and_ends_in_a_drain() {
    let mut ledger = scene(FAILOVER, SlowStart::default());
    let evacuate = Action::Evacuate(SECOND * 60);
    ledger.orders(door("b"), evacuate, None).unwrap();
    passes(&mut ledger, SECOND * 15, &[]);
    let row = ledger.row(&door("b"));
    assert_eq!((weight(row), row.is_draining, row.is_returning), (7_500, false, false));
    ledger.apply(Arc::clone(&ledger.config), Compiled::default());
    passes(&mut ledger, SECOND * 44, &[]);
    assert_eq!((weight(ledger.row(&door("b"))), ledger.row(&door("b")).is_draining), (167, false));
    passes(&mut ledger, SECOND * 2, &[]);
    assert!(ledger.row(&door("b")).is_draining);
    // A drain at once takes its place, and so does taking it back.
    ledger.orders(door("c"), evacuate, None).unwrap();
    ledger.orders(door("c"), Action::Drain, None).unwrap();
    assert!(ledger.row(&door("c")).is_draining);
    ledger.orders(door("a"), evacuate, None).unwrap();
    passes(&mut ledger, SECOND * 30, &[]);
    ledger.clear_override(&door("a")).unwrap();
    passes(&mut ledger, SECOND * 60, &[]);
    assert_eq!((weight(ledger.row(&door("a"))), ledger.row(&door("a")).is_draining), (10_000, false));
}

#[test]
fn an_evacuation_that_expires_is_over() {
    let mut ledger = scene(FAILOVER, SlowStart::default());
    ledger.orders(door("b"), Action::Evacuate(SECOND * 60), Some(SECOND * 30)).unwrap();
    passes(&mut ledger, SECOND * 32, &[]);
    let row = ledger.row(&door("b"));
    assert_eq!((weight(row), row.is_draining), (10_000, false));
}
