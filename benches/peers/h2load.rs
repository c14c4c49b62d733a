//! `h2load`, for a fixed rate and for HTTP/2. Its log says how long each request took.

use std::{fs, path::Path, process::Command};

use crate::load::{Scene, Seen};

/// So many requests a second, over HTTP/1: its clients each send theirs.
pub(crate) fn paced(scene: &Scene, url: &str, rate: u32, seconds: f64, folder: &Path) -> Seen {
    let each = rate / scene.connections;
    let total = (f64::from(each * scene.connections) * seconds) as u64;
    let (seen, _) = run(scene, folder, &["--h1", "-m1", "-n", &total.to_string(), "--rps", &each.to_string(), url]);
    seen
}

/// As fast as it goes, so many requests under way on each connection.
pub(crate) fn streams(scene: &Scene, url: &str, streams: u32, seconds: f64, folder: &Path) -> Seen {
    let duration = seconds.ceil().to_string();
    let (seen, said) = run(scene, folder, &["-m", &streams.to_string(), "-D", &duration, url]);
    for expected in ["Application protocol: h2", "TLS Protocol: TLSv1.3", "Server Temp Key: X25519 "] {
        assert!(said.contains(expected), "{}: no `{expected}` in: {said}", scene.name);
    }
    seen
}

fn run(scene: &Scene, folder: &Path, arguments: &[&str]) -> (Seen, String) {
    let log = folder.join("h2load.log");
    _ = fs::remove_file(&log);
    let output = Command::new("taskset")
        .args(["-c", "1", "h2load", "-t1", "-c", &scene.connections.to_string()])
        .arg(format!("--log-file={}", log.display()))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains(" 0 failed, 0 errored, 0 timeout"), "{}: {said}", scene.name);
    let milliseconds = fs::read_to_string(&log).unwrap();
    let milliseconds = milliseconds.lines().map(|line| {
        // When it began, its status, and microseconds until its end.
        let fields: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(fields.get(1), Some(&"200"), "{}: {line}", scene.name);
        fields[2].parse::<f64>().unwrap() / 1000.0
    });
    (Seen::of(milliseconds.collect()), said)
}
