//! One node's probes, on the simulation's time: as `health::Prober` has them, with the world to ask instead of sockets.
//!
//! Not here: the bound on probes under way, which shows where thousands fall silent at once.

use super::{
    plan::POOL,
    world::{Ailment, Answer, Millis, PROBE_TIMEOUT, STEP, World},
};
use meridian::{
    clock::Random,
    config::{CheckTiming, Checks, Config},
    fleet::{Belief, Health, Signal, Source, Subject},
    health::Verdict,
};
use std::{sync::Arc, time::Duration};

/// The wheel turns once in this many steps; no wait is longer.
const SLOTS: usize = 256;

struct Target {
    subject: Subject,
    aim: Aim,
    timing: CheckTiming,
    verdict: Verdict,
    is_first: bool,
    said_at: Option<Millis>,
}

#[derive(Clone, Copy)]
enum Aim {
    Server(usize),
    Door(usize),
}

#[derive(Clone, Copy)]
struct Due {
    target: usize,
    /// What a probe that began then will have found; `None` where it is to begin.
    found: Option<(bool, Millis)>,
}

/// An origin that nothing ails was found to be down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Victim {
    pub(crate) server: usize,
}

pub(crate) struct Eyes {
    targets: Vec<Target>,
    wheel: Vec<Vec<Due>>,
    renews_ms: Millis,
    /// Verdicts that turned, by origin.
    pub(crate) turned: Vec<u32>,
}

impl Eyes {
    pub(crate) fn new(config: &Config, renews_ms: Millis, now: Millis) -> Self {
        let pool = &config.pools[0];
        let target = |subject, aim, timing| Target {
            subject,
            aim,
            timing,
            verdict: Verdict::default(),
            is_first: true,
            said_at: None,
        };
        let origins = pool.origins.iter().enumerate().map(|(at, origin)| {
            let subject = Subject::Origin { pool: POOL.into(), address: origin.address.clone() };
            target(subject, Aim::Server(at), timing(&pool.check))
        });
        let doors = config.regions.iter().enumerate().map(|(at, region)| {
            target(Subject::FrontDoor { region: Arc::clone(&region.name) }, Aim::Door(at), timing(&region.check))
        });
        let targets: Vec<Target> = origins.chain(doors).collect();
        let mut wheel = vec![Vec::new(); SLOTS];
        wheel[slot(now)].extend((0..targets.len()).map(|target| Due { target, found: None }));
        Self { turned: vec![0; pool.origins.len()], targets, wheel, renews_ms }
    }

    /// Everything that is due, as signals.
    pub(crate) fn look(
        &mut self,
        from: usize,
        world: &mut World,
        now: Millis,
        random: &mut Random,
        mut say: impl FnMut(Signal),
    ) -> Vec<Victim> {
        let mut victims = Vec::new();
        let mut due = std::mem::take(&mut self.wheel[slot(now)]);
        while let Some(one) = due.pop() {
            let Some((is_good, began)) = one.found else {
                let (is_good, takes) = probe(self.targets[one.target].aim, from, world, random);
                let end = Due { found: Some((is_good, now)), ..one };
                let later = &mut self.wheel[slot(now + takes)];
                if takes == 0 { &mut due } else { later }.push(end);
                continue;
            };
            let target = &mut self.targets[one.target];
            let has_turned =
                target.verdict.count(is_good, &target.timing, Duration::from_millis(now)) && !target.is_first;
            if let Aim::Server(server) = target.aim
                && has_turned
            {
                self.turned[server] += 1;
                let ails = world.servers[server].ailment != Ailment::default()
                    || world.is_lost(world.servers[server].region)
                    || world.sites[from].is_blind;
                if target.verdict.health() == Health::Down && !ails {
                    victims.push(Victim { server });
                }
            }
            let is_news = has_turned || target.said_at.is_none_or(|said| now - said >= self.renews_ms);
            if target.verdict.is_settled() && is_news {
                target.said_at = Some(now);
                say(signal(target));
            }
            let next = wait(target, began, now, random);
            target.is_first = false;
            self.wheel[slot(next)].push(Due { found: None, ..one });
        }
        victims
    }
}

fn signal(target: &Target) -> Signal {
    let valid_for = (target.timing.interval * 5).max(Duration::from_secs(10)) + target.timing.timeout;
    let belief = Belief::Health(target.verdict.health());
    Signal { subject: target.subject.clone(), source: Source::Probe, belief, valid_for: Some(valid_for), said: None }
}

/// When the next probe begins.
fn wait(target: &Target, began: Millis, now: Millis, random: &mut Random) -> Millis {
    let wait = target.verdict.next_in(&target.timing, Duration::from_millis(now));
    let drawn = random.f64();
    let shortened = if target.is_first && wait == target.timing.interval {
        wait.mul_f64(drawn)
    } else {
        wait.mul_f64(1.0 - drawn * f64::from(target.timing.jitter_percent) / 100.0)
    };
    let next = began + shortened.as_millis() as Millis;
    // Never the slot that is being emptied, and never once around.
    next.clamp(now + STEP, now + STEP * (SLOTS as Millis - 1))
}

fn timing(checks: &Checks) -> CheckTiming {
    checks.only().expect("plans have one check each").timing
}

fn slot(at: Millis) -> usize {
    at.div_ceil(STEP) as usize % SLOTS
}

/// What it will find, and how long that takes.
fn probe(aim: Aim, from: usize, world: &mut World, random: &mut Random) -> (bool, Millis) {
    let timeout = PROBE_TIMEOUT as f64;
    if world.sites[from].is_blind {
        return (false, PROBE_TIMEOUT);
    }
    match aim {
        Aim::Door(region) if world.is_lost(region) => (false, PROBE_TIMEOUT),
        Aim::Door(_) => (true, 0),
        Aim::Server(server) => match world.ask(server, false, random) {
            Answer::Good(latency) if latency <= timeout => (true, 0),
            Answer::Bad(latency) if latency <= timeout => (false, 0),
            Answer::Refused => (false, 0),
            Answer::Good(_) | Answer::Bad(_) | Answer::Silent => (false, PROBE_TIMEOUT),
        },
    }
}
