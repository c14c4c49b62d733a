//! `wrk`, for requests one after the other.

use std::process::Command;

use crate::load::{Scene, Seen};

/// Loads a proxy for so long.
pub(crate) fn load(scene: &Scene, url: &str, extra: &[&str], seconds: f64) -> Seen {
    let (connections, duration) = (scene.connections.to_string(), format!("{}s", seconds.ceil()));
    let output = Command::new("taskset")
        .args(["-c", "1", "wrk", "-t1", "-c", &connections, "-d", &duration, "--latency"])
        .args(extra)
        .arg(url)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "{}: {text}", scene.name);
    let field = |prefix: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(prefix).map(|rest| rest.trim().to_owned()))
            .unwrap_or_default()
    };
    let requests =
        text.lines().find_map(|line| line.trim().split_once(" requests in").map(|(count, _)| count.to_owned()));
    Seen {
        requests: requests.and_then(|count| count.parse().ok()).unwrap_or_default(),
        p50_ms: milliseconds(&field("50%")),
        p99_ms: milliseconds(&field("99%")),
    }
}

/// `1.5ms`, `750us`, `2.00s`.
fn milliseconds(text: &str) -> f64 {
    let unit = text.trim_start_matches(|symbol: char| symbol.is_ascii_digit() || symbol == '.');
    let number: f64 = text[..text.len() - unit.len()].parse().unwrap_or_default();
    number
        * match unit {
            "us" => 0.001,
            "s" => 1000.0,
            _ => 1.0,
        }
}
