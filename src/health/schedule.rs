//! When targets are probed: first at once, then every interval, shortened at random so that nodes and targets drift apart.
//!
//! Probes under way are bounded for the whole node, and so are the commands that run. Tasks of probes that a reload leaves alone go on
//! with what they know. Where there are more targets than may be asked at once, the first questions of the others are spread over an interval,
//! and over a second at most: what nobody asked is not served.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

use super::{
    Asked, Target, Verdict,
    watch::{Changing, Known, Meters, Told, Watch, Watched, lock},
};
use crate::{
    clock::Clock,
    config::{self, CheckKind},
    fleet::{Doubt, Health, Signal, Subject},
    resolver::Directory,
    tls::Outward,
};

/// First questions are spread over no longer than this.
const LONGEST_SPREAD: Duration = Duration::from_secs(1);

/// Probes a set of targets until dropped.
#[derive(Debug)]
pub struct Prober {
    probes: HashMap<Asked, Probe>,
    watched: HashMap<Subject, Arc<Watched>>,
    signals: mpsc::Sender<Signal>,
    doubt: Doubt,
    places: Places,
    commands: Places,
    meters: HashMap<&'static str, Arc<Meters>>,
    clock: Clock,
    /// Says what follows from a reload alone.
    telling: Option<JoinHandle<()>>,
}

/// One question and who asks it.
#[derive(Debug)]
struct Probe {
    task: JoinHandle<()>,
    known: Arc<Mutex<Known>>,
    changing: Arc<Mutex<Changing>>,
}

/// Questions that nobody asks yet, in their order.
#[derive(Default)]
struct New {
    probes: Vec<(Asked, Arc<Mutex<Known>>)>,
    /// Where among them, and from what it starts.
    places: HashMap<Asked, (usize, Health)>,
}

impl New {
    /// What is known of this one: at first that its target was so, and said that. Of two that were not the same, neither says how the other is.
    fn known(&mut self, asked: &Asked, health: Health, told: Told, now: Duration) -> Arc<Mutex<Known>> {
        let probes = &mut self.probes;
        let (at, starts_from) = self.places.entry(asked.clone()).or_insert_with(|| {
            let told = if asked.check.reports() { told } else { Told::default() };
            probes.push((asked.clone(), Known::starting_from(health, told, now)));
            (probes.len() - 1, health)
        });
        let known = &probes[*at].1;
        // Who was never watched has nothing to lose.
        if health != *starts_from && health != Health::Unknown {
            *starts_from = Health::Unknown;
            lock(known).verdict = Verdict::default();
        }
        Arc::clone(known)
    }
}

/// Who may ask now.
#[derive(Debug)]
struct Places {
    free: Arc<Semaphore>,
    most: usize,
}

impl Places {
    fn none() -> Self {
        Self { free: Arc::new(Semaphore::new(0)), most: 0 }
    }

    /// Where there is less room now, probes under way finish, and what they hold is taken back by a later call.
    fn set(&mut self, most: usize) {
        match most.checked_sub(self.most) {
            Some(more) => {
                self.free.add_permits(more);
                self.most += more;
            }
            None => self.most -= self.free.forget_permits(self.most - most),
        }
    }
}

impl Prober {
    /// With nothing to probe yet. Who changes while the node doubts its own eyes is not taken to flap.
    pub fn new(signals: mpsc::Sender<Signal>, doubt: Doubt, clock: Clock) -> Self {
        Self {
            probes: HashMap::new(),
            watched: HashMap::new(),
            signals,
            doubt,
            places: Places::none(),
            commands: Places::none(),
            meters: HashMap::new(),
            clock,
            telling: None,
        }
    }

    /// Probes these from now on, with this much room, names where they lead, and TLS by what checks want. Runs within a tokio runtime.
    pub fn set_targets(&mut self, targets: &[Target], room: &config::Health, directory: &Directory, secured: &Outward) {
        self.places.set(room.max_in_flight);
        self.commands.set(room.max_commands);
        let now = self.clock.now();
        let mut before = std::mem::take(&mut self.probes);
        let mut gone = std::mem::take(&mut self.watched);
        let mut new = New::default();
        let mut changing: HashMap<Asked, Changing> = HashMap::new();
        let mut news = Vec::new();
        for target in targets {
            let watched_before = gone.remove(&target.subject);
            // Another way of asking starts from what is known: one bad answer more is not a new world.
            let (health, told) =
                watched_before.as_ref().map(|watched| (watched.health(), watched.told(now))).unwrap_or_default();
            let probes = target.probes.map(&mut |asked| {
                if let Some(kept) = before.remove(asked) {
                    self.probes.insert(asked.clone(), kept);
                }
                let kept = self.probes.get(asked).map(|probe| Arc::clone(&probe.known));
                let known = kept.unwrap_or_else(|| new.known(asked, health, told, now));
                (asked.clone(), known)
            });
            let watched = Arc::new(Watched::new(target, probes, watched_before.as_deref()));
            // Others may have had it asked before, or it is now made of the same answers in another way.
            if watched.health() != health {
                news.extend(watched.conclude(now));
            }
            news.extend(watched.conclude_work(now));
            let mut seen = HashSet::new();
            target.probes.each(&mut |asked| {
                if seen.insert(asked) {
                    changing.entry(asked.clone()).or_default().watched.push(Arc::clone(&watched));
                }
            });
            self.watched.insert(target.subject.clone(), watched);
        }
        self.start(new.probes, directory);
        for (asked, mut change) in changing {
            change.tls = asked.check.tls.as_ref().and_then(|wanted| secured.of_check(wanted)).cloned();
            if let Some(probe) = self.probes.get(&asked) {
                *lock(&probe.changing) = change;
            }
        }
        for probe in before.into_values() {
            probe.task.abort();
        }
        // Those who stay in the config without a check are not what was seen of them last; the others are nobody to control.
        news.extend(gone.into_values().map(|watched| watched.withdraw()));
        self.tell(news);
        #[allow(clippy::cast_precision_loss, reason = "a count of targets is far below 2^52")]
        {
            metrics::gauge!("meridian_probe_targets").set(self.watched.len() as f64);
            metrics::gauge!("meridian_probe_tasks").set(self.probes.len() as f64);
        }
    }

    /// As many as may be under way begin at once. The others would only wait for them: they begin one after the other.
    fn start(&mut self, new: Vec<(Asked, Arc<Mutex<Known>>)>, directory: &Directory) {
        let (count, at_once) = (new.len(), self.places.most);
        for (at, (asked, known)) in new.into_iter().enumerate() {
            let changing = Arc::<Mutex<Changing>>::default();
            let kind = asked.check.kind.as_str();
            let meters = self.meters.entry(kind).or_insert_with(|| Arc::new(Meters::of(kind)));
            let is_command = matches!(asked.check.kind, CheckKind::Command { .. });
            let watch = Watch {
                reach: directory.reach(&asked.address),
                known: Arc::clone(&known),
                changing: Arc::clone(&changing),
                signals: self.signals.clone(),
                doubt: self.doubt.clone(),
                places: Arc::clone(if is_command { &self.commands.free } else { &self.places.free }),
                meters: Arc::clone(meters),
                clock: self.clock.clone(),
                delay: delay(at, count, at_once, asked.check.timing.interval),
                asked: asked.clone(),
            };
            // Nothing is polled before this call is over, so whom it is asked for stands there when the first answer comes.
            self.probes.insert(asked, Probe { task: tokio::spawn(watch.run()), known, changing });
        }
    }

    /// Says what no probe is going to say.
    fn tell(&mut self, news: Vec<Signal>) {
        if news.is_empty() {
            return;
        }
        let (signals, earlier) = (self.signals.clone(), self.telling.take());
        self.telling = Some(tokio::spawn(async move {
            if let Some(earlier) = earlier {
                _ = earlier.await;
            }
            for signal in news {
                if signals.send(signal).await.is_err() {
                    return;
                }
            }
        }));
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        let tasks = self.probes.values().map(|probe| &probe.task).chain(&self.telling);
        for task in tasks {
            task.abort();
        }
    }
}

/// Until the first question of the one at this place among so many.
#[allow(clippy::cast_precision_loss, reason = "a count of targets is far below 2^52")]
fn delay(at: usize, count: usize, at_once: usize, interval: Duration) -> Duration {
    let place = at.saturating_sub(at_once) as f64 / count.saturating_sub(at_once).max(1) as f64;
    interval.min(LONGEST_SPREAD).mul_f64(place)
}

#[cfg(test)]
mod tests;
