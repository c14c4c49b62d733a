//! meridian beside gdnsd, Knot and PowerDNS, and beside a server that only echoes: CPU time per query, with equal settings, in
//! interleaved rounds.
//!
//! `cargo bench --bench dns_peers` needs `gdnsd`, `knotd` and `pdns_server` (Debian: gdnsd knot knot-module-geoip pdns-server
//! pdns-backend-geoip). It pins each server, with one thread, to the first core, and its own load generator to the second. `-- TCP` plays
//! only the scenes with that in their name, `--rounds N` and `--seconds N` say how much, `--test` makes it tiny. It writes `dns.md` and
//! `dns.svg` to `target/peers/`.
//!
//! CPU is user and system time of all threads of the server, divided by the queries that were answered. A ratio is the median of each
//! round's ratio to the other server in the same round, so that what the machine does besides hits both. At full speed the client keeps a
//! window of queries under way; what a server had of its core says whether that was enough to fill it. The part in user mode comes from the
//! kernel's ticks of 10 ms: it says little of a round of less than a second, or at a fixed rate.
//!
//! Every server is looked at before it is measured: static names have to lead where they should, and the steered one, for peers, to the region
//! of each client's place. While it is measured every answer has to be one, and one of 256 is looked at thoroughly.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program for people: it reports, and stops where something is not as it should be"
)]

mod batch;
mod check;
mod client;
mod database;
mod echo;
#[path = "../peers/measure.rs"]
mod measure;
#[path = "../peers/picture.rs"]
mod picture;
mod places;
#[path = "../peers/plan.rs"]
mod plan;
#[path = "../peers/process.rs"]
mod process;
mod question;
mod report;
mod sample;
mod scenes;
mod servers;
mod settings;
mod streams;
mod window;

use std::{env, path::Path, process::ExitCode};

use plan::Plan;
use report::Results;
use sample::Sample;
use scenes::{BESIDE_PEERS, BESIDE_SMALL, Over, Scene};
use servers::{Farm, SERVERS, Server};

/// What there is to know.
struct Size {
    /// Static names.
    names: u32,
    /// Ranges of addresses in the database.
    ranges: u32,
}

impl Size {
    const SMALL: Self = Self { names: 1_000, ranges: 10_000 };
    const LARGE: Self = Self { names: 100_000, ranges: 1_000_000 };
    /// The large one of a tiny run.
    const TINY: Self = Self { names: 2_000, ranges: 20_000 };
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == client::CLIENT => {
            client::client(rest);
            return ExitCode::SUCCESS;
        }
        Some((first, rest)) if first == echo::SERVER => echo::server(rest),
        _ => {}
    }
    let plan = Plan::from_arguments(&arguments, 0.2);
    let missing = process::missing(&servers::PROGRAMS);
    if !missing.is_empty() {
        eprintln!(
            "dns_peers: {} not found; on Debian: apt-get install gdnsd knot knot-module-geoip pdns-server pdns-backend-geoip",
            missing.join(", ")
        );
        return ExitCode::FAILURE;
    }
    let large = if plan.is_tiny { Size::TINY } else { Size::LARGE };
    let mut results = Results { said: said(&large), ..Results::default() };
    let farm = Farm::new();
    let wanted: Vec<&Scene> = BESIDE_PEERS.iter().filter(|scene| plan.wants(scene.name)).collect();
    if !wanted.is_empty() {
        let servers = farm.start(&SERVERS, Size::SMALL.names, Size::SMALL.ranges);
        for scene in wanted {
            results.beside_peers.push((scene.name, play(&plan, scene, &servers)));
        }
    }
    if plan.wants(BESIDE_SMALL.name) {
        let mut both = farm.start(&["meridian"], Size::SMALL.names, Size::SMALL.ranges);
        both.extend(farm.start(&["meridian"], large.names, large.ranges));
        results.beside_small = play(&plan, &BESIDE_SMALL, &both).try_into().ok();
    }
    if results.beside_peers.is_empty() && results.beside_small.is_none() {
        eprintln!("dns_peers: no scene has `{}` in its name", plan.only.unwrap_or_default());
        return ExitCode::FAILURE;
    }
    report::write(Path::new("target/peers"), &results);
    ExitCode::SUCCESS
}

fn play(plan: &Plan, scene: &Scene, servers: &[Server]) -> Vec<Vec<Sample>> {
    let measure = |server: &Server, seconds| {
        // The echo server has no TCP.
        let has_part = server.name != "echo" || scene.over != Over::Tcp;
        has_part.then(|| sample::run(server, scene, seconds))
    };
    let samples = plan.play(scene.name, servers, measure);
    if plan.is_tiny {
        println!("Testing {}\nSuccess", scene.name);
    }
    samples.into_iter().map(|samples| samples.into_iter().flatten().collect()).collect()
}

/// Settings and sizes, for who reads the figures.
fn said(large: &Size) -> String {
    let Size { names, ranges } = Size::SMALL;
    format!(
        "{names} static names and a steered one, {ranges} ranges of addresses; large: {} and {}. The steered name is asked by {} % of the \
         queries where the scene does not say otherwise; every client subnet is a random /24. UDP: {} queries under way, sent by {}; TCP: {} \
         connections with {} under way on each.\n\n{}",
        large.names,
        large.ranges,
        scenes::STEERED_PERCENT,
        client::WINDOW,
        batch::WIDTH,
        streams::CONNECTIONS,
        streams::PIPELINED,
        settings::SAID,
    )
}
