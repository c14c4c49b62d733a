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
mod plan;
mod process;
mod proxies;
mod report;
mod sample;
mod settings;
mod wrk;

use std::{env, path::Path, process::ExitCode};

use idle::Idle;
use load::Scene;
use plan::Plan;
use proxies::Farm;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some((handshakes::CLIENT, rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        handshakes::client(rest);
        return ExitCode::SUCCESS;
    }
    let plan = Plan::from_arguments(&arguments, 1.0);
    let missing = process::missing(&proxies::PROGRAMS);
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
        let measure = |proxy: &_, seconds| sample::run(proxy, scene, seconds, farm.folder());
        results.scenes.push((scene.name, plan.play(scene.name, &farm.proxies, measure)));
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
