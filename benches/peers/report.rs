//! The table, and where it and the picture go.

use std::{fmt::Write, fs, path::Path};

use crate::{
    idle::Idle,
    measure::{Ratio, median},
    picture::{Bar, Group, Picture},
    proxies::PROXIES,
    sample::Sample,
};

const COLOURS: [&str; 3] = ["#8a8f98", "#3c8d5a", "#2f6fdb"];

/// What was measured: by scene and proxy, samples by round; bytes of each idle connection by proxy.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) scenes: Vec<(&'static str, Vec<Vec<Sample>>)>,
    pub(crate) idle: Vec<(Idle, Vec<f64>)>,
}

pub(crate) fn write(folder: &Path, results: &Results) {
    let table = table(results);
    println!("{table}");
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("peers.md"), &table).unwrap();
    fs::write(folder.join("peers.svg"), picture(results).svg()).unwrap();
    println!("written to {}", folder.display());
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
            let Ratio { median, low, high } = Ratio::of(own, &samples[0], |sample| sample.cpu);
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

/// Everything divided by the first proxy's.
fn picture(results: &Results) -> Picture<'static> {
    let scenes = results.scenes.iter().map(|(name, samples)| {
        let bar = |own: &Vec<Sample>| {
            let ratio = Ratio::of(own, &samples[0], |sample| sample.cpu);
            Some(Bar { ratio, label: format!("{:.2}", ratio.median) })
        };
        Group { title: (*name).to_owned(), bars: samples.iter().map(bar).collect() }
    });
    let idle = results.idle.iter().map(|(idle, bytes)| {
        let bar = |own: &f64| {
            let ratio = own / bytes[0];
            let ratio = Ratio { median: ratio, low: ratio, high: ratio };
            Some(Bar { ratio, label: format!("{:.1}", own / 1000.0) })
        };
        Group { title: format!("{}, kB", idle.name), bars: bytes.iter().map(bar).collect() }
    });
    Picture {
        title: "CPU time per request, memory per idle connection ÷ HAProxy; less is better",
        names: &PROXIES,
        colours: &COLOURS,
        groups: scenes.chain(idle).collect(),
        cut: f64::INFINITY,
    }
}
