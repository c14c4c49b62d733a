//! The table, and where it and the picture go.

use std::{fmt::Write, fs, path::Path};

use crate::{
    idle::Idle,
    measure::{Sample, median},
    picture::picture,
    proxies::PROXIES,
};

/// What was measured: by scene and proxy, samples by round; bytes of each idle connection by proxy.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) scenes: Vec<(&'static str, Vec<Vec<Sample>>)>,
    pub(crate) idle: Vec<(Idle, Vec<f64>)>,
}

/// The ratio to the first proxy.
pub(crate) struct Ratio {
    /// The median of each round's.
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

pub(crate) fn write(folder: &Path, results: &Results) {
    let table = table(results);
    println!("{table}");
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("peers.md"), &table).unwrap();
    fs::write(folder.join("peers.svg"), picture(results)).unwrap();
    println!("written to {}", folder.display());
}

pub(crate) fn ratio(samples: &[Vec<Sample>], proxy: usize) -> Ratio {
    let each: Vec<f64> = samples[proxy].iter().zip(&samples[0]).map(|(own, first)| own.cpu / first.cpu).collect();
    Ratio {
        low: each.iter().copied().fold(f64::INFINITY, f64::min),
        high: each.iter().copied().fold(0.0, f64::max),
        median: median(each.into_iter()),
    }
}

fn table(results: &Results) -> String {
    let mut text = String::new();
    if !results.scenes.is_empty() {
        text += "| scene | proxy | CPU µs per request, min / median | ÷ HAProxy, median (low–high) | p50 / p99 ms | RSS MiB |\n\
                 |---|---|---|---|---|---|\n";
    }
    for (scene, samples) in &results.scenes {
        for (proxy, name) in PROXIES.iter().enumerate() {
            let own = &samples[proxy];
            let least = own.iter().map(|sample| sample.cpu).fold(f64::INFINITY, f64::min);
            let middle = |of: fn(&Sample) -> f64| median(own.iter().map(of));
            let Ratio { median, low, high } = ratio(samples, proxy);
            // A string takes every write.
            _ = writeln!(
                text,
                "| {scene} | {name} | {least:.1} / {:.1} | {median:.2} ({low:.2}–{high:.2}) | {:.2} / {:.2} | {:.0} |",
                middle(|sample| sample.cpu),
                middle(|sample| sample.p50_ms),
                middle(|sample| sample.p99_ms),
                middle(|sample| sample.resident_mib),
            );
        }
    }
    if !results.idle.is_empty() {
        _ = writeln!(text, "\n| bytes of memory per connection | {} |\n|---|---|---|---|", PROXIES.join(" | "));
    }
    for (idle, bytes) in &results.idle {
        let each: Vec<String> = bytes.iter().map(|bytes| format!("{bytes:.0}")).collect();
        _ = writeln!(text, "| {}, {} of them | {} |", idle.name, idle.connections, each.join(" | "));
    }
    text
}
