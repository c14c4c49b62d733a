//! The tables, and where they and the picture go.

use std::{fmt::Write, fs, path::Path};

use crate::{
    measure::{Ratio, median},
    picture::{Bar, Group, Picture},
    sample::Sample,
    servers::SERVERS,
};

const COLOURS: [&str; 5] = ["#8a8f98", "#3c8d5a", "#b3763a", "#c9ccd1", "#2f6fdb"];

/// Whom the others are compared to; the first is the picture's measure.
const MEASURES: [&str; 3] = ["gdnsd", "Knot", "echo"];

/// The samples of one scene: of each server by round, and none where it had no part.
pub(crate) type Played = (&'static str, Vec<Vec<Sample>>);

/// What was measured.
#[derive(Default)]
pub(crate) struct Results {
    /// Beside the peers, by server.
    pub(crate) beside_peers: Vec<Played>,
    /// Of meridian with little to know, and with much.
    pub(crate) beside_small: Option<[Vec<Sample>; 2]>,
    /// What it was all measured with.
    pub(crate) said: String,
}

pub(crate) fn write(folder: &Path, results: &Results) {
    let text = text(results);
    println!("{text}");
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("dns.md"), &text).unwrap();
    fs::write(folder.join("dns.svg"), picture(results).svg()).unwrap();
    println!("written to {}", folder.display());
}

/// Both have samples.
fn ratio(own: &[Sample], other: &[Sample], value: fn(&Sample) -> f64) -> Option<Ratio> {
    (!own.is_empty() && !other.is_empty()).then(|| Ratio::of(own, other, value))
}

fn measure<'a>(samples: &'a [Vec<Sample>], name: &str) -> &'a [Sample] {
    SERVERS.iter().position(|server| *server == name).map_or(&[], |at| &samples[at])
}

fn text(results: &Results) -> String {
    let mut text = format!("{}\n", results.said);
    if !results.beside_peers.is_empty() {
        text += "| scene | server | CPU µs per query, min / median | user µs, min / median | ÷ gdnsd, median (low–high) | ÷ Knot | ÷ echo | \
                 user ÷ gdnsd | queries/s | of its core | p50 / p99 ms | RSS MiB |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    }
    for (scene, samples) in &results.beside_peers {
        for (server, own) in SERVERS.iter().zip(samples).filter(|(_, own)| !own.is_empty()) {
            let [first, second, third] = MEASURES.map(|name| ratio(own, measure(samples, name), |sample| sample.cpu));
            let user = ratio(own, measure(samples, MEASURES[0]), |sample| sample.user);
            let ratios = [spread(first), middle(second), middle(third), middle(user)].join(" | ");
            // A string takes every write.
            _ = writeln!(text, "| {scene} | {server} | {} | {ratios} | {} |", costs(own), rest(own));
        }
    }
    if let Some(both @ [small, _]) = &results.beside_small {
        text += "\n| meridian | CPU µs per query, min / median | user µs, min / median | ÷ small, median (low–high) | queries/s | of its core | \
                 p50 / p99 ms | RSS MiB |\n|---|---|---|---|---|---|---|---|\n";
        for (size, own) in ["small", "large"].iter().zip(both) {
            let ratio = spread(ratio(own, small, |sample| sample.cpu));
            _ = writeln!(text, "| {size} | {} | {ratio} | {} |", costs(own), rest(own));
        }
    }
    text
}

/// CPU and its part in user mode.
fn costs(own: &[Sample]) -> String {
    let both = |of: fn(&Sample) -> f64| {
        let least = own.iter().map(of).fold(f64::INFINITY, f64::min);
        format!("{least:.2} / {:.2}", median(own.iter().map(of)))
    };
    format!("{} | {}", both(|sample| sample.cpu), both(|sample| sample.user))
}

/// What is no cost and no ratio.
fn rest(own: &[Sample]) -> String {
    let middle = |of: fn(&Sample) -> f64| median(own.iter().map(of));
    let p50 = middle(|sample| sample.p50_ms);
    let latency = if p50.is_nan() {
        // At full speed it would say how long the queue is.
        "–".to_owned()
    } else {
        format!("{p50:.3} / {:.3}", middle(|sample| sample.p99_ms))
    };
    format!(
        "{:.0} | {:.0} % | {latency} | {:.0}",
        middle(|sample| sample.rate),
        middle(|sample| sample.busy) * 100.0,
        middle(|sample| sample.resident_mib),
    )
}

fn spread(ratio: Option<Ratio>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |Ratio { median, low, high }| format!("{median:.2} ({low:.2}–{high:.2})"))
}

fn middle(ratio: Option<Ratio>) -> String {
    ratio
        .filter(|ratio| ratio.median.is_finite())
        .map_or_else(|| "–".to_owned(), |ratio| format!("{:.2}", ratio.median))
}

fn picture(results: &Results) -> Picture<'static> {
    let groups = results.beside_peers.iter().map(|(scene, samples)| {
        let bar = |own: &Vec<Sample>| {
            let ratio = ratio(own, measure(samples, MEASURES[0]), |sample| sample.cpu)?;
            Some(Bar { ratio, label: format!("{:.2}", ratio.median) })
        };
        Group { title: (*scene).to_owned(), bars: samples.iter().map(bar).collect() }
    });
    Picture {
        title: "CPU time per query ÷ gdnsd; less is better",
        names: &SERVERS,
        colours: &COLOURS,
        groups: groups.collect(),
        // One that needs six times as much would leave the others no room.
        cut: 2.5,
    }
}
