//! What is really there, whatever anybody believes: origins that queue, cool down and die, and the regions that they stand in.
//!
//! An origin's latency is `base / (1 - load / capacity)`. Beyond its capacity it fails what is too much, and long before that it is too
//! slow for probes: so whoever sends it too much kills it. One that was away is cold: it carries a part of what it is built for, until it
//! has worked for a while.

use super::plan::Plan;
use meridian::clock::Random;

/// Milliseconds since the start.
pub(crate) type Millis = u64;
/// One step of everything.
pub(crate) const STEP: Millis = 100;
/// Until a probe has failed, as the config has it.
pub(crate) const PROBE_TIMEOUT: Millis = 500;

const BASE_LATENCY: f64 = 20.0;
/// Clients wait no longer.
const PATIENCE: f64 = 1_000.0;
/// What a cold origin carries of its capacity.
const COLD: f64 = 0.2;
/// Seconds of work until it is warm.
const WARMS_UP: f64 = 60.0;

/// What ails an origin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ailment {
    /// It refuses connections.
    pub(crate) is_dead: bool,
    /// Milliseconds on top.
    pub(crate) slowness: f64,
    /// How much slower it gets in a second.
    pub(crate) slows_by: f64,
    /// The share of answers that are errors.
    pub(crate) greyness: f64,
}

/// One origin.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) region: usize,
    pub(crate) ailment: Ailment,
    /// When it was last told so or cured.
    pub(crate) changed_at: Millis,
    capacity: f64,
    warmth: f64,
    /// Requests a second, smoothed.
    pub(crate) load: f64,
    arrived: f64,
}

/// How a request or a probe ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    /// After so many milliseconds.
    Good(f64),
    Bad(f64),
    Refused,
    /// Nothing comes back.
    Silent,
}

impl Server {
    /// What it can carry now.
    pub(crate) fn capacity(&self) -> f64 {
        if self.ailment.is_dead { 0.0 } else { self.capacity * self.warmth }
    }

    fn latency(&self) -> f64 {
        let free = 1.0 - self.load / self.capacity().max(1e-9);
        BASE_LATENCY / free.max(0.005) + self.ailment.slowness
    }

    fn answer(&self, random: &mut Random) -> Answer {
        if self.ailment.is_dead {
            return Answer::Refused;
        }
        let (latency, overload) = (self.latency(), self.load / self.capacity());
        let is_lost = random.f64() < self.ailment.greyness || (overload > 1.0 && random.f64() > 1.0 / overload);
        if is_lost || latency > PATIENCE { Answer::Bad(latency.min(PATIENCE)) } else { Answer::Good(latency) }
    }
}

/// One region.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    /// Its front door, its node and its origins are unreachable, since when.
    pub(crate) lost_since: Option<Millis>,
    /// Probes of its node fail, whatever they ask.
    pub(crate) is_blind: bool,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) servers: Vec<Server>,
    pub(crate) sites: Vec<Site>,
    per_region: usize,
    smoothing: f64,
    /// From a death until every node that sees should know.
    detection: Millis,
}

impl World {
    pub(crate) fn new(plan: &Plan, detection: Millis) -> Self {
        let server = |at: usize| Server {
            region: at / plan.servers,
            ailment: Ailment::default(),
            changed_at: 0,
            capacity: plan.server_capacity,
            warmth: 1.0,
            load: plan.server_capacity * plan.demand,
            arrived: 0.0,
        };
        Self {
            servers: (0..plan.regions * plan.servers).map(server).collect(),
            sites: vec![Site::default(); plan.regions],
            per_region: plan.servers,
            smoothing: plan.smoothing,
            detection,
        }
    }

    pub(crate) fn of_region(&self, region: usize) -> &[Server] {
        &self.servers[region * self.per_region..][..self.per_region]
    }

    /// The first so many origins of a region.
    pub(crate) fn first_of(&mut self, region: usize, share: f64) -> &mut [Server] {
        let count = (self.per_region as f64 * share).round() as usize;
        &mut self.servers[region * self.per_region..][..count]
    }

    pub(crate) fn is_lost(&self, region: usize) -> bool {
        self.sites[region].lost_since.is_some()
    }

    /// Whether an origin has been gone for so long that a node that has seen since then should know.
    pub(crate) fn is_known_gone(&self, server: usize, seen_since: Millis, now: Millis) -> bool {
        let server = &self.servers[server];
        let died = server.ailment.is_dead.then_some(server.changed_at);
        let gone = self.sites[server.region].lost_since.or(died);
        gone.is_some_and(|gone| now > gone.max(seen_since) + self.detection + 1_000)
    }

    /// One request, or one probe, from anywhere but a lost region.
    pub(crate) fn ask(&mut self, server: usize, is_request: bool, random: &mut Random) -> Answer {
        if self.is_lost(self.servers[server].region) {
            return Answer::Silent;
        }
        let server = &mut self.servers[server];
        server.arrived += f64::from(u8::from(is_request));
        server.answer(random)
    }

    /// What a region can carry now, and what it carries, in requests a second.
    pub(crate) fn room(&self, region: usize) -> (f64, f64) {
        let is_lost = self.is_lost(region);
        let sum = |what: fn(&Server) -> f64| self.of_region(region).iter().map(what).sum::<f64>();
        (if is_lost { 0.0 } else { sum(Server::capacity) }, sum(|server| server.load))
    }

    /// Whether something was done to the region or to anybody in it that is not cured.
    pub(crate) fn is_ailing(&self, region: usize) -> bool {
        self.is_lost(region) || self.of_region(region).iter().any(|server| server.ailment != Ailment::default())
    }

    /// When anything was last done to the region or anybody in it.
    pub(crate) fn changed_at(&self, region: usize) -> Millis {
        self.of_region(region).iter().map(|server| server.changed_at).max().unwrap_or_default()
    }

    /// Something is done to all of a region's origins now.
    pub(crate) fn touch(&mut self, region: usize, now: Millis) {
        self.first_of(region, 1.0).iter_mut().for_each(|server| server.changed_at = now);
    }

    /// Whoever was away is cold.
    pub(crate) fn cool(servers: &mut [Server]) {
        for server in servers {
            (server.warmth, server.load) = (COLD, 0.0);
        }
    }

    pub(crate) fn step(&mut self) {
        let seconds = STEP as f64 / 1_000.0;
        for server in &mut self.servers {
            let part = seconds / self.smoothing;
            server.load += part * (server.arrived / seconds - server.load);
            let works = !server.ailment.is_dead && server.load > 0.1 * server.capacity;
            if works {
                server.warmth = (server.warmth + (1.0 - COLD) * seconds / WARMS_UP).min(1.0);
            }
            server.arrived = 0.0;
            server.ailment.slowness += server.ailment.slows_by * seconds;
        }
    }
}
