//! `meridian status`: what a running node believes, as a table.

use std::{net::SocketAddr, path::Path, process::ExitCode};

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets::NOTHING};

use super::{client, report};
use crate::admin::{RowStatus, Status};

pub(super) fn run(admin: SocketAddr, token_file: &Path, json: bool) -> ExitCode {
    match client::question(admin, token_file, "/v1/status") {
        Ok(body) if json => report::say(&(body + "\n")),
        Ok(body) => match serde_json::from_str(&body) {
            Ok(status) => report::say(&render(&status)),
            Err(error) => fail(&format!("the node at {admin} answered something else: {error}\n")),
        },
        Err(error) => fail(&error),
    }
}

fn fail(message: &str) -> ExitCode {
    report::complain(message);
    ExitCode::from(report::COULD_NOT_TELL)
}

fn render(status: &Status) -> String {
    let mut facts = vec![format!("generation {}", status.generation), format!("up {}", ago(status.uptime_seconds))];
    facts.push(if status.is_ready { "ready" } else { "not ready" }.into());
    facts.extend(status.is_draining.then(|| "draining".into()));
    facts.extend(status.suspects_itself.then(|| "SUSPECTS ITSELF: verdicts are kept as they were".into()));
    let Status { node, region, version, .. } = status;
    let mut text = format!("{node} in {region}, meridian {version}: {}\n\n", facts.join(", "));

    let mut regions = table(&["region", "front door", "share", "since", "capacity", "why"]);
    for region in &status.regions {
        let capacity = region.capacity_per_second.map_or("-".into(), |capacity| format!("{capacity}/s"));
        let [health, share, since, why] = cells(&region.row);
        regions.add_row([Cell::new(&region.name), health, share, since, right(capacity), why]);
    }
    text += &format!("{regions}\n");

    for pool in &status.pools {
        let mut origins = table(&[&format!("pool {}", pool.name), "health", "share", "since", "weight", "why"]);
        for region in &pool.regions {
            let [health, share, since, why] = cells(&region.row);
            let weight = right(format!("{}/{}", region.usable_weight, region.total_weight));
            origins.add_row([Cell::new(&region.region), health, share, since, weight, why]);
            for origin in pool.origins.iter().filter(|origin| origin.region == region.region) {
                let [health, share, since, why] = cells(&origin.row);
                let name = Cell::new(format!("  {}", origin.address));
                origins.add_row([name, health, share, since, right(origin.weight.to_string()), why]);
            }
        }
        text += &format!("\n{origins}\n");
    }
    for inert in &status.inert_overrides {
        text += &format!("\nan override waits for {inert}, which does not exist now\n");
    }
    text
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    table
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// Health, share, since and why of one row.
fn cells(row: &RowStatus) -> [Cell; 4] {
    let mut words = row.health.clone();
    let RowStatus { is_draining, is_forced, is_stale, is_returning, .. } = *row;
    for (is_so, word) in
        [(is_draining, " draining"), (is_forced, " forced"), (is_stale, " stale"), (is_returning, " returning")]
    {
        words += if is_so { word } else { "" };
    }
    let color = match row.health.as_str() {
        _ if row.is_draining => Color::Yellow,
        "up" => Color::Green,
        "down" => Color::Red,
        _ => Color::Yellow,
    };
    [
        Cell::new(words).fg(color),
        right(format!("{:.0} %", row.share_percent)),
        right(row.since_seconds.map_or_else(String::new, ago)),
        Cell::new(why(row)),
    ]
}

/// Who is believed, why and how long, what its share is on the way to, and what that keeps from sight.
fn why(row: &RowStatus) -> String {
    let join = |words: &[&Option<String>], between: &str| {
        words.iter().filter_map(|word| word.as_deref()).collect::<Vec<_>>().join(between)
    };
    // An operator's word is in the note, which says itself when it ends, as what moves does.
    let is_told = row.source.as_deref() == Some("operator");
    let ends = row.word_until_seconds.filter(|_| !is_told).map(|seconds| format!(", for {}", ago(seconds)));
    let word = join(&[&row.source, &row.said], ": ");
    let mut why = match ends {
        Some(ends) => join(&[&Some(word + &ends), &row.note], "; "),
        None => join(&[&Some(word).filter(|word| !word.is_empty()), &row.note], ": "),
    };
    for words in &row.moving {
        why += &format!("{}{words}", if why.is_empty() { "" } else { ", " });
    }
    if !row.beneath.is_empty() {
        why += &format!(" ({})", row.beneath.join("; "));
    }
    why
}

/// A span as people say it.
fn ago(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_why_it_is_what_it_is_and_until_when() {
        let row: RowStatus = serde_json::from_value(serde_json::json!({
            "health": "up", "share_percent": 0.01, "is_draining": false, "is_forced": false, "is_stale": false,
            "source": "probe", "said": "200", "moving": ["returns: held for 4 m 12 s more"], "until_seconds": 312,
        }))
        .unwrap();
        assert_eq!(why(&row), "probe: 200, returns: held for 4 m 12 s more");
        let note = Some("drain by ann: disk (for 2 h more)".into());
        let row = RowStatus { moving: Vec::new(), said: Some("5 in a row".into()), until_seconds: Some(28), ..row };
        let ejected = RowStatus {
            source: Some("traffic".into()),
            word_until_seconds: Some(60),
            note: note.clone(),
            ..row.clone()
        };
        assert_eq!(why(&ejected), "traffic: 5 in a row, for 60 s; drain by ann: disk (for 2 h more)");
        let moving = vec!["given back: rises for 28 s more".into()];
        let moves = RowStatus { note: None, moving, ..ejected };
        assert_eq!(why(&moves), "traffic: 5 in a row, for 60 s, given back: rises for 28 s more");
        assert_eq!(why(&RowStatus { said: None, note, ..row.clone() }), "probe: drain by ann: disk (for 2 h more)");
        let moving = vec!["passes on its excess for 30 s more".into()];
        let of_pool = RowStatus { source: None, said: Some("1 of 2 usable".into()), moving, ..row };
        assert_eq!(why(&of_pool), "1 of 2 usable, passes on its excess for 30 s more");
    }
}
