//! What a proxy spent.

use std::{fs, path::Path};

use crate::{load::Scene, proxies::Proxy};

/// One proxy in one round of one scene.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Microseconds of CPU per request.
    pub(crate) cpu: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) resident_mib: f64,
}

pub(crate) fn run(proxy: &Proxy, scene: &Scene, seconds: f64, folder: &Path) -> Sample {
    let before = cpu_nanoseconds(proxy.pid());
    let seen = scene.load(proxy, seconds, folder);
    let spent = cpu_nanoseconds(proxy.pid()) - before;
    assert!(seen.requests > 0.0, "{}: nothing was answered", scene.name);
    Sample {
        cpu: spent / 1000.0 / seen.requests,
        p50_ms: seen.p50_ms,
        p99_ms: seen.p99_ms,
        resident_mib: resident_bytes(proxy.pid()) / 1_048_576.0,
    }
}

/// Time on a CPU of all threads.
fn cpu_nanoseconds(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("schedstat")).ok())
        .filter_map(|line| line.split_whitespace().next()?.parse::<f64>().ok())
        .sum()
}

pub(crate) fn resident_bytes(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() * 1024.0
}

/// The middle of the values.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
