//! The scenarios, each with its seeds.

use super::{
    run, scenario,
    seeds::{holds, holds_once},
    watch::Invariant,
};

#[test]
fn region_loss() {
    holds(&scenario::region_loss());
}

#[test]
fn region_loss_by_default() {
    holds_once(&scenario::region_loss_by_default());
}

#[test]
fn region_flaps() {
    holds(&scenario::region_flaps());
}

#[test]
fn cold_start() {
    holds(&scenario::cold_start());
}

#[test]
fn flapping() {
    holds(&scenario::flapping());
}

#[test]
fn slow_death() {
    holds(&scenario::slow_death());
}

#[test]
fn grey_failure() {
    holds(&scenario::grey_failure());
}

#[test]
fn partial_loss() {
    holds(&scenario::partial_loss());
}

#[test]
fn busy_loss() {
    holds(&scenario::busy_loss());
}

#[test]
fn tight() {
    holds(&scenario::tight());
}

#[test]
fn deep_loss() {
    holds(&scenario::deep_loss());
}

#[test]
fn pinned() {
    holds(&scenario::pinned());
}

#[test]
fn blind_node() {
    holds(&scenario::blind_node());
}

#[test]
fn three_regions() {
    holds(&scenario::three_regions());
}

#[test]
fn many_regions() {
    holds_once(&scenario::many_regions());
}

#[test]
fn the_same_seed_is_the_same_run_and_another_is_another() {
    let scenario = scenario::cold_start().with(|scenario| scenario.seconds = 90);
    let digest = |seed| run::play(&scenario, seed).history.digest();
    assert_eq!(digest(7), digest(7));
    assert_ne!(digest(7), digest(8));
}

/// What a node believed to be down in the moment before it doubted its eyes, and believes again, did not fail: it does not start slowly.
#[test]
fn what_was_doubted_late_has_all_of_its_share() {
    const SEED: u64 = 15;
    let outcome = run::play(&scenario::blind_node(), SEED);
    assert!(!outcome.broke(Invariant::NoCascade), "seed {SEED}");
}
