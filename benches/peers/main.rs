//! meridian beside HAProxy and nginx: CPU time per request and memory per idle connection, with equal settings, in interleaved rounds.
//!
//! `cargo bench --bench peers` needs `haproxy`, `nginx`, `wrk` and `h2load` (Debian: haproxy nginx-light wrk nghttp2-client). It
//! pins each proxy, with one worker, to the first core, and the origin and the load generator to the second. `-- TLS` plays only the scenes
//! with that in their name, `--rounds N` and `--seconds N` say how much, `--test` makes it tiny. It writes `peers.md` and `peers.svg` to
//! `target/peers/`.
//!
//! CPU is user and system time of all threads of the proxy, divided by the requests that were answered. The ratio is the median of each
//! round's ratio to HAProxy in the same round, so that what the machine does besides hits both.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program for people: it reports, and stops where something is not as it should be"
)]

mod certificate;
mod h2load;
mod handshakes;
mod idle;
mod load;
mod measure;
mod picture;
mod proxies;
mod report;
mod settings;
mod wrk;

use std::{env, path::Path, process::ExitCode};

use idle::Idle;
use load::Scene;
use measure::Sample;
use proxies::{Farm, PROXIES};

/// How much to measure.
struct Plan {
    rounds: usize,
    seconds: f64,
    /// Part of a scene's name.
    only: Option<String>,
    is_tiny: bool,
}

impl Plan {
    fn from_arguments(arguments: &[String]) -> Self {
        let is_tiny = arguments.iter().any(|argument| argument == "--test");
        let (mut rounds, mut seconds) = if is_tiny { (1, 1.0) } else { (6, 3.0) };
        let mut only = None;
        let mut left = arguments.iter();
        while let Some(argument) = left.next() {
            let mut value = || left.next().unwrap_or_else(|| panic!("`{argument}` needs a value"));
            match argument.as_str() {
                "--rounds" => rounds = value().parse().expect("a number of rounds"),
                "--seconds" => seconds = value().parse().expect("a number of seconds"),
                // The second is what `cargo bench` says.
                "--test" | "--bench" => {}
                unknown if unknown.starts_with('-') => panic!("there is no `{unknown}`"),
                part => only = Some(part.to_lowercase()),
            }
        }
        Self { rounds, seconds, only, is_tiny }
    }

    fn wants(&self, scene: &str) -> bool {
        self.only.as_deref().is_none_or(|only| scene.to_lowercase().contains(only))
    }

    /// Each proxy's samples, by round.
    fn play(&self, scene: &Scene, farm: &Farm) -> Vec<Vec<Sample>> {
        let mut samples: Vec<Vec<Sample>> = PROXIES.iter().map(|_| Vec::new()).collect();
        for round in 0..=self.rounds {
            eprint!("\r{}: round {round} of {}  ", scene.name, self.rounds);
            for (proxy, samples) in farm.proxies.iter().zip(&mut samples) {
                let sample = measure::run(proxy, scene, self.seconds, farm.folder());
                // The first round only warms up.
                if round > 0 {
                    samples.push(sample);
                }
            }
        }
        eprintln!();
        samples
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some((handshakes::CLIENT, rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        handshakes::client(rest);
        return ExitCode::SUCCESS;
    }
    let plan = Plan::from_arguments(&arguments);
    let missing = proxies::missing();
    if !missing.is_empty() {
        eprintln!(
            "peers: {} not found; on Debian: apt-get install haproxy nginx-light wrk nghttp2-client",
            missing.join(", ")
        );
        return ExitCode::FAILURE;
    }
    let mut results = report::Results::default();
    let farm = Farm::start();
    for scene in Scene::ALL.iter().filter(|scene| plan.wants(scene.name)) {
        results.scenes.push((scene.name, plan.play(scene, &farm)));
    }
    drop(farm);
    for idle in Idle::both(plan.is_tiny).into_iter().filter(|idle| plan.wants(idle.name)) {
        let bytes = idle.bytes();
        results.idle.push((idle, bytes));
    }
    if results.scenes.is_empty() && results.idle.is_empty() {
        eprintln!("peers: no scene has `{}` in its name", plan.only.unwrap_or_default());
        return ExitCode::FAILURE;
    }
    report::write(Path::new("target/peers"), &results);
    ExitCode::SUCCESS
}
