//! `meridian probe`: asks each origin of a pool, or a region's front door, once by its check, and shows what came back. Of whom nobody checks
//! nothing can be told, which is said beside it.

use std::{path::Path, process::ExitCode};

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets::NOTHING};
use serde_json::json;

use super::report;
use crate::{
    config::{self, Checks, Config, Identity},
    fleet::Health,
    node::{self, Outcome},
};

/// Everything is asked where no name is given.
pub(super) fn run(path: &Path, identity: &Identity, name: Option<&str>, json: bool) -> ExitCode {
    let loaded = config::load(path, identity);
    let Some(config) = &loaded.config else {
        report::complain(&loaded.diagnostics.render_text(false));
        return ExitCode::from(report::COULD_NOT_TELL);
    };
    let outcomes = match node::probe(config, name) {
        Ok(outcomes) => outcomes,
        Err(error) => {
            report::complain(&format!("{error}\n"));
            return ExitCode::from(report::COULD_NOT_TELL);
        }
    };
    for line in unchecked(config, name) {
        report::complain(&line);
    }
    let said = report::say(&if json { as_json(&outcomes) } else { render(&outcomes) });
    if outcomes.is_empty() {
        ExitCode::from(report::COULD_NOT_TELL)
    } else if outcomes.iter().all(|outcome| outcome.health == Health::Up) {
        said
    } else {
        ExitCode::FAILURE
    }
}

/// A line for each who was meant and is not asked.
fn unchecked(config: &Config, name: Option<&str>) -> Vec<String> {
    let is_left_out = |of: &str, check: &Checks| *check == Checks::None && name.is_none_or(|name| name == of);
    let pools = config.pools.iter().filter(|pool| is_left_out(&pool.name, &pool.check));
    let regions = config.regions.iter().filter(|region| is_left_out(&region.name, &region.check));
    let pools = pools.map(|pool| format!("nobody checks pool `{}`\n", pool.name));
    pools.chain(regions.map(|region| format!("nobody checks the front door of region `{}`\n", region.name))).collect()
}

fn render(outcomes: &[Outcome]) -> String {
    if outcomes.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    let header = ["target", "", "asked", "took", "what came back"];
    table.set_header(header.map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    for outcome in outcomes {
        let (word, colour) = if outcome.health == Health::Up { ("good", Color::Green) } else { ("bad", Color::Red) };
        let mut target = [Cell::new(&outcome.subject), Cell::new(word).fg(colour)];
        for (asked, brought) in &outcome.probes {
            let [target, word] = std::mem::replace(&mut target, [Cell::new(""), Cell::new("")]);
            let took = format!("{:.1} ms", brought.took.as_secs_f64() * 1_000.0);
            let colour = if brought.is_good { Color::Reset } else { Color::Red };
            table.add_row([
                target,
                word,
                Cell::new(format!("{} {}", asked.check.kind.as_str(), asked.address)),
                Cell::new(took).set_alignment(CellAlignment::Right),
                Cell::new(&brought.words).fg(colour),
            ]);
        }
    }
    format!("{table}\n")
}

fn as_json(outcomes: &[Outcome]) -> String {
    let probe = |(asked, brought): &(node::Asked, node::Brought)| {
        json!({
            "kind": asked.check.kind.as_str(),
            "address": asked.address,
            "is_good": brought.is_good,
            "answer": brought.words,
            "seconds": brought.took.as_secs_f64(),
        })
    };
    let all = outcomes.iter().map(|outcome| {
        let probes: Vec<_> = outcome.probes.iter().map(probe).collect();
        json!({ "target": outcome.subject.to_string(), "is_good": outcome.health == Health::Up, "probes": probes })
    });
    let mut text = serde_json::to_string_pretty(&all.collect::<Vec<_>>()).unwrap_or_default();
    text.push('\n');
    text
}
