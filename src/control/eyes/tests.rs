use std::sync::Arc;

use super::*;
use crate::{
    config::{Config, Failover},
    control::{
        overrides::Action,
        scene::{config, door, everybody, of_region, origin, probed, three_regions},
    },
    fleet::{RegionId, Signal},
    table::Compiled,
};

#[test]
fn one_region_that_dies_is_believed_at_once() {
    for region in ["a", "b", "c"] {
        let mut ledger = three_regions();
        ledger.all_see(of_region(region), Health::Down);
        assert!(of_region(region).iter().all(|subject| ledger.row(subject).health == Health::Down));
        assert_eq!(ledger.in_region("shop", region).health, Health::Down);
    }
}

#[test]
fn a_node_that_sees_everything_die_keeps_the_world_and_marks_it_stale() {
    let mut ledger = three_regions();
    ledger.all_see(everybody(&ledger), Health::Down);
    for subject in everybody(&ledger) {
        let row = ledger.row(&subject);
        assert_eq!((row.health, row.is_stale), (Health::Up, true), "{subject}");
    }
    assert!(["a", "b", "c"].iter().all(|region| ledger.in_region("shop", region).is_usable()));
    assert!(ledger.in_region("shop", "a").is_stale && ledger.doubt.is_there());
    ledger.all_see(everybody(&ledger), Health::Up);
    assert!(!ledger.suspicion.is_active() && !ledger.doubt.is_there());
    assert!(everybody(&ledger).iter().all(|subject| !ledger.row(subject).is_stale));
}

#[test]
fn a_node_that_sees_everything_die_holds_no_region_as_lost_for_an_origin_that_is_dead() {
    let mut ledger = three_regions();
    let failover = Failover { hold: Duration::from_secs(30), ..Failover::default() };
    ledger.apply(Arc::new(Config { failover, ..Config::clone(&ledger.config) }), Compiled::default());
    let dead = origin("shop", 1);
    ledger.all_see(vec![dead.clone()], Health::Down);
    ledger.waits(3_000);
    let living: Vec<_> = everybody(&ledger).into_iter().filter(|subject| *subject != dead).collect();
    ledger.all_see(living.clone(), Health::Up);
    ledger.all_see(vec![dead.clone()], Health::Down);
    let before = ledger.in_region("shop", "a");
    ledger.all_see(living.clone(), Health::Down);
    let row = ledger.in_region("shop", "a");
    assert!(row.is_usable() && row.is_stale && !row.is_returning, "{row:?}");
    assert!(ledger.suspicion.is_active());
    ledger.all_see(living, Health::Up);
    let row = ledger.in_region("shop", "a");
    assert_eq!((row.is_returning, row.weight), (false, before.weight));
}

#[test]
fn two_regions_that_die_are_left_soon_because_the_third_answers() {
    let mut ledger = three_regions();
    ledger.all_see([of_region("a"), of_region("b")].concat(), Health::Down);
    assert!(ledger.in_region("shop", "a").is_usable());
    ledger.all_see(of_region("c"), Health::Up);
    ledger.waits(2_300);
    assert_eq!(["a", "b", "c"].map(|region| ledger.in_region("shop", region).is_usable()), [false, false, true]);
    assert_eq!(ledger.row(&door("a")).health, Health::Down);
}

#[test]
fn the_death_of_everything_is_believed_in_the_end() {
    let mut ledger = three_regions();
    ledger.all_see(everybody(&ledger), Health::Down);
    for _ in 0..29 {
        ledger.waits(1_000);
        ledger.all_see(everybody(&ledger), Health::Down);
    }
    assert!(ledger.row(&door("c")).is_usable());
    ledger.waits(1_000);
    assert!(everybody(&ledger).iter().all(|subject| ledger.row(subject).health == Health::Down));
}

#[test]
fn doubt_survives_a_reload() {
    let mut ledger = three_regions();
    ledger.all_see(everybody(&ledger), Health::Down);
    ledger.apply(Arc::clone(&ledger.config), Compiled::default());
    assert!(ledger.suspicion.is_active() && ledger.row(&door("a")).is_stale);
    ledger.waits(30_000);
    assert_eq!(ledger.row(&door("a")).health, Health::Down);
}

#[test]
fn a_reload_while_the_world_falls_does_not_make_the_node_forget_what_fell_before() {
    let mut ledger = three_regions();
    ledger.all_see(of_region("a"), Health::Down);
    // Everybody has another place in the lists now.
    let origins = [(0, 1, 10), (1, 1, 10), (2, 1, 10), (3, 2, 10), (4, 2, 10), (5, 3, 10), (6, 3, 10)];
    let mut larger = config(&["0", "a", "b", "c"], &[("shop", &origins)]);
    larger.node.region = RegionId(1);
    ledger.apply(Arc::new(larger), Compiled::default());
    ledger.waits(500);
    ledger.all_see([of_region("b"), of_region("c")].concat(), Health::Down);
    assert!(ledger.suspicion.is_active());
    assert!(ledger.row(&door("a")).is_usable() && ledger.row(&door("a")).is_stale);
}

#[test]
fn what_fell_before_a_reload_is_not_held_against_the_node_for_longer() {
    let mut ledger = three_regions();
    ledger.all_see(of_region("a"), Health::Down);
    ledger.apply(Arc::clone(&ledger.config), Compiled::default());
    ledger.waits(2_500);
    ledger.all_see(of_region("b"), Health::Down);
    assert!(!ledger.suspicion.is_active(), "deaths apart in time");
}

#[test]
fn an_operator_is_believed_even_while_the_node_doubts_itself() {
    let mut ledger = three_regions();
    ledger.all_see(everybody(&ledger), Health::Down);
    ledger.orders(door("b"), Action::Down, None).unwrap();
    let row = ledger.row(&door("b"));
    assert_eq!((row.health, row.is_forced, row.is_stale), (Health::Down, true, false));
}

#[test]
fn what_was_said_of_a_failure_is_not_said_of_what_is_up_again() {
    let mut ledger = three_regions();
    let everybody = everybody(&ledger);
    for subject in &everybody {
        let said = Some("no answer in time".into());
        ledger.hear(&Signal { said, ..probed(subject.clone(), Health::Down) });
    }
    assert!(ledger.suspicion.is_active());
    ledger.all_see(everybody, Health::Up);
    assert!(ledger.roster.entries.iter().all(|entry| entry.beliefs.view(Source::Probe).said.is_none()));
}

#[test]
fn what_fell_and_was_not_believed_at_first_failed_over_once() {
    let mut ledger = three_regions();
    let first = everybody(&ledger).swap_remove(0);
    let at = ledger.roster.find(&first).unwrap();
    ledger.hear(&probed(first.clone(), Health::Down));
    assert_eq!(ledger.row(&first).health, Health::Down);
    ledger.all_see(everybody(&ledger), Health::Down);
    assert!(ledger.row(&first).is_usable());
    ledger.waits(30_000);
    assert_eq!(ledger.row(&first).health, Health::Down);
    let entry = &mut ledger.roster.entries[at];
    assert_eq!(entry.failed_over(Health::Up, Duration::from_mins(1)), None, "as if it fell again just now");
}

#[test]
fn an_ejection_counts_as_a_failover_once_the_check_fails_too() {
    let mut ledger = three_regions();
    let at = ledger.roster.find(&origin("shop", 1)).unwrap();
    let ejected = Signal { source: Source::Traffic, ..probed(origin("shop", 1), Health::Down) };
    ledger.waits(500);
    ledger.hear(&ejected);
    let entry = &mut ledger.roster.entries[at];
    let half = Duration::from_millis(500);
    assert_eq!((entry.merged.state.health, entry.left_after), (Health::Down, Some(half)), "the check has not spoken");
    entry.beliefs.hear(Source::Probe, Belief::Health(Health::Down), Ticks(99));
    assert_eq!(
        entry.failed_over(Health::Down, Duration::from_secs(9)),
        Some(half),
        "until the row said so, not until the check did"
    );
    assert_eq!(entry.failed_over(Health::Down, Duration::from_secs(9)), None, "and once");
    ledger.hear(&probed(origin("shop", 1), Health::Up));

    ledger.waits(10_000);
    ledger.hear(&ejected);
    ledger.hear(&probed(origin("shop", 1), Health::Up));
    assert_eq!(ledger.roster.entries[at].left_after, None, "what the check goes on finding good did not fail over");
}
