//! When targets are probed: first at once, then every interval, shortened at random so that nodes and targets drift apart.
//!
//! Probes under way are bounded for the whole node. Tasks of targets that a reload leaves alone go on with what they know.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use metrics::Counter;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

use super::{Target, Verdict, probe};
use crate::{
    clock::{self, Clock},
    config::CheckTiming,
    fleet::{Belief, Signal, Source, Subject},
    resolver::{Directory, Reach},
};

/// A verdict holds for this many intervals, and at least [`MIN_VALIDITY`].
const VALID_INTERVALS: u32 = 5;
const MIN_VALIDITY: Duration = Duration::from_secs(10);

/// Probes a set of targets until dropped.
#[derive(Debug)]
pub struct Prober {
    tasks: HashMap<Subject, Watched>,
    signals: mpsc::Sender<Signal>,
    places: Arc<Semaphore>,
    max_in_flight: usize,
    clock: Clock,
}

/// One target and who watches it.
#[derive(Debug)]
struct Watched {
    target: Target,
    task: JoinHandle<()>,
    verdict: Arc<Mutex<Verdict>>,
}

impl Prober {
    /// With nothing to probe yet.
    pub fn new(signals: mpsc::Sender<Signal>, clock: Clock) -> Self {
        Self { tasks: HashMap::new(), signals, places: Arc::new(Semaphore::new(0)), max_in_flight: 0, clock }
    }

    /// Probes these from now on, so many at once, and names where they lead. Runs within a tokio runtime.
    pub fn set_targets(&mut self, targets: Vec<Target>, max_in_flight: usize, directory: &Directory) {
        self.make_room(max_in_flight);
        let mut before = std::mem::take(&mut self.tasks);
        for target in targets {
            let watched = match before.remove(&target.subject) {
                Some(known) if known.target == target => known,
                replaced => {
                    // Another way of asking starts from what is known: one bad answer more is not a new world.
                    let verdict = replaced.map(|replaced| {
                        replaced.task.abort();
                        replaced.verdict
                    });
                    self.watch(target.clone(), directory, verdict.unwrap_or_default())
                }
            };
            self.tasks.insert(target.subject.clone(), watched);
        }
        for watched in before.into_values() {
            watched.task.abort();
        }
        #[allow(clippy::cast_precision_loss, reason = "a count of targets is far below 2^52")]
        metrics::gauge!("meridian_probe_targets").set(self.tasks.len() as f64);
    }

    /// Where there is less room now, probes under way finish, and what they hold is taken back by a later call.
    fn make_room(&mut self, max_in_flight: usize) {
        match max_in_flight.checked_sub(self.max_in_flight) {
            Some(more) => {
                self.places.add_permits(more);
                self.max_in_flight += more;
            }
            None => self.max_in_flight -= self.places.forget_permits(self.max_in_flight - max_in_flight),
        }
    }

    fn watch(&self, target: Target, directory: &Directory, verdict: Arc<Mutex<Verdict>>) -> Watched {
        let watch = Watch {
            target: target.clone(),
            addresses: target.addresses.iter().map(|address| directory.reach(address)).collect(),
            verdict: Arc::clone(&verdict),
            signals: self.signals.clone(),
            places: Arc::clone(&self.places),
            clock: self.clock.clone(),
            good: metrics::counter!("meridian_probes_total", "result" => "good"),
            bad: metrics::counter!("meridian_probes_total", "result" => "bad"),
            unasked: metrics::counter!("meridian_probes_total", "result" => "unasked"),
        };
        Watched { target, task: tokio::spawn(watch.run()), verdict }
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        for watched in self.tasks.values() {
            watched.task.abort();
        }
    }
}

/// One target's task.
struct Watch {
    target: Target,
    addresses: Vec<Reach>,
    /// Shared with whoever watches the target after this.
    verdict: Arc<Mutex<Verdict>>,
    signals: mpsc::Sender<Signal>,
    places: Arc<Semaphore>,
    clock: Clock,
    good: Counter,
    bad: Counter,
    /// Probes that failed on this side, and say nothing.
    unasked: Counter,
}

impl Watch {
    async fn run(self) {
        let timing = self.target.check.timing;
        let valid_for = (timing.interval * VALID_INTERVALS).max(MIN_VALIDITY) + timing.timeout;
        let mut random = clock::random();
        let mut is_first = true;
        loop {
            let began = self.clock.now();
            let Ok(place) = self.places.acquire().await else { return };
            let answer = probe::ask(&self.addresses, &self.target.check, &self.target.manner).await;
            drop(place);
            let is_good = answer.is_ok();
            if let Err(failure) = &answer {
                tracing::debug!(subject = %self.target.subject, %failure, "probe failed");
                if failure.is_our_own() {
                    self.unasked.increment(1);
                    tokio::time::sleep(timing.interval).await;
                    continue;
                }
            }
            if is_good { &self.good } else { &self.bad }.increment(1);
            let verdict = self.count(is_good, &timing);
            // Said again while it holds: that is news, too, to a node that doubts its eyes. An answer that speaks against the verdict
            // says nothing until it has changed it.
            if verdict.is_settled() {
                let belief = Belief::Health(verdict.health());
                let subject = self.target.subject.clone();
                let signal = Signal { subject, source: Source::Probe, belief, valid_for: Some(valid_for), said: None };
                if self.signals.send(signal).await.is_err() {
                    return;
                }
            }
            // The second probe comes after any part of an interval, which spreads targets that all began at once.
            let wait = if is_first && verdict.next_in(&timing) == timing.interval {
                timing.interval.mul_f64(random.f64())
            } else {
                shortened(verdict.next_in(&timing), &timing, random.f64())
            };
            is_first = false;
            tokio::time::sleep((began + wait).saturating_sub(self.clock.now())).await;
        }
    }
}

impl Watch {
    fn count(&self, is_good: bool, timing: &CheckTiming) -> Verdict {
        let mut verdict = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        verdict.count(is_good, timing);
        *verdict
    }
}

/// A wait, shortened by up to the jitter. `drawn` is from 0 to 1.
fn shortened(wait: Duration, timing: &CheckTiming, drawn: f64) -> Duration {
    wait.mul_f64(1.0 - drawn * f64::from(timing.jitter_percent) / 100.0)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;
    use crate::{
        config::{Check, CheckKind},
        fleet::{Address, Health},
        health::target::Manner,
    };

    fn target(address: SocketAddr, kind: CheckKind) -> Target {
        let timing = CheckTiming {
            interval: Duration::from_millis(20),
            recheck: Duration::from_millis(5),
            timeout: Duration::from_millis(200),
            rise: 2,
            fall: 2,
            jitter_percent: 20,
        };
        let address = Address::Fixed(address);
        let subject = Subject::Origin { pool: "shop".into(), address: address.clone() };
        Target { subject, addresses: vec![address], check: Check { kind, port: None, timing }, manner: Manner::PLAIN }
    }

    /// Takes signals until one says so.
    async fn until(signals: &mut mpsc::Receiver<Signal>, health: Health) {
        let said = async { while signals.recv().await.unwrap().belief != Belief::Health(health) {} };
        tokio::time::timeout(Duration::from_secs(10), said).await.unwrap();
    }

    #[tokio::test]
    async fn a_target_is_up_while_it_accepts_and_down_when_it_does_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (signals, mut received) = mpsc::channel(16);
        let mut prober = Prober::new(signals, Clock::system());
        prober.set_targets(vec![target(address, CheckKind::Tcp)], 4, &Directory::default());

        until(&mut received, Health::Up).await;
        drop(listener);
        until(&mut received, Health::Down).await;
    }

    #[tokio::test]
    async fn a_status_out_of_range_and_an_answer_that_is_not_http_are_bad() {
        for answer in ["HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", "hello\r\n\r\n"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    _ = stream.write_all(answer.as_bytes()).await;
                }
            });
            let (signals, mut received) = mpsc::channel(16);
            let mut prober = Prober::new(signals, Clock::system());
            let kind = CheckKind::Http { path: "/".into(), host: "shop".into(), statuses: (200, 399), is_plain: false };
            prober.set_targets(vec![target(address, kind)], 4, &Directory::default());
            let first = received.recv().await.unwrap();
            assert_eq!(first.belief, Belief::Health(Health::Down), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_target_that_stays_keeps_its_task_and_one_that_goes_is_left_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stays = target(listener.local_addr().unwrap(), CheckKind::Tcp);
        let goes = target(([127, 0, 0, 1], 1).into(), CheckKind::Tcp);
        let (signals, mut received) = mpsc::channel(16);
        let mut prober = Prober::new(signals, Clock::system());
        prober.set_targets(vec![stays.clone(), goes.clone()], 4, &Directory::default());
        let task = prober.tasks[&stays.subject].task.id();
        received.recv().await.unwrap();
        prober.set_targets(vec![stays.clone()], 1, &Directory::default());
        assert_eq!(prober.tasks[&stays.subject].task.id(), task);
        assert!(!prober.tasks.contains_key(&goes.subject));
    }

    /// What speaks against a verdict must not renew it: control takes every word as one more probe that saw something.
    #[tokio::test]
    async fn an_answer_against_the_verdict_says_nothing_until_it_has_changed_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (signals, mut received) = mpsc::channel(16);
        let mut prober = Prober::new(signals, Clock::system());
        let mut target = target(listener.local_addr().unwrap(), CheckKind::Tcp);
        target.check.timing.fall = 5;
        prober.set_targets(vec![target], 4, &Directory::default());
        until(&mut received, Health::Up).await;
        drop(listener);
        let mut said = Vec::new();
        while said.last() != Some(&Belief::Health(Health::Down)) {
            said.push(received.recv().await.unwrap().belief);
        }
        // One probe may have been under way when the listener went.
        assert!(said.len() <= 2, "{said:?}");
    }

    #[tokio::test]
    async fn another_way_of_asking_starts_from_what_is_known() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (signals, mut received) = mpsc::channel(16);
        let mut prober = Prober::new(signals, Clock::system());
        let mut target = target(listener.local_addr().unwrap(), CheckKind::Tcp);
        prober.set_targets(vec![target.clone()], 4, &Directory::default());
        until(&mut received, Health::Up).await;
        drop(listener);
        let (interval, recheck) = (Duration::from_secs(1), Duration::from_millis(90));
        target.check.timing = CheckTiming { fall: 3, interval, recheck, jitter_percent: 0, ..target.check.timing };
        prober.set_targets(vec![target.clone()], 4, &Directory::default());
        let early = tokio::time::timeout(Duration::from_millis(150), until(&mut received, Health::Down)).await;
        assert!(early.is_err(), "one bad answer of a new check took it down");
        until(&mut received, Health::Down).await;
    }

    #[test]
    fn jitter_only_shortens_and_at_most_by_its_share() {
        let timing = target(([127, 0, 0, 1], 1).into(), CheckKind::Tcp).check.timing;
        let second = Duration::from_secs(1);
        assert_eq!(shortened(second, &timing, 0.0), second);
        assert_eq!(shortened(second, &timing, 1.0), Duration::from_millis(800));
    }
}
