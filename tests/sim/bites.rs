//! Each protection, taken out: what it protects from happens, and the watch says so by name.

use super::{
    run,
    scenario::{self, Scenario},
    watch::Invariant,
};

/// Plays it until a seed breaks the promise.
fn breaks(scenario: &Scenario, invariant: Invariant) {
    let outcome = run::play(scenario, 1);
    let names: Vec<Invariant> = outcome.breaches.iter().map(|breach| breach.invariant).collect();
    assert!(outcome.broke(invariant), "{invariant:?} holds without what keeps it; broken are {names:?}");
}

#[test]
fn without_hysteresis_verdicts_come_and_go_with_single_answers() {
    let scenario = scenario::grey_failure().with(|scenario| {
        let protections = &mut scenario.plan.protections;
        (protections.rise, protections.fall, protections.recheck_ms) = (1, 1, protections.interval_ms);
    });
    breaks(&scenario, Invariant::SteadyVerdicts);
}

#[test]
fn without_hold_ramp_and_slow_start_what_comes_back_cold_falls_again() {
    breaks(&scenario::cold_start().with(returns_at_once), Invariant::NoRelapse);
}

#[test]
fn without_a_hold_clients_follow_whoever_flaps() {
    breaks(&scenario::flapping().with(returns_at_once), Invariant::NoOscillation);
}

#[test]
fn without_a_limit_on_spill_neighbours_are_rushed() {
    breaks(
        &scenario::partial_loss().with(|scenario| scenario.plan.protections.spill_percent = 0),
        Invariant::NotRushed,
    );
}

#[test]
fn without_a_stated_capacity_a_neighbour_takes_more_than_it_carries() {
    breaks(&scenario::tight().with(|scenario| scenario.plan.protections.says_capacity = false), Invariant::NoCascade);
}

fn returns_at_once(scenario: &mut Scenario) {
    let protections = &mut scenario.plan.protections;
    (protections.hold, protections.region_hold, protections.ramp, protections.slow_start) = (0, 0, 0, 0);
}
