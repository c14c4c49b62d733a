//! The one who hears what workers saw, decides, and tells control.

use std::{collections::HashMap, sync::Arc, time::Duration};

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use super::{
    detect::Detector,
    pool::{Decision, PoolWatch},
};
use crate::{
    clock::Clock,
    config::{Config, Pool},
    fleet::{Address, Belief, Health, Observation, Signal, Source, Subject, Watchlist, words},
};

/// Observations that may wait; more are dropped by who has them.
const OBSERVATIONS: usize = 4_096;
/// Observations taken in one go.
const BATCH: usize = 256;
/// How often it is looked at who may come back.
const TICK: Duration = Duration::from_millis(100);
/// Ticks between two looks at what was seen lately.
const REVIEW_TICKS: u32 = 10;

/// Everybody whom this config wants watched, with who was watched before.
pub fn watchlist(config: &Config, before: Option<&Watchlist>) -> Watchlist {
    let addresses = |pool: &Pool| -> Vec<Address> {
        pool.in_table_order().into_iter().map(|origin| origin.address.clone()).collect()
    };
    let pools = config.pools.iter().map(|pool| (Arc::clone(&pool.name), addresses(pool)));
    Watchlist::new(pools, before)
}

/// Judges origins by what requests show, until dropped.
#[derive(Debug)]
pub struct Ejector {
    config: watch::Sender<Arc<Config>>,
    task: JoinHandle<()>,
}

impl Ejector {
    /// Begins, and says where workers tell what they saw. Runs within a tokio runtime.
    pub fn start(
        config: &Arc<Config>,
        signals: mpsc::Sender<Signal>,
        clock: Clock,
    ) -> (Self, mpsc::Sender<Observation>) {
        let (sender, observations) = mpsc::channel(OBSERVATIONS);
        let (changes, changed) = watch::channel(Arc::clone(config));
        let judge = Judge::new(clock);
        let task = tokio::spawn(run(judge, observations, changed, signals));
        (Self { config: changes, task }, sender)
    }

    /// Goes on with another config. Origins that stay keep their record.
    pub fn follow(&self, config: &Arc<Config>) {
        self.config.send_replace(Arc::clone(config));
    }
}

impl Drop for Ejector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    mut judge: Judge,
    mut observations: mpsc::Receiver<Observation>,
    mut changed: watch::Receiver<Arc<Config>>,
    signals: mpsc::Sender<Signal>,
) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Vec::with_capacity(BATCH);
    let config = Arc::clone(&changed.borrow_and_update());
    let mut said = judge.follow(&config);
    loop {
        for signal in said.drain(..) {
            if signals.send(signal).await.is_err() {
                return;
            }
        }
        said = tokio::select! {
            biased;
            Ok(()) = changed.changed() => {
                let config = Arc::clone(&changed.borrow_and_update());
                judge.follow(&config)
            }
            _ = ticks.tick() => judge.tick(),
            1.. = observations.recv_many(&mut heard, BATCH) => {
                heard.drain(..).flat_map(|seen| judge.hear(&seen)).collect()
            }
        };
    }
}

/// All pools. Single-threaded and without waiting.
struct Judge {
    clock: Clock,
    pools: HashMap<Arc<str>, (PoolWatch, Meters)>,
    ticks: u32,
    received: Counter,
}

impl Judge {
    fn new(clock: Clock) -> Self {
        describe();
        Self { clock, pools: HashMap::new(), ticks: 0, received: counter!("meridian_observations_total") }
    }

    fn follow(&mut self, config: &Config) -> Vec<Signal> {
        let (now, mut before, mut said) = (self.clock.now(), std::mem::take(&mut self.pools), Vec::new());
        for pool in &config.pools {
            let (known, meters) = before.remove(&pool.name).unzip();
            let meters = meters.unwrap_or_else(|| Meters::new(pool));
            let was_enforced = known.as_ref().is_some_and(PoolWatch::is_enforced);
            let mut decided = Vec::new();
            let watch = PoolWatch::new(pool, known, now, &mut decided);
            // Who comes back now was out by the old config's word.
            meters.draw(&watch);
            said.extend(tell(&pool.name, was_enforced, &meters, decided));
            self.pools.insert(Arc::clone(&pool.name), (watch, meters));
        }
        // The recorder cannot forget them. Control forgets by itself whoever left.
        for (_, meters) in before.into_values() {
            meters.ejected.set(0.0);
        }
        said
    }

    fn hear(&mut self, seen: &Observation) -> Vec<Signal> {
        self.received.increment(1);
        let Subject::Origin { pool, address } = seen.origin.subject() else { return Vec::new() };
        let now = self.clock.now();
        let Some((watch, meters)) = self.pools.get_mut(pool) else { return Vec::new() };
        decide(pool, watch, meters, |watch, decided| watch.hear(address, seen, now, decided))
    }

    /// Does what time alone makes happen.
    fn tick(&mut self) -> Vec<Signal> {
        self.ticks = self.ticks.wrapping_add(1);
        let (now, is_review) = (self.clock.now(), self.ticks.is_multiple_of(REVIEW_TICKS));
        let look = |watch: &mut PoolWatch, decided: &mut Vec<Decision>| {
            watch.tick(now, decided);
            if is_review {
                watch.review(now, decided);
            }
        };
        self.pools.iter_mut().flat_map(|(name, (watch, meters))| decide(name, watch, meters, look)).collect()
    }
}

fn decide(
    pool: &Arc<str>,
    watch: &mut PoolWatch,
    meters: &Meters,
    what: impl FnOnce(&mut PoolWatch, &mut Vec<Decision>),
) -> Vec<Signal> {
    let mut decided = Vec::new();
    what(watch, &mut decided);
    if decided.is_empty() {
        return Vec::new();
    }
    meters.draw(watch);
    tell(pool, watch.is_enforced(), meters, decided)
}

/// Counts and writes down what was decided, and says it to control where it is enforced.
fn tell(pool: &Arc<str>, is_enforced: bool, meters: &Meters, decided: Vec<Decision>) -> Vec<Signal> {
    let mut signals = Vec::new();
    for decision in decided {
        let (address, belief, valid_for, said) = match decision {
            Decision::Withhold => {
                meters.withheld.increment(1);
                continue;
            }
            Decision::Eject { origin, detector, said, span } => {
                meters.count(detector, is_enforced);
                let what = if is_enforced { "ejected" } else { "would have been ejected" };
                tracing::warn!(%pool, %origin, detector = detector.as_str(), said, ?span, "{what}");
                (origin, Belief::Health(Health::Down), Some(span), Some(words(&said)))
            }
            Decision::Return { origin } => {
                let what = if is_enforced { "may come back" } else { "would have come back" };
                tracing::info!(%pool, %origin, "{what}");
                (origin, Belief::Withdrawn, None, None)
            }
        };
        if is_enforced {
            let subject = Subject::Origin { pool: Arc::clone(pool), address };
            signals.push(Signal { subject, source: Source::Traffic, belief, valid_for, said });
        }
    }
    signals
}

/// What is counted of a pool.
struct Meters {
    pool: Arc<str>,
    ejected: Gauge,
    withheld: Counter,
}

impl Meters {
    fn new(pool: &Pool) -> Self {
        let name = pool.name.to_string();
        Self {
            pool: Arc::clone(&pool.name),
            ejected: gauge!("meridian_ejected", "pool" => name.clone()),
            withheld: counter!("meridian_ejections_withheld_total", "pool" => name),
        }
    }

    /// Ejections are rare: a counter is made when there is one.
    fn count(&self, detector: Detector, is_enforced: bool) {
        let (pool, enforced) = (self.pool.to_string(), if is_enforced { "true" } else { "false" });
        counter!("meridian_ejections_total", "pool" => pool, "detector" => detector.as_str(), "enforced" => enforced)
            .increment(1);
    }

    #[allow(clippy::cast_precision_loss, reason = "a count of origins is far below 2^52")]
    fn draw(&self, watch: &PoolWatch) {
        self.ejected.set(if watch.is_enforced() { watch.ejected() as f64 } else { 0.0 });
    }
}

fn describe() {
    describe_counter!("meridian_ejections_total", "Ejections of origins for what requests showed, by detector");
    describe_gauge!("meridian_ejected", "Origins of the pool that are ejected");
    describe_counter!(
        "meridian_ejections_withheld_total",
        "Origins that stay though they were found: too many were out"
    );
    describe_counter!("meridian_observations_total", "Observations of requests that were taken in");
    describe_counter!("meridian_observations_dropped_total", "Observations of requests that found no room");
}

#[cfg(test)]
mod tests;
