//! The picture: a group of bars for each scene, everything divided by HAProxy's.

use std::fmt::Write;

use crate::{
    proxies::PROXIES,
    report::{Ratio, Results, ratio},
};

const COLOURS: [&str; 3] = ["#8a8f98", "#3c8d5a", "#2f6fdb"];
/// Groups beside each other.
const ACROSS: usize = 5;
const GROUP_WIDTH: usize = 184;
const ROW_HEIGHT: usize = 280;
/// Where the first row begins, below the title.
const TOP: usize = 60;
/// The highest bar.
const TALLEST: f64 = 190.0;

/// A scene and its bars, by proxy.
struct Group {
    title: String,
    bars: Vec<(Ratio, String)>,
}

pub(crate) fn picture(results: &Results) -> String {
    let groups = groups(results);
    let tallest = groups.iter().flat_map(|group| &group.bars).map(|(ratio, _)| ratio.high).fold(1.0, f64::max);
    let one = TALLEST / tallest;
    let rows = groups.len().div_ceil(ACROSS);
    let (width, height) = (ACROSS.min(groups.len()).max(3) * GROUP_WIDTH + 60, TOP + rows * ROW_HEIGHT + 20);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"20\" y=\"24\" font-size=\"15\">CPU time per request, memory per idle connection ÷ HAProxy; less is better</text>\n"
    );
    for (proxy, (name, colour)) in PROXIES.iter().zip(COLOURS).enumerate() {
        let x = 20 + proxy * 100;
        // A string takes every write.
        _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"38\" width=\"12\" height=\"12\" fill=\"{colour}\"/><text x=\"{}\" y=\"48\">{name}</text>",
            x + 18
        );
    }
    for row in 0..rows {
        let y = (TOP + (row + 1) * ROW_HEIGHT) as f64 - 40.0 - one;
        _ = writeln!(
            svg,
            "<line x1=\"20\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#c33\" stroke-dasharray=\"4 3\"/>",
            width - 20
        );
    }
    for (at, group) in groups.iter().enumerate() {
        let (left, floor) = (40 + at % ACROSS * GROUP_WIDTH, TOP + (at / ACROSS + 1) * ROW_HEIGHT - 40);
        group.draw(&mut svg, left, floor, one);
    }
    svg + "</svg>\n"
}

fn groups(results: &Results) -> Vec<Group> {
    let scenes = results.scenes.iter().map(|(name, samples)| {
        let bar = |proxy| {
            let ratio = ratio(samples, proxy);
            let label = format!("{:.2}", ratio.median);
            (ratio, label)
        };
        Group { title: (*name).to_owned(), bars: (0..PROXIES.len()).map(bar).collect() }
    });
    let idle = results.idle.iter().map(|(idle, bytes)| {
        let bar = |own: &f64| {
            let ratio = own / bytes[0];
            (Ratio { median: ratio, low: ratio, high: ratio }, format!("{:.1}", own / 1000.0))
        };
        Group { title: format!("{}, kB", idle.name), bars: bytes.iter().map(bar).collect() }
    });
    scenes.chain(idle).collect()
}

impl Group {
    /// `one` is how high a ratio of 1 is.
    fn draw(&self, svg: &mut String, left: usize, floor: usize, one: f64) {
        for (proxy, ((ratio, label), colour)) in self.bars.iter().zip(COLOURS).enumerate() {
            let (x, y) = (left + proxy * 48, |ratio: f64| floor as f64 - ratio * one);
            let middle = x + 20;
            _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{:.1}\" width=\"40\" height=\"{:.1}\" fill=\"{colour}\"/>\n\
                 <line x1=\"{middle}\" x2=\"{middle}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#333\"/>\n\
                 <text x=\"{middle}\" y=\"{:.1}\" text-anchor=\"middle\" stroke=\"white\" stroke-width=\"3\" paint-order=\"stroke\">{label}</text>",
                y(ratio.median),
                ratio.median * one,
                y(ratio.low),
                y(ratio.high),
                y(ratio.high) - 4.0,
            );
        }
        _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            left + 68,
            floor + 18,
            self.title
        );
    }
}
