//! meridian beside HAProxy and nginx: CPU time per request, with equal settings, in interleaved rounds.
//!
//! `cargo bench --bench peers` needs `haproxy`, `nginx`, `wrk` and `h2load` (Debian: haproxy nginx-light wrk nghttp2-client). It
//! pins each proxy, with one worker, to the first core, and the origin and the load generator to the second. `--rounds N` and `--seconds N` say
//! how much, `--scene NAME` which one, `--test` makes it tiny. It writes `peers.md` and `peers.svg` to `target/peers/`.
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

mod idle;
mod load;
mod measure;
mod proxies;
mod report;

use std::{env, path::Path, process::ExitCode};

use load::Scene;
use measure::Sample;
use proxies::{Farm, PROXIES};

/// How much to measure.
struct Plan {
    rounds: usize,
    seconds: f64,
    only: Option<String>,
    idle_connections: usize,
}

impl Plan {
    fn from_arguments() -> Self {
        let arguments: Vec<String> = env::args().collect();
        let value =
            |name: &str| arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
        let is_tiny = arguments.iter().any(|argument| argument == "--test");
        let number = |name: &str, otherwise: f64| value(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise);
        Self {
            rounds: number("--rounds", if is_tiny { 1.0 } else { 6.0 }) as usize,
            seconds: number("--seconds", if is_tiny { 1.0 } else { 3.0 }),
            only: value("--scene").cloned(),
            idle_connections: if is_tiny { 200 } else { 9_000 },
        }
    }

    fn wants(&self, scene: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == scene)
    }
}

fn main() -> ExitCode {
    let plan = Plan::from_arguments();
    let missing = proxies::missing();
    if !missing.is_empty() {
        eprintln!(
            "peers: {} not found; on Debian: apt-get install haproxy nginx-light wrk nghttp2-client",
            missing.join(", ")
        );
        return ExitCode::FAILURE;
    }
    let farm = Farm::start();
    let mut rows = Vec::new();
    for scene in Scene::ALL.iter().filter(|scene| plan.wants(scene.name)) {
        let mut samples: Vec<Vec<Sample>> = PROXIES.iter().map(|_| Vec::new()).collect();
        for round in 0..=plan.rounds {
            eprint!("\r{}: round {round} of {}  ", scene.name, plan.rounds);
            for (proxy, samples) in farm.proxies.iter().zip(&mut samples) {
                let sample = measure::run(proxy, scene, plan.seconds);
                // The first round only warms up.
                if round > 0 {
                    samples.push(sample);
                }
            }
        }
        eprintln!();
        rows.push((scene.name, samples));
    }
    let idle: Option<Vec<f64>> = plan
        .wants("idle")
        .then(|| farm.proxies.iter().map(|proxy| idle::bytes(proxy, plan.idle_connections)).collect());
    report::write(Path::new("target/peers"), &rows, idle.as_deref().map(|bytes| (plan.idle_connections, bytes)));
    ExitCode::SUCCESS
}
