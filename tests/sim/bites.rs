//! Each protection, taken out: what it protects from happens, and the watch says so by name.

use super::{
    plan::Protections,
    run,
    scenario::{self, Scenario},
    watch::Invariant,
};

/// With everything in place the promise is kept; with something taken out it is broken.
fn breaks(scenario: Scenario, invariant: Invariant, take_out: impl FnOnce(&mut Protections)) {
    let before = run::play(&scenario, 1);
    assert!(!before.broke(invariant), "{invariant:?} is broken before anything is taken out");
    let after = run::play(&scenario.with(|scenario| take_out(&mut scenario.plan.protections)), 1);
    let names: Vec<Invariant> = after.breaches.iter().map(|breach| breach.invariant).collect();
    assert!(after.broke(invariant), "{invariant:?} holds without what keeps it; broken are {names:?}");
}

fn pinned(scenario: Scenario) -> Scenario {
    scenario.with(|scenario| scenario.plan.is_pinned = true)
}

#[test]
fn without_hysteresis_verdicts_come_and_go_with_single_answers() {
    breaks(scenario::grey_failure(), Invariant::SteadyVerdicts, |with| {
        (with.rise, with.fall, with.recheck_ms) = (1, 1, with.interval_ms);
    });
}

#[test]
fn without_hold_and_ramp_what_comes_back_cold_falls_again() {
    breaks(pinned(scenario::cold_start()), Invariant::NoRelapse, |with| {
        (with.hold, with.ramp, with.slow_start) = (0, 0, 0);
    });
}

#[test]
fn without_slow_start_cold_origins_fall_again_beside_warm_ones() {
    breaks(pinned(scenario::partial_loss()), Invariant::NoRelapse, |with| with.slow_start = 0);
}

#[test]
fn without_a_hold_clients_follow_whoever_flaps() {
    breaks(pinned(scenario::flapping()), Invariant::NoOscillation, |with| {
        (with.hold, with.ramp, with.slow_start) = (0, 0, 0);
    });
}

#[test]
fn without_a_limit_on_spill_neighbours_are_rushed() {
    // Where regions say what they are built for, what is left is filled first.
    let unsaid = scenario::deep_loss().with(|scenario| scenario.plan.protections.says_capacity = false);
    breaks(unsaid, Invariant::NotRushed, |with| with.spill_percent = 0);
}

#[test]
fn without_a_stated_capacity_a_neighbour_takes_more_than_it_carries() {
    breaks(scenario::pinned(), Invariant::NoCascade, |with| with.says_capacity = false);
}
