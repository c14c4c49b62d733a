use std::sync::Arc;

use super::*;
use crate::{
    control::{
        overrides::Action,
        scene::{door, everybody, of_region, probed, three_regions},
    },
    fleet::Signal,
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
