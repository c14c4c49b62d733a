//! What a failure costs: how long until it is noticed, until DNS and HTTP lead elsewhere, and how many of 1,000 requests a second fail
//! meanwhile. A real node, real servers that are killed, stopped, cut off, slow or wrong, real sockets.
//!
//! `cargo bench --bench failover`; `-- --test` plays one scene, briefly. Where it may not make a network namespace (root, iproute2), the server that is cut off is
//! left out, and that is said.
//!
//! A node in the region `near` prefers it, in DNS and HTTP; `far` stands by. Checks are as they are by default: the bound is 2.25 s. A request
//! fails with any status but 200, or after 1.5 s; an origin has a second to answer.

mod load;
mod namespace;
#[path = "../../tests/it/scene/mod.rs"]
#[allow(dead_code, unused_imports, clippy::unwrap_used, reason = "the tests use the rest of it")]
mod scene;
mod victim;

use std::{env, io::Write, net::TcpListener, thread, time::Duration};

use load::Load;
use meridian::clock::{Clock, random};
use namespace::{Namespace, THERE};
use scene::{Meridian, meridian};
use victim::Victim;

const NEAR: &str = "127.0.0.1";
const FAR: &str = "127.0.77.1";
/// What is played before the failure, and after it.
const BEFORE: Duration = Duration::from_millis(1_500);
const AFTER: Duration = Duration::from_secs(5);

/// How the near server, or the near front door, fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Killed,
    Stopped,
    CutOff,
    Slow,
    Errors,
    DoorLost,
}

impl Fault {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Killed, "killed"),
        (Self::Stopped, "stopped (SIGSTOP)"),
        (Self::CutOff, "cut off (black hole)"),
        (Self::Slow, "2 s late, but healthy by its check"),
        (Self::Errors, "1 % errors, but healthy by its check"),
        (Self::DoorLost, "front door lost"),
    ];
}

/// What one failure came to.
struct Outcome {
    /// By meridian's own metric, where it noticed.
    noticed: Option<f64>,
    /// Since the failure.
    first_clean: Option<Duration>,
    first_elsewhere: Option<Duration>,
    failed: usize,
    requests: usize,
    last_failed: Option<Duration>,
}

fn config(near: &Victim, far: &Victim, doors: (u16, u16), retries: u32) -> String {
    let region = |name: &str, address: &str, port: u16| {
        format!("[regions.{name}]\naddresses = [\"{address}\"]\ncheck.tcp.port = {port}\n")
    };
    format!(
        "node.region = \"near\"\n{}{}[pools.shop]\nretries = {retries}\nretry.statuses = [\"502\"]\n\
         timeouts.response_head = \"1s\"\n\
         check.http.path = \"/healthz\"\norigins = [{{ address = \"{}\", region = \"near\" }}, {{ address = \"{}\", region = \"far\" }}]\n\
         [[routes]]\npool = \"shop\"\n[zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\n\
         [zones.\"shop.example\".steer.\"@\"]\npools = [\"shop\"]\npolicy = \"order\"\n\
         [policies.order]\nfailover = {{ order = [\"near\", \"far\"] }}\n",
        region("near", NEAR, doors.0),
        region("far", FAR, doors.1),
        near.address,
        far.address,
    )
}

/// `None` where it cannot be played here.
fn play(fault: Fault, retries: u32) -> Option<Outcome> {
    let namespace = if fault == Fault::CutOff { Some(Namespace::make()?) } else { None };
    let (at, within) = match &namespace {
        Some(namespace) => (format!("{THERE}:8080"), Some(namespace.name.as_str())),
        None => ("127.0.0.1:0".to_owned(), None),
    };
    let mut near = Victim::start(&at, "near", within);
    let (far, mut door) = (Victim::start("127.0.0.1:0", "far", None), Victim::start("127.0.0.1:0", "door", None));
    let far_door = TcpListener::bind((FAR, 0)).expect("a port");
    let far_port = far_door.local_addr().expect("an address").port();
    let node = meridian(&config(&near, &far, (door.address.port(), far_port), retries));
    let clock = Clock::system();
    let load = Load::begin(&clock, node.http(), node.dns(), NEAR);
    // Failures come at any point between two probes.
    thread::park_timeout(BEFORE + Duration::from_millis(random().u64(..1_000)));
    let failed_at = clock.now();
    let of = if fault == Fault::DoorLost { "front-door" } else { "origin" };
    if fault == Fault::DoorLost { &mut door } else { &mut near }.suffer(fault);
    thread::park_timeout(AFTER);
    let (requests, answers) = load.end();
    let since = |at: Duration| at.saturating_sub(failed_at);
    let later: Vec<_> = requests.iter().filter(|request| request.ended >= failed_at).collect();
    let bad = || later.iter().filter(|request| !request.is_good);
    let last_stale = answers.iter().rposition(|(_, is_clean)| !is_clean);
    Some(Outcome {
        noticed: noticed(&node, of),
        first_clean: last_stale.and_then(|last| answers.get(last + 1)).map(|(at, _)| since(*at)),
        first_elsewhere: later
            .iter()
            .filter(|request| request.is_good && request.is_elsewhere)
            .map(|request| since(request.ended))
            .min(),
        failed: bad().count(),
        requests: later.len(),
        last_failed: bad().map(|request| since(request.ended)).max(),
    })
}

/// From the last sign of life until nobody was sent there, as the node says.
fn noticed(node: &Meridian, of: &str) -> Option<f64> {
    let text = node.page("/metrics").text();
    let sum = format!("meridian_failover_seconds_sum{{of=\"{of}\"}} ");
    let value: f64 = text.lines().find_map(|line| line.strip_prefix(&sum))?.parse().ok()?;
    (value > 0.0).then_some(value)
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == victim::SERVER) {
        return victim::server(&arguments[at + 1..]);
    }
    let is_test = arguments.iter().any(|argument| argument == "--test");
    let mut out = std::io::stdout();
    let mut say = |line: String| _ = writeln!(out, "{line}");
    say("| the near server is | retries | noticed, s | first clean answer, s | first good one elsewhere, s | last failed, s | failed |".into());
    say("|---|---|---|---|---|---|---|".into());
    let faults = if is_test { &Fault::ALL[..1] } else { &Fault::ALL[..] };
    for (fault, words) in faults {
        for retries in if is_test { &[2][..] } else { &[0, 2][..] } {
            let Some(outcome) = play(*fault, *retries) else {
                say(format!("| {words} | {retries} | not played: a network namespace cannot be made here | | | | |"));
                continue;
            };
            let time = |time: Option<Duration>| time.map_or("–".into(), |time| format!("{:.2}", time.as_secs_f64()));
            say(format!(
                "| {words} | {retries} | {} | {} | {} | {} | {} of {} |",
                outcome.noticed.map_or("–".into(), |seconds| format!("{seconds:.2}")),
                time(outcome.first_clean),
                time(outcome.first_elsewhere),
                time(outcome.last_failed),
                outcome.failed,
                outcome.requests,
            ));
        }
    }
    if is_test {
        say("Testing failover\nSuccess".into());
    }
}
