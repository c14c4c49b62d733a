//! What a server spent on a scene.

use std::fs;

use crate::{
    client,
    measure::{cpu_nanoseconds, resident_bytes},
    scenes::Scene,
    servers::Server,
};

/// One server in one round of one scene.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Microseconds of CPU per query.
    pub(crate) cpu: f64,
    /// Those outside the kernel.
    pub(crate) user: f64,
    /// The part of its core that it had.
    pub(crate) busy: f64,
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) resident_mib: f64,
}

/// What a process has spent so far.
struct Spent {
    nanoseconds: f64,
    /// Ticks, in user mode and in the kernel. They are coarse, and only say how the time divides.
    ticks: [f64; 2],
}

pub(crate) fn run(server: &Server, scene: &Scene, seconds: f64) -> Sample {
    let before = Spent::by(server.pid());
    let (seen, after) = client::load(server.target, scene, seconds, || Spent::by(server.pid()));
    assert!(seen.answers > 0.0, "{}: nothing was answered", scene.name);
    let nanoseconds = after.nanoseconds - before.nanoseconds;
    let [user, system] = [0, 1].map(|mode| after.ticks[mode] - before.ticks[mode]);
    let cpu = nanoseconds / 1000.0 / seen.answers;
    Sample {
        cpu,
        // Less than a tick is nothing.
        user: cpu * user / (user + system).max(1.0),
        busy: nanoseconds / 1e9 / seen.seconds,
        rate: seen.answers / seen.seconds,
        p50_ms: seen.p50_ms,
        p99_ms: seen.p99_ms,
        resident_mib: resident_bytes(server.pid()) / 1_048_576.0,
    }
}

impl Spent {
    fn by(pid: u32) -> Self {
        let mut ticks = [0.0; 2];
        for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let Ok(line) = fs::read_to_string(thread.unwrap().path().join("stat")) else { continue };
            // The name in brackets may hold anything; the two are the 12th and 13th after it.
            let Some((_, fields)) = line.rsplit_once(") ") else { continue };
            let mut both = fields.split_whitespace().skip(11).map(|field| field.parse::<f64>().unwrap_or_default());
            for ticks in &mut ticks {
                *ticks += both.next().unwrap_or_default();
            }
        }
        Self { nanoseconds: cpu_nanoseconds(pid), ticks }
    }
}
