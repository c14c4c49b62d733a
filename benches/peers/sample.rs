//! What a proxy spent on a scene.

use std::path::Path;

use crate::{
    load::Scene,
    measure::{cpu_nanoseconds, resident_bytes},
    proxies::Proxy,
};

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
