//! Clients: in places, behind resolvers that keep answers, on connections that stay where they are for a while.

use super::{
    node::{Node, Objection, Served},
    plan::{Asks, Plan},
    world::{Millis, STEP, World},
};
use meridian::clock::{Random, seeded};
use std::time::Duration;

/// In each place.
const RESOLVERS: usize = 72;
const CONNECTIONS: usize = 72;
/// How long a connection lives.
const AGES: std::ops::Range<Millis> = 5_000..25_000;

struct Place {
    query: Vec<u8>,
    /// The regions, nearest first: the nodes that its resolvers would ask.
    order: Vec<usize>,
    resolvers: Vec<Kept>,
    connections: Vec<Connection>,
    /// Requests that are due, with what is left of one.
    due: f64,
    turn: usize,
}

#[derive(Clone, Copy, Default)]
struct Kept {
    region: Option<usize>,
    until: Millis,
}

#[derive(Clone, Copy, Default)]
struct Connection {
    region: Option<usize>,
    until: Millis,
}

/// What happened to requests in one step or one second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    /// By the region that answered, well or not.
    pub(crate) served: Vec<u64>,
    pub(crate) failed: u64,
    /// Of those, at a front door that is not there.
    pub(crate) unreached: u64,
    /// By the region whose front door they came to: all of them, and those that were answered there.
    pub(crate) came: Vec<u64>,
    pub(crate) stayed: Vec<u64>,
}

impl Tally {
    pub(crate) fn new(regions: usize) -> Self {
        Self { served: vec![0; regions], came: vec![0; regions], stayed: vec![0; regions], ..Self::default() }
    }
}

pub(crate) struct Clients {
    places: Vec<Place>,
    asks: Asks,
    is_pinned: bool,
    random: Random,
}

/// A new connection to a front door that is gone, or a pick that should not be.
pub(crate) enum Notice {
    Connected(usize),
    Tried { by: usize, objection: Objection },
}

impl Clients {
    pub(crate) fn new(plan: &Plan, seed: u64) -> Self {
        let place = |at: usize| Place {
            query: query(&format!("p{at:02}.shop.example")),
            order: plan.order(at),
            resolvers: vec![Kept::default(); RESOLVERS],
            connections: vec![Connection::default(); CONNECTIONS],
            due: 0.0,
            turn: 0,
        };
        Self {
            places: (0..plan.regions).map(place).collect(),
            asks: plan.asks,
            is_pinned: plan.is_pinned,
            random: seeded(seed),
        }
    }

    /// Everything that clients do in one step.
    pub(crate) fn step(
        &mut self,
        plan: &Plan,
        nodes: &mut [Option<Node>],
        world: &mut World,
        now: Millis,
        tally: &mut Tally,
        notice: &mut dyn FnMut(Notice),
    ) {
        for at in 0..self.places.len() {
            self.places[at].due += plan.demand_at(at, now as f64 / 1_000.0) * STEP as f64 / 1_000.0;
            let count = self.places[at].due.floor();
            self.places[at].due -= count;
            for one in 0..count as u64 {
                // Spread over the step: room is counted by the second.
                let time = Duration::from_millis(now + one * STEP / (count as u64));
                self.request(at, nodes, world, (now, time), tally, notice);
            }
        }
    }

    fn request(
        &mut self,
        at: usize,
        nodes: &mut [Option<Node>],
        world: &mut World,
        (now, time): (Millis, Duration),
        tally: &mut Tally,
        notice: &mut dyn FnMut(Notice),
    ) {
        let place = &mut self.places[at];
        place.turn = (place.turn + 1) % CONNECTIONS;
        let turn = place.turn;
        if place.connections[turn].region.is_none() || place.connections[turn].until <= now {
            let region = self.resolve(at, turn % RESOLVERS, nodes, now);
            let until = now + self.random.u64(AGES);
            self.places[at].connections[turn] = Connection { region, until };
            if let Some(region) = region {
                notice(Notice::Connected(region));
            }
        }
        tally.sent += 1;
        let door = self.places[at].connections[turn].region;
        let Some((door, node)) = door.and_then(|door| Some((door, nodes[door].as_mut()?))) else {
            // The next one asks its resolver again.
            self.places[at].connections[turn].region = None;
            tally.failed += 1;
            tally.unreached += 1;
            return;
        };
        let mut object = |objection| notice(Notice::Tried { by: door, objection });
        let Served { by, is_good } = node.serve(world, time, &mut self.random, &mut object);
        tally.came[door] += 1;
        tally.failed += u64::from(!is_good);
        if let Some(by) = by {
            tally.served[by] += 1;
            tally.stayed[door] += u64::from(by == door);
        } else {
            tally.unreached += 1;
        }
    }

    fn resolve(&mut self, at: usize, resolver: usize, nodes: &mut [Option<Node>], now: Millis) -> Option<usize> {
        let place = &mut self.places[at];
        let kept = &mut place.resolvers[resolver];
        if now < kept.until || (self.is_pinned && kept.region.is_some()) {
            return kept.region;
        }
        let living: Vec<usize> = place.order.iter().copied().filter(|node| nodes[*node].is_some()).collect();
        let node = match self.asks {
            Asks::Nearest => living.first().copied(),
            Asks::Any => living.get(self.random.usize(..living.len().max(1))).copied(),
        };
        // Where nobody answers it goes on with what it knows.
        let Some(node) = node.and_then(|node| nodes[node].as_mut()) else { return kept.region };
        let answer = node.answer(&place.query, now);
        let (region, seconds) = answer.map_or((None, 1), |(region, seconds)| (Some(region), seconds));
        *kept = Kept { region, until: now + seconds * 1_000 };
        region
    }
}

/// A query for an A record.
fn query(name: &str) -> Vec<u8> {
    let mut message = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend_from_slice(label.as_bytes());
    }
    message.extend_from_slice(&[0, 0, 1, 0, 1]);
    message
}
