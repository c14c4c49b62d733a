//! One run of one scenario with one seed: the same seed gives the same run, to the last request.

use super::{
    clients::{Clients, Notice, Tally},
    history::{History, Second},
    node::{Blueprint, Node},
    plan::Plan,
    scenario::{Event, Scenario},
    watch::{Breach, Invariant, Watch},
    world::{Ailment, Millis, STEP, World},
};
use meridian::clock::{Clock, Random, seeded};
use std::time::Duration;

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) history: History,
    /// The first of each kind.
    pub(crate) breaches: Vec<Breach>,
}

impl Outcome {
    pub(crate) fn broke(&self, invariant: Invariant) -> bool {
        self.breaches.iter().any(|breach| breach.invariant == invariant)
    }
}

struct Run<'a> {
    scenario: &'a Scenario,
    seed: u64,
    clock: Clock,
    blueprint: Blueprint,
    world: World,
    nodes: Vec<Option<Node>>,
    clients: Clients,
    random: Random,
    now: Millis,
    history: History,
    watch: Watch,
}

/// Plays it to its end.
pub(crate) fn play(scenario: &Scenario, seed: u64) -> Outcome {
    let (plan, clock) = (&scenario.plan, Clock::manual());
    let blueprint = Blueprint::new(plan, clock.clone());
    let mut run = Run {
        scenario,
        seed,
        world: World::new(plan, blueprint.detection_bound()),
        nodes: (0..plan.regions).map(|_| None).collect(),
        clients: Clients::new(plan, seed ^ 0xc11e),
        random: seeded(seed),
        now: 0,
        history: History::default(),
        watch: Watch::new(scenario, seed, blueprint.detection_bound()),
        clock,
        blueprint,
    };
    (0..plan.regions).for_each(|region| run.open(region));
    (0..scenario.seconds).for_each(|second| run.second(second, plan));
    run.watch.end(&run.history);
    Outcome { history: run.history, breaches: run.watch.breaches }
}

impl Run<'_> {
    fn open(&mut self, region: usize) {
        let seed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (region as u64) << 32 ^ self.now;
        self.nodes[region] = Some(Node::open(&self.blueprint, region, seed, self.now));
    }

    fn second(&mut self, second: u64, plan: &Plan) {
        for (_, region, event) in self.scenario.events.iter().filter(|(at, ..)| *at == second) {
            self.history.mark(second as usize, &format!("{}: {}", Plan::region_name(*region), event.label()));
            self.happen(*region, *event);
        }
        let mut tally = Tally::new(plan.regions);
        for _ in 0..1_000 / STEP {
            self.step(plan, &mut tally);
        }
        let driven = (0..plan.regions).map(|region| {
            let (capacity, load) = self.world.room(region);
            if capacity > 0.0 { load / capacity } else { 0.0 }
        });
        self.history.seconds.push(Second { tally, driven: driven.collect() });
        self.watch.second(&self.history, &self.world, &mut self.nodes);
    }

    fn step(&mut self, plan: &Plan, tally: &mut Tally) {
        let (world, now, watch) = (&mut self.world, self.now, &mut self.watch);
        for node in self.nodes.iter_mut().flatten() {
            for victim in node.tick(world, now, &mut self.random) {
                watch.fell(victim, node, world, now);
            }
        }
        let mut seen = Vec::new();
        self.clients.step(plan, &mut self.nodes, world, now, tally, &mut |notice| seen.push(notice));
        for notice in seen {
            match notice {
                Notice::Connected(region) => watch.connected(region, world, now),
                Notice::Tried { by, objection } => watch.object(by, &objection, now),
            }
        }
        world.step();
        self.now += STEP;
        self.clock.advance(Duration::from_millis(STEP));
    }

    fn happen(&mut self, region: usize, event: Event) {
        let (now, world) = (self.now, &mut self.world);
        match event {
            Event::Lose => {
                world.sites[region].lost_since = Some(now);
                world.touch(region, now);
                self.nodes[region] = None;
            }
            Event::Restore => {
                world.sites[region].lost_since = None;
                World::cool(world.first_of(region, 1.0));
                world.touch(region, now);
            }
            Event::Kill(share) => {
                for server in world.first_of(region, share) {
                    (server.ailment.is_dead, server.changed_at) = (true, now);
                }
            }
            Event::Revive => {
                for server in world.first_of(region, 1.0).iter_mut().filter(|server| server.ailment.is_dead) {
                    (server.ailment, server.changed_at) = (Ailment::default(), now);
                    World::cool(std::slice::from_mut(server));
                }
            }
            Event::Slow(by) => {
                world.first_of(region, 1.0).iter_mut().for_each(|server| server.ailment.slows_by = by);
                world.touch(region, now);
            }
            Event::Grey(share) => {
                world.first_of(region, 1.0).iter_mut().for_each(|server| server.ailment.greyness = share);
                world.touch(region, now);
            }
            Event::Cure => {
                world.first_of(region, 1.0).iter_mut().for_each(|server| server.ailment = Ailment::default());
                world.touch(region, now);
            }
            Event::Blind | Event::See => world.sites[region].is_blind = event == Event::Blind,
            Event::Reload => self.nodes[region].as_mut().unwrap().reload(&self.blueprint),
        }
        if event != Event::Reload {
            self.watch.changed(region, event, now);
        }
        if event == Event::Restore {
            self.open(region);
        }
    }
}
