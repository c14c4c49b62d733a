//! Which seeds are played, and what is said when one breaks a promise.

use super::{picture, run, scenario::Scenario};
use std::{fs, path::Path};

/// How many of them, where nobody says.
const USUALLY: u64 = 3;

/// The seeds of this run.
pub(crate) fn seeds() -> Vec<u64> {
    let number = |name: &str| {
        let text = std::env::var_os(name)?.into_string().ok()?;
        Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
    };
    match number("MERIDIAN_SIM_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("MERIDIAN_SIM_SEEDS").unwrap_or(USUALLY)).collect(),
    }
}

/// Plays a scenario with every seed.
pub(crate) fn holds(scenario: &Scenario) {
    holds_with(scenario, &seeds());
}

/// Plays one that takes long with the first seed alone.
pub(crate) fn holds_once(scenario: &Scenario) {
    holds_with(scenario, &seeds()[..1]);
}

/// Draws the first run, or the first that broke a promise.
fn holds_with(scenario: &Scenario, seeds: &[u64]) {
    let mut is_drawn = false;
    for &seed in seeds {
        let mut outcome = run::play(scenario, seed);
        outcome.breaches.retain(|breach| !scenario.bounds.known.contains(&breach.invariant));
        let is_broken = !outcome.breaches.is_empty();
        if !is_drawn || is_broken {
            is_drawn = true;
            save(scenario, seed, &outcome);
        }
        let texts: Vec<&str> = outcome.breaches.iter().map(|breach| &*breach.text).collect();
        assert!(
            !is_broken,
            "\n{}\nagain: MERIDIAN_SIM_SEED={seed} cargo test --test sim {}\n",
            texts.join("\n"),
            name(scenario)
        );
    }
}

/// As the test of a scenario is called.
fn name(scenario: &Scenario) -> String {
    scenario.name.replace('-', "_")
}

pub(crate) fn save(scenario: &Scenario, seed: u64, outcome: &run::Outcome) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sim");
    fs::create_dir_all(&directory).unwrap();
    let svg = picture::draw(scenario, seed, &outcome.history);
    fs::write(directory.join(format!("{}.svg", scenario.name)), svg).unwrap();
}
