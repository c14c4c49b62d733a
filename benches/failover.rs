//! How long a dead region is still answered with: from the death of its origins to the last failed request and to the first clean
//! DNS answer, beside the bound that the config gives. A real node, real sockets.
//!
//! `cargo bench --bench failover`; `-- --test` plays each scene once.

#[path = "../tests/it/scene/mod.rs"]
#[allow(dead_code, unused_imports, clippy::unwrap_used, reason = "the tests use the rest of it")]
mod scene;

use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use hickory_proto::rr::RecordType;
use meridian::{
    clock::Clock,
    config::{self, Identity},
};
use scene::{Meridian, Origin, ask, eventually, get, meridian, origin};

const NEAR: &str = "127.0.0.1";
const FAR: &str = "127.0.77.1";
/// Between two requests, and between two queries.
const PACE: Duration = Duration::from_millis(2);

struct Scene {
    label: &'static str,
    timing: &'static str,
    retries: u32,
}

const SCENES: [Scene; 3] = [
    Scene {
        label: "fast checks, no retries",
        timing: "interval = \"200ms\"\nrecheck = \"50ms\"\ntimeout = \"100ms\"\n",
        retries: 0,
    },
    Scene { label: "defaults, no retries", timing: "", retries: 0 },
    Scene { label: "defaults", timing: "", retries: 2 },
];

fn config(scene: &Scene, near: &Origin, far: &Origin, doors: (u16, u16)) -> String {
    let Scene { timing, retries, .. } = scene;
    let region = |name: &str, address: &str, port: u16| {
        format!("[regions.{name}]\naddresses = [\"{address}\"]\ncheck.tcp.port = {port}\n")
    };
    let entry = |name: &str, origin: &Origin| {
        format!("[[pools.shop.origins]]\naddress = \"{}\"\nregion = \"{name}\"\n", origin.address)
    };
    format!(
        "node.region = \"near\"\n{}{}[pools.shop]\nretries = {retries}\n[pools.shop.check.http]\npath = \"/\"\n{timing}{}{}\
         [[routes]]\npool = \"shop\"\n[zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\n\
         [zones.\"shop.example\".steer.\"@\"]\npools = [\"shop\"]\n",
        region("near", NEAR, doors.0),
        region("far", FAR, doors.1),
        entry("near", near),
        entry("far", far),
    )
}

/// Whether the last look at `what` met the dead region, again and again until stopped; says when it last did.
fn watch(
    clock: &Clock,
    stop: &Arc<AtomicBool>,
    met: impl Fn() -> bool + Send + 'static,
) -> thread::JoinHandle<Duration> {
    let (clock, stop) = (clock.clone(), Arc::clone(stop));
    thread::spawn(move || {
        let mut last = Duration::ZERO;
        while !stop.load(Ordering::Relaxed) {
            if met() {
                last = clock.now();
            }
            thread::park_timeout(PACE);
        }
        last
    })
}

/// One death: the last failed request and the last answer that names the dead region, counted from it.
fn die(node: &Meridian, near: &mut Origin, bound: Duration) -> (Duration, Duration) {
    let (clock, stop) = (Clock::system(), Arc::new(AtomicBool::new(false)));
    // Deaths come at any point between two probes.
    thread::park_timeout(Duration::from_millis(meridian::clock::random().u64(..1_000)));
    let died_at = clock.now();
    near.kill();
    let (http, dns) = (node.http(), node.dns());
    let requests =
        watch(&clock, &stop, move || get(http, "shop.example", "/").is_none_or(|answer| answer.status != 200));
    let queries = watch(&clock, &stop, move || {
        // The draw is random: eight answers without it mean that it is gone, but for one time in 256.
        (0..8)
            .any(|_| ask(dns, "shop.example.", RecordType::A).addresses().contains(&NEAR.parse().expect("an address")))
    });
    thread::park_timeout(bound + Duration::from_millis(500));
    stop.store(true, Ordering::Relaxed);
    let last = [requests, queries].map(|watch| watch.join().expect("a watcher ends").saturating_sub(died_at));
    near.revive();
    eventually("the region returns", || (get(http, "x", "/")?.text() == "near").then_some(()));
    last.into()
}

fn summary(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |index: usize| format!("{:.2}", times[index].as_secs_f64());
    format!("{} / {} / {}", at(0), at(times.len() / 2), at(times.len() - 1))
}

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let rounds = if is_test { 1 } else { 10 };
    let out = Mutex::new(std::io::stdout());
    let say = |line: String| _ = writeln!(out.lock().expect("one thread prints"), "{line}");
    say("| scene | bound, s | last failed request, s (min / median / max) | last answer with the dead region, s |"
        .into());
    say("|---|---|---|---|".into());
    for scene in &SCENES[..if is_test { 1 } else { SCENES.len() }] {
        let (mut near, far) = (origin("near"), origin("far"));
        let (near_door, far_door) = (origin("door"), std::net::TcpListener::bind((FAR, 0)).expect("a port"));
        let doors = (near_door.address.port(), far_door.local_addr().expect("an address").port());
        let text = config(scene, &near, &far, doors);
        let loaded = config::from_text("bench.toml", &text, &Identity::default());
        let bound = loaded.config.expect("a good config").pools[0].check.detection_bound().expect("a check");
        let node = meridian(&text);
        let (requests, queries) = (0..rounds).map(|_| die(&node, &mut near, bound)).unzip();
        say(format!("| {} | {:.2} | {} | {} |", scene.label, bound.as_secs_f64(), summary(requests), summary(queries)));
    }
    if is_test {
        say("Testing failover\nSuccess".into());
    }
}
