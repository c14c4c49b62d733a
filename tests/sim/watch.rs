//! What must hold, looked at while it happens. Each breach says seed, scenario, time and numbers.

use super::{
    eyes::Victim,
    history::History,
    node::{Node, Objection},
    plan::{Plan, Protections, TTL},
    scenario::{Event, Scenario},
    world::{Ailment, Millis, Server, World},
};

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invariant {
    /// Every request is answered or fails, once, and shares sum to one.
    AddsUp,
    /// Who is known to be down gets nothing while somebody else is up.
    KnownDown,
    /// Shares go where they have to go, and back.
    NoOscillation,
    /// A failure stays where it is: whoever is well is not driven too far, and does not fall.
    NoCascade,
    /// What has come back does not fall again under what comes to it.
    NoRelapse,
    /// What has come back gets next to nothing before its hold is over.
    HeldBack,
    /// In the end all have what they had.
    SharesReturn,
    /// While there is capacity, requests are answered.
    Answered,
    /// A region that lost a part passes on bit by bit.
    NotRushed,
    /// And no more than it cannot carry.
    OnlyTheExcess,
    /// Verdicts do not come and go with single answers.
    SteadyVerdicts,
}

#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) invariant: Invariant,
    pub(crate) text: String,
}

/// Seconds until clients and smoothed numbers have come to rest at the start.
const BEGINS: usize = 30;
/// A share that goes back by so much of the whole has turned.
const TURN: f64 = 0.06;

/// The way of one share up and down.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    furthest: f64,
    /// 1 up, -1 down, 0 not moved yet.
    direction: i8,
    turns: usize,
}

impl Way {
    fn follow(&mut self, share: f64) {
        let moved = share - self.furthest;
        match self.direction {
            0 if moved.abs() >= TURN => (self.direction, self.furthest) = (if moved > 0.0 { 1 } else { -1 }, share),
            1 if moved > 0.0 => self.furthest = share,
            -1 if moved < 0.0 => self.furthest = share,
            1 if moved <= -TURN => (self.direction, self.furthest, self.turns) = (-1, share, self.turns + 1),
            -1 if moved >= TURN => (self.direction, self.furthest, self.turns) = (1, share, self.turns + 1),
            _ => {}
        }
    }
}

/// Whether something that came back is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    No,
    /// A part of it never left, so nothing is.
    Partly,
    /// Since and until when.
    Since(Millis, Millis),
}

pub(crate) struct Watch {
    scenario: Scenario,
    seed: u64,
    /// From a death to the verdict.
    bound: Millis,
    ways: Vec<Way>,
    /// For how many seconds each has been driven too far.
    driven: Vec<u32>,
    /// Since when each region, or its pool, is back from where all of it was lost, and until when it is held.
    held: Vec<Held>,
    /// Until when failed requests are what has to be expected.
    excused_until: Millis,
    pub(crate) breaches: Vec<Breach>,
}

impl Watch {
    pub(crate) fn new(scenario: &Scenario, seed: u64, bound: Millis) -> Self {
        let regions = scenario.plan.regions;
        Self {
            scenario: scenario.clone(),
            seed,
            bound,
            ways: vec![Way::default(); regions],
            driven: vec![0; regions],
            held: vec![Held::No; regions],
            excused_until: 0,
            breaches: Vec::new(),
        }
    }

    fn breach(&mut self, invariant: Invariant, now: Millis, numbers: &str) {
        if self.breaches.iter().any(|breach| breach.invariant == invariant) {
            return;
        }
        let Scenario { name, .. } = self.scenario;
        let (seed, seconds) = (self.seed, now as f64 / 1_000.0);
        let text = format!("{invariant:?}: {name}, seed {seed}, at {seconds:.1} s: {numbers}");
        self.breaches.push(Breach { invariant, text });
    }

    /// Something is done to a region now.
    pub(crate) fn changed(&mut self, region: usize, event: Event, now: Millis) {
        let Protections { hold, region_hold, .. } = self.scenario.plan.protections;
        let back = |hold: u32| Held::Since(now, now + 1_000 * Millis::from(hold));
        match event {
            Event::Kill(share) => self.held[region] = if share < 1.0 { Held::Partly } else { Held::No },
            Event::Restore => self.held[region] = back(region_hold),
            Event::Revive if self.held[region] == Held::No => self.held[region] = back(hold),
            _ => {}
        }
        let excused = match event {
            // Clients behind a resolver that keeps the answer have nowhere else to go.
            Event::Lose => self.bound + TTL * 1_000,
            Event::Kill(_) => self.bound,
            // Until the slowest probe has failed; requests fail much later.
            _ => return,
        };
        self.excused_until = self.excused_until.max(now + excused + 5_000);
    }

    /// A client opens a connection to a front door.
    pub(crate) fn connected(&mut self, region: usize, world: &World, now: Millis) {
        let Some(since) = world.sites[region].lost_since else { return };
        let gone = now - since;
        if gone > self.bound + TTL * 1_000 {
            let name = Plan::region_name(region);
            self.breach(Invariant::KnownDown, now, &format!("a client is led to {name}, which is gone for {gone} ms"));
        }
    }

    /// A node picked whom it should not.
    pub(crate) fn object(&mut self, by: usize, objection: &Objection, now: Millis) {
        let (node, server) = (Plan::region_name(by), objection.server);
        let why = objection.why;
        self.breach(Invariant::KnownDown, now, &format!("the node of {node} picked origin {server}: {why}"));
    }

    /// A node found somebody to be down whom nothing ails.
    pub(crate) fn fell(&mut self, victim: Victim, by: &Node, world: &World, now: Millis) {
        let server = &world.servers[victim.server];
        let is_young = server.changed_at > 0 && now - server.changed_at < 240_000;
        let invariant = if is_young { Invariant::NoRelapse } else { Invariant::NoCascade };
        let numbers = format!(
            "the node of {} finds origin {} of {} down, which has nothing but too much to do: {:.1} of {:.1} requests a second",
            Plan::region_name(by.home()),
            victim.server,
            Plan::region_name(server.region),
            server.load,
            server.capacity()
        );
        self.breach(invariant, now, &numbers);
    }

    /// One more second is over.
    pub(crate) fn second(&mut self, history: &History, world: &World, nodes: &mut [Option<Node>]) {
        let at = history.seconds.len() - 1;
        let now = history.seconds.len() as Millis * 1_000;
        self.adds_up(history, now);
        self.known_down(world, nodes, now);
        if at < BEGINS {
            return;
        }
        self.shares(history, at, now);
        self.is_not_driven(history, world, at, now);
        self.is_answered(history, world, at, now);
        for region in 0..self.scenario.plan.regions {
            self.is_not_rushed(region, history, world, at, now);
            self.is_held_back(region, history, at, now);
            self.keeps_what_it_carries(region, history, world, (at, now), nodes);
        }
        self.verdicts(nodes, now);
    }

    /// The whole is over.
    pub(crate) fn end(&mut self, history: &History) {
        if !self.scenario.bounds.returns {
            return;
        }
        let at = history.seconds.len() - 1;
        for region in 0..self.scenario.plan.regions {
            let (share, usual) = (history.share(region, at, 20), self.usual(region, at));
            if (share - usual).abs() > 0.05 {
                let name = Plan::region_name(region);
                let numbers = format!("{name} ends with a share of {share:.3}; its clients are {usual:.3}");
                self.breach(Invariant::SharesReturn, at as Millis * 1_000, &numbers);
            }
        }
    }

    /// The share that a region's own clients are.
    fn usual(&self, region: usize, at: usize) -> f64 {
        let plan = &self.scenario.plan;
        let all: f64 = (0..plan.regions).map(|place| plan.demand_at(place, at as f64)).sum();
        plan.demand_at(region, at as f64) / all
    }

    fn adds_up(&mut self, history: &History, now: Millis) {
        let Some(second) = history.seconds.last() else { return };
        let tally = &second.tally;
        let (served, at) = (tally.served.iter().sum::<u64>(), history.seconds.len() - 1);
        let shares: f64 = (0..self.scenario.plan.regions).map(|region| history.share(region, at, 1)).sum();
        if served + tally.unreached != tally.sent || (served > 0 && (shares - 1.0).abs() > 1e-9) {
            let numbers = format!(
                "{} sent, {served} came to an origin, {} did not; shares sum to {shares}",
                tally.sent, tally.unreached
            );
            self.breach(Invariant::AddsUp, now, &numbers);
        }
    }

    /// Whoever has been dead for longer than the bound is known to be, to every node that sees and has lived so long.
    fn known_down(&mut self, world: &World, nodes: &mut [Option<Node>], now: Millis) {
        for region in 0..self.scenario.plan.regions {
            let Some(since) = world.sites[region].lost_since else { continue };
            for node in nodes.iter_mut().flatten() {
                let is_late = now.saturating_sub(since.max(node.opened_at)) > self.bound + 1_000;
                let sees = node.sees(region);
                if is_late && !world.sites[node.home()].is_blind && sees.contains("Up") {
                    let (by, of) = (Plan::region_name(node.home()), Plan::region_name(region));
                    let numbers = format!("{of} is gone since {since} ms, and the node of {by} sees: {sees}");
                    self.breach(Invariant::KnownDown, now, &numbers);
                }
            }
        }
    }

    fn shares(&mut self, history: &History, at: usize, now: Millis) {
        for region in 0..self.scenario.plan.regions {
            let off = history.share(region, at, 10) - self.usual(region, at);
            self.ways[region].follow(off);
            let Way { turns, .. } = self.ways[region];
            if turns > self.scenario.bounds.turns {
                let (name, most) = (Plan::region_name(region), self.scenario.bounds.turns);
                let numbers = format!("the share of {name} turned {turns} times, of at most {most}");
                self.breach(Invariant::NoOscillation, now, &numbers);
            }
        }
    }

    fn is_not_driven(&mut self, history: &History, world: &World, at: usize, now: Millis) {
        let driven = &history.seconds[at].driven;
        let all: f64 = (0..driven.len()).map(|region| world.room(region).0).sum();
        let wanted: f64 = (0..driven.len()).map(|place| self.scenario.plan.demand_at(place, at as f64)).sum();
        for (region, driven) in driven.iter().enumerate() {
            let is_too_far = *driven > self.scenario.bounds.driven && wanted < 0.8 * all;
            let is_well = !world.is_ailing(region) && world.changed_at(region) == 0;
            self.driven[region] = if is_too_far && is_well { self.driven[region] + 1 } else { 0 };
            if self.driven[region] == 5 {
                let name = Plan::region_name(region);
                let numbers = format!(
                    "{name}, which nothing ails, is at {driven:.2} of its capacity, while {wanted:.0} of {all:.0} requests a second are wanted"
                );
                self.breach(Invariant::NoCascade, now, &numbers);
            }
        }
    }

    fn is_answered(&mut self, history: &History, world: &World, at: usize, now: Millis) {
        let failures = history.failures(at, 5);
        let regions = self.scenario.plan.regions;
        let all: f64 = (0..regions).map(|region| world.room(region).0).sum();
        let wanted: f64 = (0..regions).map(|place| self.scenario.plan.demand_at(place, at as f64)).sum();
        if failures > 0.02 && now > self.excused_until && wanted < 0.9 * all {
            let numbers =
                format!("{failures:.3} of the requests fail; {wanted:.0} are wanted and {all:.0} could be answered");
            self.breach(Invariant::Answered, now, &numbers);
        }
    }

    /// What a region answers itself falls by no more than the config says in ten seconds, while it has anything left.
    fn is_not_rushed(&mut self, region: usize, history: &History, world: &World, at: usize, now: Millis) {
        let is_well = |server: &Server| server.ailment == Ailment::default();
        let is_weakened =
            world.is_ailing(region) && !world.is_lost(region) && world.of_region(region).iter().any(is_well);
        if !is_weakened || at < BEGINS + 10 {
            return;
        }
        let ((came, before), (comes, after)) = (history.stayed(region, at - 10, 5), history.stayed(region, at, 5));
        // As the promise is, whatever the config says; and as far as chance goes in so few requests.
        let promised = f64::from(Protections::DEFAULT.spill_percent) / 100.0;
        let most = promised + 0.05 + 4.0 * (0.5 / came.min(comes).max(1) as f64).sqrt();
        // What is left is not overrun meanwhile.
        let carried = 0.85 * 5.0 * world.room(region).0 / (comes.max(1) as f64);
        if came.min(comes) > 50 && before - after > most && after < carried - 0.05 {
            let name = Plan::region_name(region);
            let numbers = format!("{name} answered {before:.2} of what came to it, and {after:.2} ten seconds later");
            self.breach(Invariant::NotRushed, now, &numbers);
        }
    }

    fn is_held_back(&mut self, region: usize, history: &History, at: usize, now: Millis) {
        let Held::Since(since, until) = self.held[region] else { return };
        let (share, usual) = (history.share(region, at, 5), self.usual(region, at));
        if since + 10_000 < now && now < until && share > 0.15 * usual {
            let name = Plan::region_name(region);
            let numbers = format!(
                "{name} is back since {since} ms and held until {until} ms, and answers {share:.3} of all; its clients are {usual:.3}"
            );
            self.breach(Invariant::HeldBack, now, &numbers);
        }
    }

    /// Long after the last change a weakened region has what is left of it carry what it can.
    fn keeps_what_it_carries(
        &mut self,
        region: usize,
        history: &History,
        world: &World,
        (at, now): (usize, Millis),
        nodes: &mut [Option<Node>],
    ) {
        const REST: Millis = 90_000;
        let servers = world.of_region(region);
        let dead = servers.iter().filter(|server| server.ailment.is_dead).count();
        let is_at_rest = world.is_ailing(region) && now > world.changed_at(region) + REST;
        if dead == 0 || dead == servers.len() || world.is_lost(region) || !is_at_rest {
            return;
        }
        let usable = 1.0 - dead as f64 / servers.len() as f64;
        let (carries, usual) = ((usable * 1.4).min(1.0), self.usual(region, at));
        let keeps = history.share(region, at, 60) / usual;
        if (keeps - carries).abs() > 0.15 {
            let sees = nodes[region].as_mut().map(|node| node.sees(region)).unwrap_or_default();
            let numbers = format!(
                "{} has {usable:.2} of its origins, which carry {carries:.2} of its clients, and answers {keeps:.2}; its node sees: {sees}",
                Plan::region_name(region)
            );
            self.breach(Invariant::OnlyTheExcess, now, &numbers);
        }
    }

    fn verdicts(&mut self, nodes: &[Option<Node>], now: Millis) {
        let most = self.scenario.bounds.verdicts;
        for node in nodes.iter().flatten() {
            let Some((server, turned)) = node.eyes.turned.iter().enumerate().max_by_key(|(_, turned)| **turned) else {
                continue;
            };
            if *turned > most {
                let by = Plan::region_name(node.home());
                let numbers =
                    format!("the verdict of {by} on origin {server} turned {turned} times, of at most {most}");
                self.breach(Invariant::SteadyVerdicts, now, &numbers);
            }
        }
    }
}
