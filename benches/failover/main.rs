//! What a failure costs: how long until it is noticed, until DNS and HTTP lead elsewhere, and how many of 1,000 requests a second fail
//! meanwhile. A real node, real servers that are killed, stopped, cut off, slow or wrong, real sockets.
//!
//! `cargo bench --bench failover`; a word plays the failures with that in their name, `--rounds N` says how often, `--test` plays one of them once.
//! It prints medians, and writes a picture of the requests that failed to `target/failover.svg`. Where it may not make a network namespace (root,
//! iproute2), the server that is cut off is left out, and that is said.
//!
//! A node in the region `near` prefers it, in DNS and HTTP; `far` stands by. Checks are as they are by default: the bound is 2.25 s. Requests are sent
//! at their time whatever hangs. One fails with any status but 200, after 1.5 s from its time, or where 2,500 are under way; an origin has a second
//! to answer.

mod load;
#[path = "../peers/measure.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "the comparison with others uses the rest of it")]
mod measure;
mod namespace;
#[path = "../peers/picture.rs"]
#[allow(clippy::cast_precision_loss, reason = "pixels")]
mod picture;
#[path = "../../tests/it/scene/mod.rs"]
#[allow(dead_code, unused_imports, clippy::unwrap_used, reason = "the tests use the rest of it")]
mod scene;
mod victim;

use std::{env, fs, io::Write, net::TcpListener, thread, time::Duration};

use load::Load;
use measure::Ratio;
use meridian::clock::{Clock, random};
use namespace::Namespace;
use picture::{Bar, Group, Picture};
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

/// What one failure came to; times are since then.
struct Outcome {
    /// By meridian's own metric, where it noticed.
    noticed: Option<Duration>,
    first_clean: Option<Duration>,
    first_elsewhere: Option<Duration>,
    last_failed: Option<Duration>,
    failed: usize,
    /// Of those that failed: too many were under way.
    unsent: usize,
    requests: usize,
}

fn config(near: &Victim, far: &Victim, doors: (u16, u16), retries: u32) -> String {
    let region = |name: &str, address: &str, port: u16| {
        format!("[regions.{name}]\naddresses = [\"{address}\"]\ncheck.tcp.port = {port}\n")
    };
    format!(
        "node.region = \"near\"\nhttp.max_connections_per_client = 5000\n{}{}[pools.shop]\nretries = {retries}\nretry.statuses = [\"502\"]\n\
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
    let at = namespace.as_ref().map_or("127.0.0.1:0".to_owned(), |namespace| format!("{}:8080", namespace.there));
    let mut near = Victim::start(&at, "near", namespace);
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
    let was_near = requests.iter().any(|request| request.ended < failed_at && request.is_good && !request.is_elsewhere);
    assert!(was_near, "the near server did not answer before it failed");
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
        last_failed: bad().map(|request| since(request.ended)).max(),
        failed: bad().count(),
        unsent: bad().filter(|request| !request.was_sent).count(),
        requests: later.len(),
    })
}

/// From the last sign of life until nobody was sent there, as the node says.
fn noticed(node: &Meridian, of: &str) -> Option<Duration> {
    let text = node.page("/metrics").text();
    let sum = format!("meridian_failover_seconds_sum{{of=\"{of}\"}} ");
    let value: f64 = text.lines().find_map(|line| line.strip_prefix(&sum))?.parse().ok()?;
    (value > 0.0).then(|| Duration::from_secs_f64(value))
}

/// The one in the middle; what never happened took longest.
fn median<T: Copy + Ord>(outcomes: &[Outcome], what: impl Fn(&Outcome) -> Option<T>) -> Option<T> {
    let mut values: Vec<Option<T>> = outcomes.iter().map(what).collect();
    values.sort_unstable_by_key(|value| (value.is_none(), *value));
    values.get(values.len() / 2).copied().flatten()
}

/// All rounds of one failure, as a line of the table.
fn line(words: &str, retries: u32, outcomes: &[Outcome]) -> String {
    let time = |what: fn(&Outcome) -> Option<Duration>| {
        median(outcomes, what).map_or("–".into(), |time| format!("{:.2}", time.as_secs_f64()))
    };
    let failed = |outcome: &Outcome| Some(outcome.failed);
    let (least, most) = (outcomes.iter().filter_map(failed).min(), outcomes.iter().filter_map(failed).max());
    let unsent: usize = outcomes.iter().map(|outcome| outcome.unsent).sum();
    let unsent = if unsent > 0 { format!(", {unsent} of all rounds not sent") } else { String::new() };
    format!(
        "| {words} | {retries} | {} | {} | {} | {} | {} ({}–{}) of {}{unsent} |",
        time(|outcome| outcome.noticed),
        time(|outcome| outcome.first_clean),
        time(|outcome| outcome.first_elsewhere),
        time(|outcome| outcome.last_failed),
        median(outcomes, failed).unwrap_or_default(),
        least.unwrap_or_default(),
        most.unwrap_or_default(),
        median(outcomes, |outcome| Some(outcome.requests)).unwrap_or_default(),
    )
}

/// Requests that failed, as seconds in which all do.
#[allow(clippy::cast_precision_loss, reason = "some thousand")]
fn bar(outcomes: &[Outcome]) -> Option<Bar> {
    let seconds = |failed: usize| failed as f64 / 1_000.0;
    let failed = || outcomes.iter().map(|outcome| outcome.failed);
    let middle = median(outcomes, |outcome| Some(outcome.failed))?;
    let ratio = Ratio { median: seconds(middle), low: seconds(failed().min()?), high: seconds(failed().max()?) };
    Some(Bar { ratio, label: middle.to_string() })
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
    let rounds = arguments.iter().position(|argument| argument == "--rounds").and_then(|at| arguments.get(at + 1));
    let rounds: usize = rounds.map_or(3, |rounds| rounds.parse().expect("a number of rounds"));
    let (all, rounds) = if is_test { (&Fault::ALL[..1], 1) } else { (&Fault::ALL[..], rounds.max(1)) };
    let named = arguments.iter().find(|word| !word.starts_with("--") && word.parse::<usize>().is_err());
    let faults = all.iter().filter(|(_, words)| named.is_none_or(|named| words.contains(&**named)));
    let tries = if is_test { &[2][..] } else { &[0, 2][..] };
    let mut groups = Vec::new();
    for (fault, words) in faults {
        let mut bars = Vec::new();
        for retries in tries {
            let outcomes: Vec<Outcome> = (0..rounds).map_while(|_| play(*fault, *retries)).collect();
            if outcomes.len() == rounds {
                say(line(words, *retries, &outcomes));
            } else {
                say(format!("| {words} | {retries} | not played: a network namespace cannot be made here | | | | |"));
            }
            bars.push(bar(&outcomes));
        }
        let title = words.split([',', '(']).next().unwrap_or(words).trim();
        groups.push(Group { title: title.to_owned(), bars });
    }
    if is_test {
        return say("Testing failover\nSuccess".into());
    }
    let title = format!("Requests that failed of 1,000 a second, medians of {rounds}; the line is one second of them");
    let (names, colours) = (&["retries off", "2 retries"][..], &["#888888", "#2266cc"][..]);
    let picture = Picture { title: &title, names, colours, groups, cut: 5.0 };
    let folder = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), std::path::PathBuf::from);
    fs::write(folder.join("failover.svg"), picture.svg()).expect("a folder to write to");
}
