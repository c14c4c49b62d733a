//! The table and the picture.

use std::{fmt::Write, fs, path::Path};

use crate::{
    measure::{Sample, median},
    proxies::PROXIES,
};

type Row = (&'static str, Vec<Vec<Sample>>);

pub(crate) fn write(folder: &Path, rows: &[Row], idle: Option<(usize, &[f64])>) {
    let (table, picture) = (table(rows, idle), picture(rows));
    println!("{table}");
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("peers.md"), &table).unwrap();
    fs::write(folder.join("peers.svg"), picture).unwrap();
    println!("written to {}", folder.display());
}

/// The median of each round's ratio to the first proxy, with the smallest and the largest.
fn ratios(samples: &[Vec<Sample>], proxy: usize) -> (f64, f64, f64) {
    let each: Vec<f64> = samples[proxy].iter().zip(&samples[0]).map(|(own, first)| own.cpu / first.cpu).collect();
    let low = each.iter().copied().fold(f64::INFINITY, f64::min);
    let high = each.iter().copied().fold(0.0, f64::max);
    (median(each.into_iter()), low, high)
}

fn table(rows: &[Row], idle: Option<(usize, &[f64])>) -> String {
    let mut text = String::from(
        "| scene | proxy | CPU µs per request, min / median | ÷ HAProxy, median (low–high) | p50 / p99 ms | RSS MiB |\n|---|---|---|---|---|---|\n",
    );
    for (scene, samples) in rows {
        for (proxy, name) in PROXIES.iter().enumerate() {
            let own = &samples[proxy];
            let least = own.iter().map(|sample| sample.cpu).fold(f64::INFINITY, f64::min);
            let middle = |of: fn(&Sample) -> f64| median(own.iter().map(of));
            let (ratio, low, high) = ratios(samples, proxy);
            // A string takes every write.
            _ = writeln!(
                text,
                "| {scene} | {name} | {least:.1} / {:.1} | {ratio:.2} ({low:.2}–{high:.2}) | {:.2} / {:.2} | {:.0} |",
                middle(|sample| sample.cpu),
                middle(|sample| sample.p50_ms),
                middle(|sample| sample.p99_ms),
                middle(|sample| sample.resident_mib),
            );
        }
    }
    if let Some((connections, bytes)) = idle {
        let each: Vec<String> = PROXIES.iter().zip(bytes).map(|(name, bytes)| format!("{name} {bytes:.0}")).collect();
        _ = writeln!(text, "\nbytes of memory for each of {connections} idle connections: {}", each.join(", "));
    }
    text
}

/// One group of bars per scene, the first proxy as the line at 1.
fn picture(rows: &[Row]) -> String {
    const COLOURS: [&str; 3] = ["#8a8f98", "#3c8d5a", "#2f6fdb"];
    let (width, height, top) = (180 * rows.len() + 80, 320.0, 40.0);
    let scale = 110.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"400\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"16\" y=\"22\" font-size=\"14\">CPU time per request ÷ HAProxy in the same round (less is better)</text>\n"
    );
    for (group, (scene, samples)) in rows.iter().enumerate() {
        let left = 60 + group * 180;
        for (proxy, colour) in COLOURS.iter().enumerate() {
            let (ratio, ..) = ratios(samples, proxy);
            let tall = (ratio * scale).min(height - top);
            let (x, y) = (left + proxy * 44, height - tall);
            _ = write!(
                svg,
                "<rect x=\"{x}\" y=\"{y:.1}\" width=\"36\" height=\"{tall:.1}\" fill=\"{colour}\"/>\n\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"middle\">{ratio:.2}</text>\n",
                x + 18,
                y - 4.0
            );
        }
        _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{scene}</text>", left + 62, height + 20.0);
    }
    let one = height - scale;
    _ = writeln!(
        svg,
        "<line x1=\"40\" x2=\"{width}\" y1=\"{one}\" y2=\"{one}\" stroke=\"#c33\" stroke-dasharray=\"4 3\"/>"
    );
    for (proxy, (name, colour)) in PROXIES.iter().zip(COLOURS).enumerate() {
        let x = 60 + proxy * 100;
        _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"364\" width=\"12\" height=\"12\" fill=\"{colour}\"/><text x=\"{}\" y=\"374\">{name}</text>",
            x + 18
        );
    }
    svg + "</svg>\n"
}
