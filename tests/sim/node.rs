//! One region's node: the production's control, table, ladder, balancing and DNS, on the simulation's time.
//!
//! Not here: sockets, and the retry budget. The loop over tries is what `proxy` does with an answer that never came.

use super::{
    eyes::{Eyes, Victim},
    plan::Plan,
    world::{Answer, Millis, World},
};
use meridian::{
    balance::{self, Ask, Standard, Turns},
    clock::{Clock, Random, seeded},
    config::{self, Config, Identity, WhenAllDown},
    control::{Command, Control, Handle, Start},
    dns::{Asked, Client, Guard, Moment, Responder, Transport, Zones},
    fleet::{PoolId, RegionId},
    geo::{Atlas, Charts},
    policy::{Climb, Flow, Rung, climb},
    table::{Compiled, Reader, Snapshot},
};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Tries of one request: the first and two more, as by default.
const TRIES: usize = 3;
/// A resolver.
const CLIENT: Client = Client { address: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), transport: Transport::Udp };

/// What all nodes are made from.
pub(crate) struct Blueprint {
    config: Config,
    compiled: Compiled,
    clock: Clock,
    renews_ms: Millis,
}

impl Blueprint {
    pub(crate) fn new(plan: &Plan, clock: Clock) -> Self {
        static ATLAS: OnceLock<Atlas> = OnceLock::new();
        let loaded = config::from_text("sim.toml", &plan.config(), &Identity::default());
        let mut config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)));
        config.state_directory = "/nonexistent/state".into();
        let atlas = ATLAS.get_or_init(|| Atlas::load(&config.geo).unwrap());
        let charts = Charts::build(&config, atlas).unwrap();
        let guard = Guard::build(&config.dns, None).unwrap();
        let compiled = Compiled::default().with(Zones::build(&config, &charts, guard.into(), 1));
        Self { config, compiled, clock, renews_ms: plan.renews_ms }
    }

    /// The longest from a sudden death to the verdict, in milliseconds.
    pub(crate) fn detection_bound(&self) -> Millis {
        self.config.pools[0].check.detection_bound().unwrap().as_millis() as Millis
    }

    fn compiled(&self, flow: &Arc<Flow>) -> Compiled {
        self.compiled.clone().with(Arc::clone(flow))
    }
}

/// What became of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Served {
    /// The region of the origin that was asked last; `None` where nobody was.
    pub(crate) by: Option<usize>,
    pub(crate) is_good: bool,
}

/// What must never be seen at a pick.
pub(crate) struct Objection {
    pub(crate) server: usize,
    pub(crate) why: &'static str,
}

pub(crate) struct Node {
    pub(crate) opened_at: Millis,
    config: Arc<Config>,
    control: Control,
    /// Held, so that control hears.
    _handle: Handle,
    reader: Reader,
    turns: Turns,
    random: Random,
    responder: Responder,
    out: Vec<u8>,
    flow: Arc<Flow>,
    /// Home first, then the others, nearest first.
    order: Vec<RegionId>,
    pub(crate) eyes: Eyes,
}

impl Node {
    pub(crate) fn open(blueprint: &Blueprint, region: usize, seed: u64, now: Millis) -> Self {
        let home = RegionId(u16::try_from(region).unwrap());
        let node = config::Node { name: format!("n{region}").into(), region: home };
        let config = Arc::new(Config { node, ..blueprint.config.clone() });
        let flow = Arc::new(Flow::of(&config, None));
        let start = Start {
            config: Arc::clone(&config),
            compiled: blueprint.compiled(&flow),
            build_selector: Some(Box::new(balance::build)),
            clock: blueprint.clock.clone(),
            // Whoever starts later than all comes with its region.
            was_away: now > 0,
        };
        let (control, handle, table) = Control::open(start).unwrap();
        Self {
            opened_at: now,
            order: std::iter::once(home).chain(config.regions[region].neighbours.iter().copied()).collect(),
            eyes: Eyes::new(&config, blueprint.renews_ms, now),
            config,
            control,
            _handle: handle,
            reader: table.reader(blueprint.clock.clone()),
            turns: Turns::default(),
            random: seeded(seed),
            responder: Responder::new(seeded(seed ^ 0x5eed)),
            out: Vec::with_capacity(512),
            flow,
        }
    }

    pub(crate) fn home(&self) -> usize {
        self.order[0].index()
    }

    /// Probes what is due, believes it, and lets time pass.
    pub(crate) fn tick(&mut self, world: &mut World, now: Millis, random: &mut Random) -> Vec<Victim> {
        let (home, control) = (self.home(), &mut self.control);
        let victims = self.eyes.look(home, world, now, random, |signal| control.hear(&signal));
        self.control.tick();
        victims
    }

    /// The same config again, as an operator's reload brings it.
    pub(crate) fn reload(&mut self, blueprint: &Blueprint) {
        let (reply, mut answer) = tokio::sync::oneshot::channel();
        let (config, compiled) = (Arc::clone(&self.config), blueprint.compiled(&self.flow));
        self.control.obey(Command::Apply { config, compiled, reply });
        assert!(answer.try_recv().unwrap().is_ok(), "a reload is taken");
    }

    /// Answers a query: the region that it leads to, and for how many seconds.
    pub(crate) fn answer(&mut self, query: &[u8], now: Millis) -> Option<(usize, u64)> {
        let moment = Moment { millis: now, unix: u32::try_from(now / 1_000).unwrap() };
        let asked = self.responder.respond(query, CLIENT, moment, self.reader.snapshot(), &mut self.out);
        assert!(matches!(asked, Asked::Answered(_)), "a query is answered: {asked:?}");
        if self.out[6..8] == [0, 0] {
            return None;
        }
        // The owner is a pointer; then come type, class, TTL, length and the address.
        let record = &self.out[query.len()..];
        let ttl = u32::from_be_bytes(record[6..10].try_into().unwrap());
        let [192, 0, 2, last] = record[12..16] else { panic!("not a front door: {record:?}") };
        Some((usize::from(last) - 1, u64::from(ttl)))
    }

    /// Sends one request to an origin, as the proxy does.
    pub(crate) fn serve(
        &mut self,
        world: &mut World,
        now: Duration,
        chance: &mut Random,
        object: &mut dyn FnMut(Objection),
    ) -> Served {
        let snapshot = self.reader.snapshot();
        let pool = (PoolId(0), &*snapshot.generation.pools()[0]);
        self.flow.comes(pool, self.order[0], snapshot, now);
        let mut tried: Vec<usize> = Vec::new();
        let mut by = None;
        while tried.len() < TRIES {
            let mut left = self.order.clone();
            let found = loop {
                let with = Climb {
                    pool,
                    regions: &left,
                    home: self.order[0],
                    by_door: false,
                    tried: &tried,
                    when_all_down: WhenAllDown::Open,
                    snapshot,
                    flow: &self.flow,
                    now,
                };
                let Some((rung, region)) = climb(&with, &mut self.random) else { break None };
                let standard = standard(rung);
                let settings = &self.config.pools[0].balancing;
                let ask = Ask { pool, settings, region, standard, key: None, tried: &tried, now: snapshot.now };
                let origin = balance::pick(&ask, &mut self.turns, &mut self.random);
                match origin {
                    Some(origin) => break Some((rung, region, origin)),
                    None => left.retain(|other| *other != region),
                }
            };
            let Some((rung, region, origin)) = found else { break };
            if region != self.order[0] {
                self.flow.goes(region, now);
            }
            check(rung, origin, snapshot, object);
            let (home, millis) = (self.order[0].index(), now.as_millis() as Millis);
            let is_known = rung != Rung::Open && world.is_known_gone(origin, self.opened_at, millis);
            if is_known && !world.sites[home].is_blind {
                object(Objection { server: origin, why: "it has been gone for longer than it takes to notice" });
            }
            tried.push(origin);
            by = Some(region.index());
            match world.ask(origin, true, chance) {
                Answer::Good(_) => return Served { by, is_good: true },
                Answer::Bad(_) => break,
                Answer::Refused | Answer::Silent => {}
            }
        }
        Served { by, is_good: false }
    }

    /// What its rows say of the pool in a region, in basis points, for people.
    pub(crate) fn sees(&mut self, region: usize) -> String {
        let snapshot = self.reader.snapshot();
        let id = RegionId(u16::try_from(region).unwrap());
        let (pool, door) = (&snapshot.generation.pools()[0], &snapshot.generation.regions()[region].front_door);
        let row = pool.region(id).unwrap().row.read(snapshot.now);
        let door = door.read(snapshot.now);
        format!("pool {:?} {}, door {:?} {}", row.health, row.weight.get(), door.health, door.weight.get())
    }
}

fn standard(rung: Rung) -> Standard {
    match rung {
        Rung::Home | Rung::Neighbour | Rung::OverCapacity | Rung::Drained => Standard::Proven,
        Rung::Unproven | Rung::LastResort => Standard::Unproven,
        Rung::Open => Standard::Any,
    }
}

/// A pick has to be as good as its rung says, and a rung is climbed only where nobody better is left.
fn check(rung: Rung, origin: usize, snapshot: Snapshot<'_>, object: &mut dyn FnMut(Objection)) {
    let pool = &snapshot.generation.pools()[0];
    if standard(rung) == Standard::Proven {
        if !pool.origins()[origin].row.read(snapshot.now).is_usable() {
            object(Objection { server: origin, why: "its row says that it is not usable" });
        }
        return;
    }
    let is_proven = |region: RegionId| {
        let door = snapshot.generation.regions()[region.index()].front_door.read(snapshot.now);
        door.takes_new_work() && !door.is_withheld()
    };
    if pool.regions().iter().any(|entry| entry.row.read(snapshot.now).is_usable() && is_proven(entry.region)) {
        object(Objection { server: origin, why: "it is not proven, and somebody proven is left" });
    }
}
