//! When targets are probed: first at once, then every interval, shortened at random so that nodes and targets drift apart.
//!
//! Probes under way are bounded for the whole node, and so are the commands that run. Tasks of probes that a reload leaves alone go on
//! with what they know. Where there are more targets than may be asked at once, the first questions of the others are spread over an interval.

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
    Asked, Target,
    watch::{Changing, Known, Meters, Watch, Watched, lock},
};
use crate::{
    clock::Clock,
    config::{self, CheckKind, CheckTls},
    fleet::{Belief, Health, Signal, Source, Subject},
    resolver::Directory,
    tls::OriginTls,
};

/// Probes a set of targets until dropped.
#[derive(Debug)]
pub struct Prober {
    probes: HashMap<Asked, Probe>,
    watched: HashMap<Subject, Arc<Watched>>,
    signals: mpsc::Sender<Signal>,
    places: Places,
    commands: Places,
    meters: HashMap<&'static str, Arc<Meters>>,
    clock: Clock,
    /// Says of those who are not probed any more that nothing is known of them.
    farewell: Option<JoinHandle<()>>,
}

/// One question and who asks it.
#[derive(Debug)]
struct Probe {
    task: JoinHandle<()>,
    known: Arc<Mutex<Known>>,
    changing: Arc<Mutex<Changing>>,
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
    /// With nothing to probe yet.
    pub fn new(signals: mpsc::Sender<Signal>, clock: Clock) -> Self {
        Self {
            probes: HashMap::new(),
            watched: HashMap::new(),
            signals,
            places: Places::none(),
            commands: Places::none(),
            meters: HashMap::new(),
            clock,
            farewell: None,
        }
    }

    /// Probes these from now on, with this much room, names where they lead, and TLS by what checks want. Runs within a tokio runtime.
    pub fn set_targets(
        &mut self,
        targets: &[Target],
        room: &config::Health,
        directory: &Directory,
        secured: &HashMap<CheckTls, OriginTls>,
    ) {
        self.places.set(room.max_in_flight);
        self.commands.set(room.max_commands);
        let now = self.clock.now();
        let mut before = std::mem::take(&mut self.probes);
        let mut gone = std::mem::take(&mut self.watched);
        let mut new: Vec<(Asked, Arc<Mutex<Known>>, Arc<Mutex<Changing>>)> = Vec::new();
        let mut starting: HashMap<Asked, usize> = HashMap::new();
        let mut changing: HashMap<Asked, Changing> = HashMap::new();
        for target in targets {
            // Another way of asking starts from what is known: one bad answer more is not a new world.
            let health = gone.remove(&target.subject).map_or(Health::Unknown, |watched| watched.health());
            let probes = target.probes.map(&mut |asked| {
                if let Some(kept) = before.remove(asked) {
                    self.probes.insert(asked.clone(), kept);
                }
                let known = self.probes.get(asked).map(|probe| Arc::clone(&probe.known)).unwrap_or_else(|| {
                    let at = *starting.entry(asked.clone()).or_insert_with(|| {
                        new.push((asked.clone(), Known::starting_from(health, now), Arc::default()));
                        new.len() - 1
                    });
                    Arc::clone(&new[at].1)
                });
                (asked.clone(), known)
            });
            let watched = Arc::new(Watched { subject: target.subject.clone(), weight: target.weight, probes });
            let mut seen = HashSet::new();
            target.probes.each(&mut |asked| {
                if seen.insert(asked) {
                    changing.entry(asked.clone()).or_default().watched.push(Arc::clone(&watched));
                }
            });
            self.watched.insert(target.subject.clone(), watched);
        }
        self.start(new, directory);
        for (asked, mut change) in changing {
            change.tls = asked.check.tls.as_ref().and_then(|wanted| secured.get(wanted)).cloned();
            if let Some(probe) = self.probes.get(&asked) {
                *lock(&probe.changing) = change;
            }
        }
        before.into_values().for_each(|probe| probe.task.abort());
        self.withdraw(gone.into_keys().collect());
        #[allow(clippy::cast_precision_loss, reason = "a count of targets is far below 2^52")]
        {
            metrics::gauge!("meridian_probe_targets").set(self.watched.len() as f64);
            metrics::gauge!("meridian_probe_tasks").set(self.probes.len() as f64);
        }
    }

    /// As many as may be under way begin at once. The others would only wait for them: they begin one after the other.
    fn start(&mut self, new: Vec<(Asked, Arc<Mutex<Known>>, Arc<Mutex<Changing>>)>, directory: &Directory) {
        let (count, at_once) = (new.len(), self.places.most);
        for (at, (asked, known, changing)) in new.into_iter().enumerate() {
            let kind = asked.check.kind.as_str();
            let meters = self.meters.entry(kind).or_insert_with(|| Arc::new(Meters::of(kind)));
            let is_command = matches!(asked.check.kind, CheckKind::Command { .. });
            let watch = Watch {
                reach: directory.reach(&asked.address),
                known: Arc::clone(&known),
                changing: Arc::clone(&changing),
                signals: self.signals.clone(),
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

    /// Those who stay in the config without a check are not what was seen of them last; the others are nobody to control.
    fn withdraw(&mut self, subjects: Vec<Subject>) {
        if subjects.is_empty() {
            return;
        }
        let (signals, earlier) = (self.signals.clone(), self.farewell.take());
        self.farewell = Some(tokio::spawn(async move {
            if let Some(earlier) = earlier {
                _ = earlier.await;
            }
            for subject in subjects {
                let belief = Belief::Withdrawn;
                let signal = Signal { subject, source: Source::Probe, belief, valid_for: None, said: None };
                if signals.send(signal).await.is_err() {
                    return;
                }
            }
        }));
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.probes.values().for_each(|probe| probe.task.abort());
        if let Some(farewell) = &self.farewell {
            farewell.abort();
        }
    }
}

/// Until the first question of the one at this place among so many.
#[allow(clippy::cast_precision_loss, reason = "a count of targets is far below 2^52")]
fn delay(at: usize, count: usize, at_once: usize, interval: Duration) -> Duration {
    if at < at_once { Duration::ZERO } else { interval.mul_f64((at - at_once) as f64 / (count - at_once) as f64) }
}

#[cfg(test)]
mod tests;
