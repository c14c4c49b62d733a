//! What a process spent, and what many samples say together.

use std::fs;

/// Time on a CPU of all threads.
pub(crate) fn cpu_nanoseconds(pid: u32) -> f64 {
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

/// The ratio to another contestant, of one round after the other.
#[derive(Clone, Copy)]
pub(crate) struct Ratio {
    /// The median of each round's.
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Ratio {
    /// What `value` says of the samples of both.
    pub(crate) fn of<S>(own: &[S], other: &[S], value: impl Fn(&S) -> f64) -> Self {
        let each: Vec<f64> = own.iter().zip(other).map(|(own, other)| value(own) / value(other)).collect();
        Self {
            low: each.iter().copied().fold(f64::INFINITY, f64::min),
            high: each.iter().copied().fold(0.0, f64::max),
            median: median(each.into_iter()),
        }
    }
}
