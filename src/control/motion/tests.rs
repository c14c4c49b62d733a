use std::{sync::Arc, time::Duration};

use crate::{
    clock::Clock,
    config::{Config, Failover, SlowStart},
    control::{
        ledger::Ledger,
        overrides::{Action, OverrideList},
        scene::{Origins, config, door, everybody, of_region, origin, probed},
    },
    fleet::{BasisPoints, Health, RegionId, Signal, Subject},
    table::{Compiled, RowState},
};

mod orders;

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

/// Of a region's front door, by word of operators.
fn granted(ledger: &Ledger, region: &str) -> u16 {
    ledger.writer.row(&crate::table::RowKey::FrontDoor(region.into())).unwrap().measure().granted().get()
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
fn who_loses_a_part_again_while_it_returns_gets_nothing_back_at_once() {
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
    ledger.all_see(of_region("b"), Health::Down);
    passes(&mut ledger, SECOND * 5, &of_region("b"));
    ledger.all_see(of_region("b"), Health::Up);
    passes(&mut ledger, SECOND * 75, &[]);
    let before = ledger.in_region("shop", "b");
    // Three quarters are more than the other origin carries, so the excess is passed on, too.
    ledger.hear(&probed(origin("shop", 3), Health::Down));
    let after = ledger.in_region("shop", "b");
    assert_eq!((weight(after), after.is_returning), (weight(before), true));
    passes(&mut ledger, SECOND * 200, &[origin("shop", 3)]);
    let row = ledger.in_region("shop", "b");
    assert_eq!((weight(row), row.is_returning), (5_000, false));
}

#[test]
fn a_weakened_region_passes_its_excess_on_bit_by_bit_and_takes_it_back_at_once() {
    let mut ledger = scene(FAILOVER, SlowStart::default());
    let lost = [origin("shop", 1)];
    ledger.hear(&probed(lost[0].clone(), Health::Down));
    assert_eq!(weight(ledger.in_region("shop", "a")), 7_136, "but for what a tick moves it keeps all of its clients");
    passes(&mut ledger, SECOND * 10, &lost);
    assert_eq!(weight(ledger.in_region("shop", "a")), 6_422, "a tenth more has gone");
    passes(&mut ledger, SECOND * 90, &lost);
    let row = ledger.in_region("shop", "a");
    assert_eq!((weight(row), row.is_returning), (5_000, false));
    ledger.orders(origin("shop", 2), Action::Weight(BasisPoints::new(5_000)), None).unwrap();
    assert_eq!(weight(ledger.in_region("shop", "a")), 4_993, "time in which nothing moved is no credit");
    ledger.clear_override(&origin("shop", 2)).unwrap();
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
fn a_reload_that_replaces_lost_origins_brings_no_clients_back_sooner() {
    let mut ledger = scene(FAILOVER, SlowStart::default());
    ledger.all_see(of_region("b"), Health::Down);
    passes(&mut ledger, SECOND * 5, &of_region("b"));
    let replaced: Origins<'_> = &[(1, 0, 10), (2, 0, 10), (7, 1, 10), (8, 1, 10), (5, 2, 10), (6, 2, 10)];
    let config = config(&["a", "b", "c"], &[("shop", replaced)]);
    ledger.apply(with(config, FAILOVER, SlowStart::default()), Compiled::default());
    assert_eq!(ledger.in_region("shop", "b").health, Health::Unknown);
    ledger.all_see(vec![origin("shop", 7), origin("shop", 8)], Health::Up);
    let row = ledger.in_region("shop", "b");
    assert_eq!((weight(row), row.is_returning), (1, true));
    passes(&mut ledger, SECOND * 32, &[]);
    assert_eq!(weight(ledger.in_region("shop", "b")), 10_000);
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
fn a_config_that_changes_the_pace_changes_it_for_whoever_is_on_its_way() {
    let mut ledger = scene(Failover { ramp: SECOND * 60, ..FAILOVER }, SlowStart::default());
    ledger.all_see(of_region("b"), Health::Down);
    passes(&mut ledger, SECOND * 5, &of_region("b"));
    ledger.all_see(of_region("b"), Health::Up);
    passes(&mut ledger, SECOND * 10, &[]);
    assert_eq!((weight(ledger.in_region("shop", "b")), weight(ledger.row(&door("b")))), (1, 1));
    let sooner = Failover { hold: Duration::ZERO, region_hold: Duration::ZERO, ramp: SECOND * 20, spill_percent: 10 };
    let config = Config { failover: sooner, ..Config::clone(&ledger.config) };
    ledger.apply(Arc::new(config), Compiled::default());
    assert_eq!((weight(ledger.in_region("shop", "b")), weight(ledger.row(&door("b")))), (3_572, 5_000));
}

#[test]
fn origins_that_join_do_not_make_their_region_look_lost() {
    let slow = SlowStart { window: SECOND * 30, least_percent: 10, aggression: 1 };
    let mut ledger = scene(FAILOVER, slow);
    let more: Vec<(u16, u16, u16)> = (1..=6).map(|port| (port, (port - 1) / 2, 10)).collect();
    let more: Vec<_> = more.into_iter().chain((7..15).map(|port| (port, 0, 10))).collect();
    ledger.apply(with(config(&["a", "b", "c"], &[("shop", &more)]), FAILOVER, slow), Compiled::default());
    let new = |port: u16| origin("shop", port);
    let full = |ledger: &Ledger| weight(ledger.in_region("shop", "a")) == 10_000;
    assert!(full(&ledger), "nobody saw them yet");
    for port in 7..15 {
        ledger.hear(&probed(new(port), Health::Up));
        assert!(full(&ledger), "{port}");
    }
    let row = ledger.row(&new(7));
    assert_eq!((weight(row), row.is_joining), (1_000, true));
    for port in 7..15 {
        ledger.hear(&probed(new(port), Health::Down));
        assert!(full(&ledger), "one that fails while it joins: {port}");
    }
    passes(&mut ledger, SECOND * 20, &(7..15).map(new).collect::<Vec<_>>());
    for port in 7..15 {
        ledger.hear(&probed(new(port), Health::Up));
        assert!(full(&ledger), "{port}");
    }
    assert_eq!(weight(ledger.row(&new(7))), 1_000);
    passes(&mut ledger, SECOND * 15, &[]);
    assert!(full(&ledger));
    passes(&mut ledger, SECOND * 16, &[]);
    assert!(full(&ledger) && !ledger.row(&new(7)).is_joining);
    for port in 7..15 {
        ledger.hear(&probed(new(port), Health::Down));
    }
    passes(&mut ledger, SECOND * 100, &(7..15).map(new).collect::<Vec<_>>());
    assert_eq!(weight(ledger.in_region("shop", "a")), 2_000, "once they took their share they are missed");
}

#[test]
fn origins_that_are_added_before_they_answer_do_not_make_their_region_look_lost() {
    let slow = SlowStart { window: SECOND * 30, least_percent: 10, aggression: 1 };
    let mut ledger = scene(FAILOVER, slow);
    let more: Vec<(u16, u16, u16)> = (1..=6).map(|port| (port, (port - 1) / 2, 10)).collect();
    let more: Vec<_> = more.into_iter().chain((7..15).map(|port| (port, 0, 10))).collect();
    ledger.apply(with(config(&["a", "b", "c"], &[("shop", &more)]), FAILOVER, slow), Compiled::default());
    let new: Vec<_> = (7..15).map(|port| origin("shop", port)).collect();
    let full = |ledger: &Ledger| weight(ledger.in_region("shop", "a")) == 10_000;
    for health in [Health::Down, Health::Up] {
        for one in &new {
            ledger.hear(&probed(one.clone(), health));
            assert!(full(&ledger), "{one}: {health}");
        }
        passes(&mut ledger, SECOND * 20, if health == Health::Up { &[] } else { &new });
        assert!(full(&ledger), "{health}");
    }
    assert!(ledger.row(&new[0]).is_joining);
    passes(&mut ledger, SECOND * 11, &[]);
    assert!(full(&ledger) && !ledger.row(&new[0]).is_joining);
}

#[test]
fn steps_too_small_to_matter_add_up() {
    let mut ledger = scene(ramp(Duration::ZERO), SlowStart::default());
    let key = crate::table::RowKey::PoolRegion("shop".into(), "a".into());
    let first = origin("shop", 1);
    passes(&mut ledger, SECOND, &[]);
    let moved = |ledger: &Ledger| ledger.writer.row(&key).unwrap().moved_at();
    let before = moved(&ledger);
    for percent in (88..100).rev() {
        passes(&mut ledger, SECOND, &[]);
        let belief = crate::fleet::Belief::Weight(BasisPoints::new(percent * 100));
        let weighed = Signal { belief, ..probed(first.clone(), Health::Up) };
        ledger.hear(&weighed);
        assert_eq!(moved(&ledger) == before, percent >= 90, "{percent}");
    }
}

#[test]
fn regions_that_are_started_one_after_the_other_do_not_return_from_anything() {
    let config = Arc::clone(&scene(FAILOVER, SlowStart::default()).config);
    let mut ledger = Ledger::open(config, Compiled::default(), None, Clock::manual(), OverrideList::new());
    let sees = |ledger: &mut Ledger, region: &str, health| ledger.hear(&probed(door(region), health));
    sees(&mut ledger, "a", Health::Up);
    sees(&mut ledger, "b", Health::Down);
    passes(&mut ledger, SECOND * 60, &[]);
    sees(&mut ledger, "b", Health::Up);
    assert_eq!(weight(ledger.row(&door("b"))), 10_000, "it was not there before");
    sees(&mut ledger, "b", Health::Down);
    sees(&mut ledger, "b", Health::Up);
    assert_eq!(weight(ledger.row(&door("b"))), 1, "and now it was");
    passes(&mut ledger, SECOND * 400, &[]);
    let config = Arc::clone(&ledger.config);
    let mut old = Ledger::open(config, Compiled::default(), None, ledger.clock.clone(), OverrideList::new());
    sees(&mut old, "b", Health::Down);
    sees(&mut old, "b", Health::Up);
    assert_eq!(weight(old.row(&door("b"))), 1, "a node that runs for long knows who is lost");
}

#[test]
fn a_node_that_comes_back_with_its_region_holds_it_as_the_others_do() {
    let config = Arc::clone(&scene(FAILOVER, SlowStart::default()).config);
    let anew = || {
        let (config, clock) = (Arc::clone(&config), Clock::manual());
        let mut ledger = Ledger::open(config, Compiled::default(), None, clock, OverrideList::new());
        ledger.was_away();
        ledger
    };
    let shares = |ledger: &Ledger| ["a", "b"].map(|region| weight(ledger.row(&door(region))));
    let mut ledger = anew();
    ledger.all_see(everybody(&ledger), Health::Up);
    assert_eq!(shares(&ledger), [1, 10_000]);
    passes(&mut ledger, SECOND * 299, &[]);
    assert_eq!(shares(&ledger), [1, 10_000]);
    passes(&mut ledger, SECOND * 2, &[]);
    assert_eq!(shares(&ledger), [10_000, 10_000]);
    let mut ledger = anew();
    ledger.orders(door("a"), Action::Up, None).unwrap();
    ledger.all_see(everybody(&ledger), Health::Up);
    assert_eq!(shares(&ledger), [10_000, 10_000], "an operator need not wait");
}
