//! The picture: a group of bars for each scene, one bar for each contestant, divided by one of them.

use std::fmt::Write;

use crate::measure::Ratio;

/// From the left edge of a bar to the next one's.
const BAR_STEP: usize = 48;
/// The width of as many groups as stand beside each other.
const ACROSS: usize = 920;
const ROW_HEIGHT: usize = 280;
/// Where the first row begins, below the title.
const TOP: usize = 60;
/// The highest bar.
const TALLEST: f64 = 190.0;

/// What to draw.
pub(crate) struct Picture<'a> {
    pub(crate) title: &'a str,
    pub(crate) names: &'a [&'a str],
    /// One for each name.
    pub(crate) colours: &'a [&'a str],
    pub(crate) groups: Vec<Group>,
    /// Higher bars end here, and an arrow says so.
    pub(crate) cut: f64,
}

/// A scene and its bars.
pub(crate) struct Group {
    pub(crate) title: String,
    /// By name; who was not there has none.
    pub(crate) bars: Vec<Option<Bar>>,
}

/// How high it is, and what stands above it.
pub(crate) struct Bar {
    pub(crate) ratio: Ratio,
    pub(crate) label: String,
}

impl Picture<'_> {
    pub(crate) fn svg(&self) -> String {
        let bars = self.groups.iter().flat_map(|group| group.bars.iter().flatten());
        let one = TALLEST / bars.map(|bar| bar.ratio.high.min(self.cut)).fold(1.0, f64::max);
        let group_width = self.names.len() * BAR_STEP + 40;
        let across = ACROSS / group_width;
        let rows = self.groups.len().div_ceil(across);
        let (width, height) = (across.min(self.groups.len()).max(3) * group_width + 60, TOP + rows * ROW_HEIGHT + 20);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"20\" y=\"24\" font-size=\"15\">{}</text>\n",
            self.title
        );
        for (at, (name, colour)) in self.names.iter().zip(self.colours).enumerate() {
            let x = 20 + at * 100;
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
        for (at, group) in self.groups.iter().enumerate() {
            let (left, floor) = (40 + at % across * group_width, TOP + (at / across + 1) * ROW_HEIGHT - 40);
            group.draw(&mut svg, (left, floor), one, self);
        }
        svg + "</svg>\n"
    }
}

impl Group {
    /// `one` is how high a ratio of 1 is.
    fn draw(&self, svg: &mut String, (left, floor): (usize, usize), one: f64, picture: &Picture<'_>) {
        for (at, (bar, colour)) in self.bars.iter().zip(picture.colours).enumerate() {
            let Some(Bar { ratio: Ratio { median, low, high }, label }) = bar else { continue };
            let arrow = if *median > picture.cut { " ↑" } else { "" };
            let [median, low, high] = [median, low, high].map(|ratio| ratio.min(picture.cut));
            let (x, y) = (left + at * BAR_STEP, |ratio: f64| floor as f64 - ratio * one);
            let middle = x + 20;
            _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{:.1}\" width=\"40\" height=\"{:.1}\" fill=\"{colour}\"/>\n\
                 <line x1=\"{middle}\" x2=\"{middle}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#333\"/>\n\
                 <text x=\"{middle}\" y=\"{:.1}\" text-anchor=\"middle\" stroke=\"white\" stroke-width=\"3\" paint-order=\"stroke\">{label}{arrow}</text>",
                y(median),
                median * one,
                y(low),
                y(high),
                y(high) - 4.0,
            );
        }
        _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            left + (self.bars.len() * BAR_STEP - 8) / 2,
            floor + 18,
            self.title
        );
    }
}
