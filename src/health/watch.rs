//! The task of one probe, and what follows from its answers for whom it is asked.

use std::{
    cmp::Reverse,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metrics::Counter;
use tokio::sync::{Semaphore, mpsc};

use super::{
    Asked, Target, Tree, Verdict,
    probe::{self, Answer, Question, Report, Weight},
};
use crate::{
    clock::{self, Clock},
    config::CheckTiming,
    fleet::{BasisPoints, Belief, Doubt, Health, Signal, Source, Subject, words},
    resolver::Reach,
    telemetry::Histogram,
    tls::OriginTls,
};

/// A verdict holds for this many intervals, and at least [`MIN_VALIDITY`].
const VALID_INTERVALS: u32 = 5;
const MIN_VALIDITY: Duration = Duration::from_secs(10);

/// What the answers to one question have come to.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) verdict: Verdict,
    /// Until when the verdict holds.
    until: Duration,
    /// What was wrong with the last answer.
    words: Option<Arc<str>>,
    told: Told,
}

impl Known {
    /// What was known by other probes, until this one has its own first answer, which is soon.
    pub(super) fn starting_from(health: Health, told: Told, now: Duration) -> Arc<Mutex<Self>> {
        let verdict = Verdict::starting_from(health, now);
        Arc::new(Mutex::new(Self { verdict, until: now + MIN_VALIDITY, words: None, told }))
    }
}

/// What answers say of how much work is wanted, and until when each of that holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    weight: Option<(Weight, Duration)>,
    drain: Option<Duration>,
}

impl Told {
    fn new(report: Report, until: Duration) -> Self {
        Self { weight: report.weight.map(|weight| (weight, until)), drain: report.is_draining.then_some(until) }
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
    /// Whether control was told a weight, and a drain.
    said: Mutex<(bool, bool)>,
}

impl Watched {
    /// Somebody who was watched `before`, perhaps by other probes.
    pub(super) fn new(target: &Target, probes: Tree<(Asked, Arc<Mutex<Known>>)>, before: Option<&Self>) -> Self {
        let said = before.map(|before| *lock(&before.said)).unwrap_or_default();
        Self { subject: target.subject.clone(), weight: target.weight, probes, said: Mutex::new(said) }
    }

    pub(super) fn health(&self) -> Health {
        self.probes.health(&|(_, known)| lock(known).verdict.health())
    }

    /// What its probes come to; nothing while that is open.
    pub(super) fn conclude(&self, now: Duration) -> Option<Signal> {
        let (health, until) = self.probes.verdict(&|(_, known)| {
            let known = lock(known);
            (known.verdict.health(), known.until)
        });
        if health == Health::Unknown {
            return None;
        }
        let mut said = None;
        self.probes.each(&mut |(asked, known)| {
            let known = lock(known);
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
        let why = match &known.words {
            _ if known.verdict.is_held() => "it went up and down too often".into(),
            words => words.clone()?,
        };
        Some(match &self.probes {
            Tree::Leaf(_) => why,
            Tree::AtLeast(..) => words(&format!("{} {}: {why}", asked.check.kind.as_str(), asked.address)),
        })
    }

    /// What its probes were told together: the least of the weights, and no new work where any of them says so.
    pub(super) fn told(&self, now: Duration) -> Told {
        let (mut least, mut drain) = (None, None);
        self.probes.each(&mut |(_, known)| {
            let told = lock(known).told;
            drain = drain.max(told.drain.filter(|until| *until > now));
            let weight = told.weight.filter(|(_, until)| *until > now);
            let share = weight.and_then(|(weight, until)| Some((weight.of(self.weight)?, Reverse(until), weight)));
            least = [least, share].into_iter().flatten().min_by_key(|(share, until, _)| (*share, *until));
        });
        Told { weight: least.map(|(_, Reverse(until), weight)| (weight, until)), drain }
    }

    /// How much work it wants. What is no longer said is said once more, without any time left.
    pub(super) fn conclude_work(&self, now: Duration) -> Vec<Signal> {
        let told = self.told(now);
        let weight = told.weight.and_then(|(weight, until)| Some((weight.of(self.weight)?, until)));
        let said = std::mem::replace(&mut *lock(&self.said), (weight.is_some(), told.drain.is_some()));
        let weight = weight.or(said.0.then_some((BasisPoints::FULL, now)));
        let drain = told.drain.or(said.1.then_some(now));
        let weight = weight.map(|(share, until)| (Belief::Weight(share), until));
        let beliefs = weight.into_iter().chain(drain.map(|until| (Belief::Drain, until)));
        beliefs.map(|(belief, until)| self.signal(belief, Some(until.saturating_sub(now)), None)).collect()
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

    fn count(&self, answer: &Answer, is_asked: bool, took: Duration) {
        let (counter, seconds) = match &answer.result {
            Ok(_) => &self.good,
            Err(_) if is_asked => &self.bad,
            Err(_) => &self.unasked,
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
    pub(super) doubt: Doubt,
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
        let mut is_first = true;
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
            let is_up = lock(&self.known).verdict.health() == Health::Up;
            let is_asked = answer.result.as_ref().err().is_none_or(|failure| !failure.is_our_own(is_up));
            self.meters.count(&answer, is_asked, now.saturating_sub(asked_at));
            if let Err(failure) = &answer.result {
                tracing::debug!(address = %self.asked.address, kind = self.asked.check.kind.as_str(), %failure, "probe failed");
            }
            if !is_asked {
                tokio::time::sleep(timing.interval).await;
                continue;
            }
            let (wait, is_calm) = self.count(&answer, &timing, now);
            for signal in self.conclude(&answer, now) {
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
        if self.doubt.is_there() {
            known.verdict.forgive();
        }
        known.words = answer.result.as_ref().err().map(|failure| words(&failure.to_string()));
        let until = now + validity(&known.verdict, timing, now);
        if known.verdict.is_settled() {
            known.until = until;
        }
        if let Some(report) = answer.report {
            known.told = Told::new(report, until);
        }
        (known.verdict.next_in(timing, now), known.verdict.is_settled())
    }

    /// Verdicts are said again while they hold: that is news, too, to a node that doubts its eyes. So an answer that speaks against the
    /// verdict says nothing of health until it has changed it, and a bad one never says that something works, though others may say so.
    fn conclude(&self, answer: &Answer, now: Duration) -> Vec<Signal> {
        let watched = lock(&self.changing).watched.clone();
        let is_settled = lock(&self.known).verdict.is_settled();
        let mut signals = Vec::with_capacity(watched.len());
        if is_settled {
            let is_shown = |signal: &Signal| answer.result.is_ok() || signal.belief != Belief::Health(Health::Up);
            signals.extend(watched.iter().filter_map(|one| one.conclude(now)).filter(is_shown));
        }
        if answer.report.is_some() {
            signals.extend(watched.iter().flat_map(|one| one.conclude_work(now)));
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
        (asked, Arc::new(Mutex::new(Known { verdict, until, words: Some(words.into()), told: Told::default() })))
    }

    fn watched(probes: Tree<(Asked, Arc<Mutex<Known>>)>) -> Watched {
        let subject = Subject::FrontDoor { region: "here".into() };
        Watched { subject, weight: Some(100), probes, said: Mutex::default() }
    }

    #[test]
    fn jitter_only_shortens_and_at_most_by_its_share() {
        let second = Duration::from_secs(1);
        assert_eq!(shortened_wait(second, &TIMING, 0.0), second);
        assert_eq!(shortened_wait(second, &TIMING, 1.0), Duration::from_millis(800));
    }

    #[test]
    fn what_several_come_to_says_which_is_down_and_is_over_with_what_makes_it() {
        let second = Duration::from_secs(1);
        let leaves = vec![Tree::Leaf(known(true, second * 9, "")), Tree::Leaf(known(false, second * 5, "status 503"))];
        let signal = watched(Tree::AtLeast(2, leaves.clone())).conclude(second).unwrap();
        assert_eq!((signal.belief, signal.valid_for), (Belief::Health(Health::Down), Some(second * 4)));
        assert_eq!(signal.said.as_deref(), Some("tcp 10.0.0.1:1: status 503"));
        let signal = watched(Tree::AtLeast(1, leaves.clone())).conclude(second).unwrap();
        assert_eq!((signal.belief, signal.said), (Belief::Health(Health::Up), None));
        assert_eq!(signal.valid_for, Some(second * 8), "who is down does not carry it");
        // One that has expired takes with it what it makes: nothing is known of it any more.
        assert_eq!(watched(Tree::AtLeast(2, leaves)).conclude(second * 6).unwrap().valid_for, Some(Duration::ZERO));
        assert_eq!(
            watched(Tree::Leaf(known(false, second, "no"))).conclude(second).unwrap().said.as_deref(),
            Some("no")
        );
    }

    /// What is said of it at a time in seconds: beliefs, and for how many seconds more.
    fn work(one: &Watched, now: u64) -> Vec<(Belief, u64)> {
        let said = one.conclude_work(Duration::from_secs(now));
        said.into_iter().map(|signal| (signal.belief, signal.valid_for.unwrap().as_secs())).collect()
    }

    fn says(leaf: &(Asked, Arc<Mutex<Known>>), weight: Option<u16>, is_draining: bool, until: u64) {
        let report = Report { weight: weight.map(Weight::Absolute), is_draining };
        lock(&leaf.1).told = Told::new(report, Duration::from_secs(until));
    }

    fn share(percent: u16) -> Belief {
        Belief::Weight(BasisPoints::new(percent * 100))
    }

    #[test]
    fn a_weight_and_a_drain_that_are_no_longer_said_end_at_once_and_are_then_not_spoken_of() {
        let leaf = known(true, Duration::MAX, "");
        let one = watched(Tree::Leaf(leaf.clone()));
        assert!(work(&one, 1).is_empty());
        says(&leaf, Some(25), true, 11);
        assert_eq!(work(&one, 1), [(share(25), 10), (Belief::Drain, 10)]);
        says(&leaf, None, true, 12);
        assert_eq!(work(&one, 2), [(share(100), 0), (Belief::Drain, 10)]);
        says(&leaf, None, false, 13);
        assert_eq!(work(&one, 3), [(Belief::Drain, 0)]);
        assert!(work(&one, 4).is_empty());
    }

    #[test]
    fn of_several_probes_the_least_weight_counts_and_any_drain_and_silence_of_one_is_not_that_of_the_others() {
        let leaves = [known(true, Duration::MAX, ""), known(true, Duration::MAX, "")];
        let one = watched(Tree::AtLeast(2, leaves.clone().map(Tree::Leaf).to_vec()));
        says(&leaves[0], Some(25), true, 11);
        says(&leaves[1], Some(50), false, 12);
        assert_eq!(work(&one, 1), [(share(25), 10), (Belief::Drain, 10)]);
        says(&leaves[1], None, false, 13);
        assert_eq!(work(&one, 2), [(share(25), 9), (Belief::Drain, 9)]);
        says(&leaves[1], Some(50), false, 20);
        // The first is not heard any more.
        assert_eq!(work(&one, 11), [(share(50), 9), (Belief::Drain, 0)]);
    }
}
