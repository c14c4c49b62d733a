//! The task of one probe, and what follows from its answers for whom it is asked.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metrics::Counter;
use tokio::sync::{Semaphore, mpsc};

use super::{
    Asked, Tree, Verdict,
    probe::{self, Answer, Question, Report},
};
use crate::{
    clock::{self, Clock},
    config::CheckTiming,
    fleet::{BasisPoints, Belief, Health, Signal, Source, Subject},
    resolver::Reach,
    telemetry::Histogram,
    tls::OriginTls,
};

/// A verdict holds for this many intervals, and at least [`MIN_VALIDITY`].
const VALID_INTERVALS: u32 = 5;
const MIN_VALIDITY: Duration = Duration::from_secs(10);
/// Bytes of words that go with a signal.
const MAX_WORDS: usize = 200;

/// What the answers to one question have come to.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) verdict: Verdict,
    /// Until when the verdict holds.
    until: Duration,
    /// What was wrong with the last answer.
    words: Option<Arc<str>>,
}

impl Known {
    pub(super) fn starting_from(health: Health, now: Duration) -> Arc<Mutex<Self>> {
        // Nothing was seen yet, so it says nothing before the first answer does.
        let verdict = Verdict::starting_from(health, now);
        Arc::new(Mutex::new(Self { verdict, until: Duration::MAX, words: None }))
    }
}

/// Nobody panics while holding one.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody whom probes are asked for.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) subject: Subject,
    pub(super) weight: Option<u16>,
    pub(super) probes: Tree<(Asked, Arc<Mutex<Known>>)>,
}

impl Watched {
    pub(super) fn health(&self) -> Health {
        self.probes.health(&|(_, known)| lock(known).verdict.health())
    }

    /// What its probes come to; nothing while that is open. It holds until the first of their verdicts does not.
    pub(super) fn conclude(&self, now: Duration) -> Option<Signal> {
        let health = self.health();
        if health == Health::Unknown {
            return None;
        }
        let (mut until, mut said) = (Duration::MAX, None);
        self.probes.each(&mut |(asked, known)| {
            let known = lock(known);
            if known.verdict.health() != Health::Unknown {
                until = until.min(known.until);
            }
            if said.is_none() && health == Health::Down && known.verdict.health() == Health::Down {
                said = self.words(asked, &known);
            }
        });
        let valid_for = Some(until.saturating_sub(now));
        Some(self.signal(Belief::Health(health), valid_for, said))
    }

    /// That nothing is known of it any more.
    pub(super) fn withdraw(&self) -> Signal {
        self.signal(Belief::Withdrawn, None, None)
    }

    /// Why it is down; which of several probes says so stands in front.
    fn words(&self, asked: &Asked, known: &Known) -> Option<Arc<str>> {
        let words = match &known.words {
            _ if known.verdict.is_held() => "it went up and down too often".into(),
            words => words.clone()?,
        };
        match &self.probes {
            Tree::Leaf(_) => Some(words),
            Tree::AtLeast(..) => {
                Some(shortened(&format!("{} {}: {words}", asked.check.kind.as_str(), asked.address)).into())
            }
        }
    }

    /// What an answer says of its weight, or no longer says.
    fn weight(&self, report: Report, before: Report, valid_for: Duration) -> Option<Signal> {
        let share = report.weight.and_then(|weight| weight.of(self.weight));
        match share {
            Some(share) => Some(self.signal(Belief::Weight(share), Some(valid_for), None)),
            // What was said is said again without any time left.
            None if before.weight.is_some_and(|weight| weight.of(self.weight).is_some()) => {
                Some(self.signal(Belief::Weight(BasisPoints::FULL), Some(Duration::ZERO), None))
            }
            None => None,
        }
    }

    fn drain(&self, report: Report, before: Report, valid_for: Duration) -> Option<Signal> {
        let valid_for = if report.is_draining { valid_for } else { Duration::ZERO };
        (report.is_draining || before.is_draining).then(|| self.signal(Belief::Drain, Some(valid_for), None))
    }

    fn signal(&self, belief: Belief, valid_for: Option<Duration>, said: Option<Arc<str>>) -> Signal {
        Signal { subject: self.subject.clone(), source: Source::Probe, belief, valid_for, said }
    }
}

/// What a reload changes of a probe that goes on.
#[derive(Debug, Default)]
pub(super) struct Changing {
    /// For whom it is asked.
    pub(super) watched: Vec<Arc<Watched>>,
    pub(super) tls: Option<OriginTls>,
}

/// What all probes of one kind count.
#[derive(Debug)]
pub(super) struct Meters {
    good: (Counter, Arc<Histogram>),
    bad: (Counter, Arc<Histogram>),
    unasked: (Counter, Arc<Histogram>),
}

impl Meters {
    pub(super) fn of(kind: &'static str) -> Self {
        let meter = |result: &'static str| {
            let seconds = crate::telemetry::histogram("meridian_probe_seconds", &[("kind", kind), ("result", result)]);
            (metrics::counter!("meridian_probes_total", "result" => result), seconds)
        };
        Self { good: meter("good"), bad: meter("bad"), unasked: meter("unasked") }
    }

    fn count(&self, answer: &Answer, took: Duration) {
        let (counter, seconds) = match &answer.result {
            Ok(_) => &self.good,
            Err(failure) if failure.is_our_own() => &self.unasked,
            Err(_) => &self.bad,
        };
        counter.increment(1);
        seconds.observe(took);
    }
}

/// One probe's task.
pub(super) struct Watch {
    pub(super) asked: Asked,
    pub(super) reach: Reach,
    pub(super) known: Arc<Mutex<Known>>,
    pub(super) changing: Arc<Mutex<Changing>>,
    pub(super) signals: mpsc::Sender<Signal>,
    pub(super) places: Arc<Semaphore>,
    pub(super) meters: Arc<Meters>,
    pub(super) clock: Clock,
    /// Until the first question.
    pub(super) delay: Duration,
}

impl Watch {
    pub(super) async fn run(self) {
        let timing = self.asked.check.timing;
        let mut random = clock::random();
        let (mut is_first, mut reported) = (true, Report::default());
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        loop {
            let began = self.clock.now();
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
            let tls = lock(&self.changing).tls.clone();
            let asked_at = self.clock.now();
            let question = Question { asked: &self.asked, reach: &self.reach, tls: tls.as_ref() };
            let answer = probe::ask(question, place).await;
            let now = self.clock.now();
            self.meters.count(&answer, now.saturating_sub(asked_at));
            if let Err(failure) = &answer.result {
                tracing::debug!(address = %self.asked.address, kind = self.asked.check.kind.as_str(), %failure, "probe failed");
                if failure.is_our_own() {
                    tokio::time::sleep(timing.interval).await;
                    continue;
                }
            }
            let (wait, is_calm) = self.count(&answer, &timing, now);
            for signal in self.conclude(&answer, &mut reported, &timing, now) {
                if self.signals.send(signal).await.is_err() {
                    return;
                }
            }
            // The second probe comes after any part of an interval, which spreads targets that all began at once.
            let drawn = random.f64();
            let wait = if is_first && is_calm { wait.mul_f64(drawn) } else { shortened_wait(wait, &timing, drawn) };
            is_first = false;
            tokio::time::sleep((began + wait).saturating_sub(self.clock.now())).await;
        }
    }

    /// Counts an answer; says when the next question is, and whether nothing is about to change.
    fn count(&self, answer: &Answer, timing: &CheckTiming, now: Duration) -> (Duration, bool) {
        let mut known = lock(&self.known);
        known.verdict.count(answer.result.is_ok(), timing, now);
        known.words = answer.result.as_ref().err().map(|failure| shortened(&failure.to_string()).into());
        if known.verdict.is_settled() {
            known.until = now + validity(&known.verdict, timing, now);
        }
        (known.verdict.next_in(timing, now), known.verdict.is_settled())
    }

    /// Verdicts are said again while they hold: that is news, too, to a node that doubts its eyes. An answer that speaks against the
    /// verdict says nothing of health until it has changed it.
    fn conclude(&self, answer: &Answer, before: &mut Report, timing: &CheckTiming, now: Duration) -> Vec<Signal> {
        let watched = lock(&self.changing).watched.clone();
        let (is_settled, valid_for) = {
            let known = lock(&self.known);
            (known.verdict.is_settled(), validity(&known.verdict, timing, now))
        };
        let mut signals = Vec::with_capacity(watched.len());
        if is_settled {
            signals.extend(watched.iter().filter_map(|one| one.conclude(now)));
        }
        if let Some(report) = answer.report {
            signals.extend(watched.iter().filter_map(|one| one.weight(report, *before, valid_for)));
            signals.extend(watched.iter().filter_map(|one| one.drain(report, *before, valid_for)));
            *before = report;
        }
        signals
    }
}

/// How long what was concluded holds.
fn validity(verdict: &Verdict, timing: &CheckTiming, now: Duration) -> Duration {
    (verdict.pace(timing, now) * VALID_INTERVALS).max(MIN_VALIDITY) + timing.timeout
}

/// A wait, shortened by up to the jitter. `drawn` is from 0 to 1.
fn shortened_wait(wait: Duration, timing: &CheckTiming, drawn: f64) -> Duration {
    wait.mul_f64(1.0 - drawn * f64::from(timing.jitter_percent) / 100.0)
}

/// Not more of it than goes with a signal, and nothing that would make another line of it.
fn shortened(words: &str) -> String {
    let mut text: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.truncate(text.floor_char_boundary(MAX_WORDS));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Check, CheckKind};

    const TIMING: CheckTiming = CheckTiming {
        interval: Duration::from_secs(1),
        recheck: Duration::from_millis(250),
        timeout: Duration::from_millis(500),
        rise: 1,
        fall: 1,
        jitter_percent: 20,
        long_down: Duration::from_secs(5),
        long_down_after: Duration::from_mins(1),
        flap_window: Duration::from_mins(1),
        flaps: 4,
    };

    fn known(is_good: bool, until: Duration, words: &str) -> (Asked, Arc<Mutex<Known>>) {
        let kind = CheckKind::Tcp { send: Arc::default(), expect: Arc::default() };
        let check = Arc::new(Check { kind, port: None, tls: None, timing: TIMING });
        let asked = Asked { address: "10.0.0.1:1".parse().unwrap(), check, region: None };
        let mut verdict = Verdict::default();
        verdict.count(is_good, &TIMING, Duration::ZERO);
        (asked, Arc::new(Mutex::new(Known { verdict, until, words: Some(words.into()) })))
    }

    fn watched(probes: Tree<(Asked, Arc<Mutex<Known>>)>) -> Watched {
        Watched { subject: Subject::FrontDoor { region: "here".into() }, weight: Some(100), probes }
    }

    #[test]
    fn jitter_only_shortens_and_at_most_by_its_share() {
        let second = Duration::from_secs(1);
        assert_eq!(shortened_wait(second, &TIMING, 0.0), second);
        assert_eq!(shortened_wait(second, &TIMING, 1.0), Duration::from_millis(800));
    }

    #[test]
    fn what_several_come_to_holds_until_the_first_of_them_does_not_and_says_which_is_down() {
        let second = Duration::from_secs(1);
        let leaves = vec![Tree::Leaf(known(true, second * 9, "")), Tree::Leaf(known(false, second * 5, "status 503"))];
        let signal = watched(Tree::AtLeast(2, leaves.clone())).conclude(second).unwrap();
        assert_eq!((signal.belief, signal.valid_for), (Belief::Health(Health::Down), Some(second * 4)));
        assert_eq!(signal.said.as_deref(), Some("tcp 10.0.0.1:1: status 503"));
        let signal = watched(Tree::AtLeast(1, leaves.clone())).conclude(second).unwrap();
        assert_eq!((signal.belief, signal.said), (Belief::Health(Health::Up), None));
        // One that has expired takes the whole with it: nothing is known of it any more.
        assert_eq!(watched(Tree::AtLeast(2, leaves)).conclude(second * 6).unwrap().valid_for, Some(Duration::ZERO));
        assert_eq!(
            watched(Tree::Leaf(known(false, second, "no"))).conclude(second).unwrap().said.as_deref(),
            Some("no")
        );
    }

    #[test]
    fn a_weight_and_a_drain_that_are_no_longer_said_end_at_once() {
        use crate::health::probe::Weight;
        let one = watched(Tree::Leaf(known(true, Duration::MAX, "")));
        let said = Report { weight: Some(Weight::Absolute(25)), is_draining: true };
        let valid = Duration::from_secs(10);
        let silent = Report::default();
        let weight = |report, before| one.weight(report, before, valid).map(|signal| (signal.belief, signal.valid_for));
        let drain = |report, before| one.drain(report, before, valid).map(|signal| (signal.belief, signal.valid_for));
        assert_eq!(weight(said, silent), Some((Belief::Weight(BasisPoints::new(2_500)), Some(valid))));
        assert_eq!(weight(silent, said), Some((Belief::Weight(BasisPoints::FULL), Some(Duration::ZERO))));
        assert_eq!(drain(said, said), Some((Belief::Drain, Some(valid))));
        assert_eq!(drain(silent, said), Some((Belief::Drain, Some(Duration::ZERO))));
        assert_eq!((weight(silent, silent), drain(silent, silent)), (None, None));
    }

    #[test]
    fn words_are_one_line_and_not_too_long() {
        assert_eq!(shortened("a\r\nb"), "a  b");
        let long = shortened(&"ä".repeat(300));
        assert!(long.len() <= MAX_WORDS && long.len() > MAX_WORDS - 2);
    }
}
