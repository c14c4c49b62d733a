//! The picture of a run: shares of traffic by region over time, how far each region is driven, and failed requests.

use super::{history::History, plan::Plan, scenario::Scenario};
use std::fmt::Write;

const LEFT: f64 = 60.0;
const WIDTH: f64 = 860.0;
/// Top and height of each band.
const SHARES: (f64, f64) = (86.0, 240.0);
const DRIVEN: (f64, f64) = (366.0, 110.0);
const FAILED: (f64, f64) = (516.0, 70.0);
/// Where the marks' words stand.
const WORDS: f64 = 56.0;

struct Frame<'a> {
    history: &'a History,
    svg: String,
}

/// All of it, as SVG.
pub(crate) fn draw(scenario: &Scenario, seed: u64, history: &History) -> String {
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1040\" height=\"640\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"16\">{}</text>\n\
         <text x=\"980\" y=\"24\" text-anchor=\"end\" fill=\"#777\">seed {seed}</text>\n",
        scenario.title
    );
    let mut frame = Frame { history, svg };
    let regions = scenario.plan.regions;
    frame.shares(regions);
    frame.driven(regions);
    frame.failed();
    frame.marks();
    frame.time();
    frame.svg + "</svg>\n"
}

impl Frame<'_> {
    fn x(&self, second: usize) -> f64 {
        LEFT + WIDTH * second as f64 / self.history.seconds.len() as f64
    }

    fn text(&mut self, (x, y): (f64, f64), anchor: &str, what: &str) {
        // A string takes every write.
        _ = writeln!(self.svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{what}</text>");
    }

    fn band(&mut self, (top, height): (f64, f64), title: &str, scale: &[(f64, String)]) {
        self.text((LEFT, top - 6.0), "start", title);
        for (part, label) in scale {
            let y = top + height * (1.0 - part);
            _ = writeln!(
                self.svg,
                "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ccc\"/>",
                LEFT + WIDTH
            );
            self.text((LEFT - 6.0, y + 4.0), "end", label);
        }
    }

    /// Shares lie one upon the other.
    fn shares(&mut self, regions: usize) {
        let (top, height) = SHARES;
        let y = |part: f64| top + height * (1.0 - part);
        let seconds = self.history.seconds.len();
        let mut below = vec![0.0; seconds];
        for region in 0..regions {
            let above: Vec<f64> = (0..seconds).map(|at| below[at] + self.history.share(region, at, 5)).collect();
            let point = |at: usize, part: f64| format!("{:.1},{:.1} ", self.x(at), y(part));
            let mut points: String = (0..seconds).map(|at| point(at, above[at])).collect();
            points.extend((0..seconds).rev().map(|at| point(at, below[at])));
            let fill = colour(region, regions);
            _ = writeln!(
                self.svg,
                "<polygon points=\"{points}\" fill=\"{fill}\" stroke=\"white\" stroke-width=\"0.5\"/>"
            );
            if regions <= 12 {
                let (from, to) = (below[seconds - 1], above[seconds - 1]);
                self.text((LEFT + WIDTH + 8.0, y(f64::midpoint(from, to)) + 4.0), "start", &Plan::region_name(region));
            }
            below = above;
        }
        let scale = [(0.0, "0 %".into()), (0.5, "50 %".into()), (1.0, "100 %".into())];
        self.band(SHARES, "share of requests, by the region that answers", &scale);
    }

    fn driven(&mut self, regions: usize) {
        const MOST: f64 = 1.25;
        let (top, height) = DRIVEN;
        let part = |driven: f64| driven / MOST;
        let scale = [(0.0, "0".into()), (part(0.8), "80 %".into()), (part(1.0), "100 %".into())];
        self.band(DRIVEN, "load of what each region can carry at that time", &scale);
        for region in 0..regions {
            let points: String = (self.history.seconds.iter().enumerate())
                .map(|(at, second)| {
                    let y = top + height * (1.0 - part(second.driven[region].min(MOST)));
                    format!("{:.1},{y:.1} ", self.x(at))
                })
                .collect();
            let stroke = colour(region, regions);
            _ = writeln!(
                self.svg,
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"1.6\"/>"
            );
        }
    }

    fn failed(&mut self) {
        let (top, height) = FAILED;
        let all: Vec<f64> = (0..self.history.seconds.len()).map(|at| self.history.failures(at, 1)).collect();
        let most = all.iter().copied().fold(0.02, f64::max);
        let scale = [(0.0, "0 %".into()), (1.0, format!("{:.0} %", most * 100.0))];
        let (failed, sent) = self.history.totals();
        let title = format!("failed requests ({failed} of {sent})");
        let mut points = format!("{LEFT},{:.1} ", top + height);
        for (at, part) in all.iter().enumerate() {
            points += &format!("{:.1},{:.1} ", self.x(at), top + height * (1.0 - part / most));
        }
        points += &format!("{:.1},{:.1}", LEFT + WIDTH, top + height);
        self.band(FAILED, &title, &scale);
        _ = writeln!(self.svg, "<polygon points=\"{points}\" fill=\"#c0392b\"/>");
    }

    fn marks(&mut self) {
        let bottom = FAILED.0 + FAILED.1;
        let is_crowded = self.history.marks.len() > 5;
        for (at, (second, what)) in self.history.marks.iter().enumerate() {
            let (x, y) = (self.x(*second), if at % 2 == 0 { WORDS - 10.0 } else { WORDS + 4.0 });
            _ = writeln!(
                self.svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{y:.1}\" y2=\"{bottom}\" stroke=\"#333\" stroke-dasharray=\"3 3\"/>"
            );
            if !is_crowded || at < 2 {
                let words = format!("<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\">{what}</text>\n", x + 3.0, y + 6.0);
                self.svg += &words;
            }
        }
    }

    fn time(&mut self) {
        let seconds = self.history.seconds.len();
        let step = if seconds > 200 { 60 } else { 15 };
        for second in (0..=seconds).step_by(step) {
            self.text((self.x(second), FAILED.0 + FAILED.1 + 18.0), "middle", &format!("{second} s"));
        }
    }
}

/// Hues around the circle; beside each other as far apart as they can be.
fn colour(region: usize, regions: usize) -> String {
    const FEW: [&str; 6] = ["#4e79a7", "#e8803a", "#59a14f", "#b07aa1", "#d4b13f", "#76b7b2"];
    match FEW.get(region) {
        Some(colour) if regions <= FEW.len() => (*colour).into(),
        _ => format!("hsl({}, 55%, {}%)", region * 137 % 360, 50 + region % 3 * 8),
    }
}
