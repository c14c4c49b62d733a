//! Why a question is answered as it is: each step in words, from the same code and the same snapshot that answers.

use std::{net::IpAddr, str::FromStr, sync::Arc};

use domain::{
    base::{Message, RecordSection, Rtype},
    rdata::AllRecordData,
};

use super::{
    outcome::{Asked, Client, Moment, Transport},
    reply::MAX_CHAIN,
    respond::Responder,
    steer::Asking,
    wire::{CLASS_IN, RECORD_HEAD, kind},
    zone::{Found, NOBODY, Zone, Zones},
};
use crate::{
    clock::{Clock, random, seeded},
    fleet::{DnsName, DnsQuestion, Explained, Inspect, Place},
    geo::Atlas,
    table::{Snapshot, Table},
};

/// Explains what the table's zones answer.
#[derive(Debug)]
pub struct Explainer {
    table: Table,
    clock: Clock,
}

impl Explainer {
    /// Of this table, now and later.
    pub fn new(table: Table, clock: Clock) -> Self {
        Self { table, clock }
    }
}

impl Inspect for Explainer {
    fn explain_dns(&self, question: &DnsQuestion) -> Result<Explained, String> {
        let name: DnsName = question.name.parse().map_err(|why| format!("`{}` is no name: {why}", question.name))?;
        let kind = Rtype::from_str(&question.kind.to_ascii_uppercase())
            .map_err(|_| format!("`{}` is no type of records, such as `A`", question.kind))?;
        let generation = self.table.load();
        let snapshot = Snapshot { generation: &generation, now: self.clock.ticks() };
        let zones: &Zones = generation.compiled().ok_or("no zones are in force")?;
        let seed = random().u64(..);
        let mut told = Told { zones, snapshot, kind: kind.to_int(), from: question.from, seed, steps: Vec::new() };
        told.follow(name.as_wire());
        let steps = told.steps;
        Ok(Explained { steps, answer: answer(&name, kind.to_int(), question.from, snapshot, seed) })
    }
}

struct Told<'a> {
    zones: &'a Zones,
    snapshot: Snapshot<'a>,
    kind: u16,
    from: IpAddr,
    seed: u64,
    steps: Vec<String>,
}

impl Told<'_> {
    fn tell(&mut self, what: String) {
        self.steps.push(what);
    }

    fn follow(&mut self, first: &[u8]) {
        let mut name = first.to_vec();
        for _ in 0..MAX_CHAIN {
            match self.step(&name) {
                Some(next) => name = next,
                None => return,
            }
        }
        self.tell(format!("the client is left to follow after {MAX_CHAIN} names"));
    }

    /// One name; where it leads, if it does.
    fn step(&mut self, name: &[u8]) -> Option<Vec<u8>> {
        let (zones, names) = (self.zones, &self.zones.names);
        let shown = shown(name);
        match zones.find(name, self.kind == kind::DS) {
            Found::Foreign => {
                self.tell(format!("`{shown}` is in no zone of this node: refused, or left to the client"));
            }
            Found::Missing { zone } => self.tell(format!("zone `{}` has no name `{shown}`", zone.name)),
            Found::Elsewhere { zone, cut } => {
                let cut = self::shown(names.name(cut));
                self.tell(format!("zone `{}` ends at `{cut}`: its name servers are to be asked", zone.name));
            }
            Found::Moved { zone, from } => {
                let records = names.set(names.node(from)?, kind::DNAME)?;
                let target = records.bytes.get(RECORD_HEAD..)?;
                let kept = name.len().saturating_sub(names.name(from).len());
                let next = [name.get(..kept)?, target].concat().to_ascii_lowercase();
                let (from, to) = (self::shown(names.name(from)), self::shown(&next));
                self.tell(format!("zone `{}` moves all below `{from}` elsewhere: on to `{to}`", zone.name));
                return Some(next);
            }
            Found::Here { zone, node } => {
                let own = self::shown(names.name(names.find(name).unwrap_or(NOBODY)));
                let stands_for = if own == shown { "" } else { ", by a wildcard" };
                self.tell(format!("zone `{}` has `{shown}`{stands_for}", zone.name));
                if let Some(records) = names.set(node, kind::CNAME).filter(|_| self.kind != kind::CNAME) {
                    let next = records.bytes.get(RECORD_HEAD..)?.to_ascii_lowercase();
                    self.tell(format!("it is another name of `{}`", self::shown(&next)));
                    return Some(next);
                }
                let target = names.node(node.alias);
                if target.is_some() {
                    self.tell(format!("it gives what `{}` has", self::shown(names.name(node.alias))));
                }
                self.steer(zone, target.unwrap_or(node).steer);
            }
        }
        None
    }

    fn steer(&mut self, zone: &Zone, position: u32) {
        let compass = &self.zones.compass;
        let Some(steer) = compass.steer(position).filter(|steer| compass.has(steer, self.kind)) else {
            return self.tell("its records are static".to_owned());
        };
        if let Some(atlas) = self.snapshot.generation.compiled::<Arc<Atlas>>() {
            let (about, place) = (atlas.about(), place(&atlas.place(self.from)));
            let source = about.file.as_deref().map_or("the embedded table".into(), std::path::Path::to_string_lossy);
            self.tell(format!("{} is in {place}, by {source} of {}", self.from, about.built));
        }
        if !zone.has_client_subnet {
            self.tell("client subnets in queries do not count in this zone".to_owned());
        }
        let asking = Asking { kind: self.kind, client: self.from, snapshot: self.snapshot };
        let settled = compass.choose(steer, &asking, &mut seeded(self.seed), Some(&mut self.steps));
        let name = |region: &crate::fleet::RegionId| {
            self.snapshot.generation.region(*region).map_or_else(String::new, |region| format!("`{}`", region.name))
        };
        let regions: Vec<_> = settled.regions().iter().map(name).collect();
        let regions = if regions.is_empty() { "nobody".to_owned() } else { regions.join(", ") };
        let (how, ttl, scope) = (settled.steering.as_str(), settled.ttl, settled.scope);
        self.tell(format!("{how}: {regions}; kept for {ttl} s; the same for all of the client's /{scope}"));
    }
}

fn shown(name: &[u8]) -> String {
    DnsName::from_wire(name).map_or_else(String::new, |name| name.to_string())
}

/// A place in words.
fn place(place: &Place) -> String {
    let parts = [
        place.subdivision.map(|part| part.to_string()),
        place.country.map(|country| country.to_string()),
        place.continent.map(|continent| continent.as_str().to_owned()),
        place.location.map(|at| format!("at {:.1}, {:.1}", at.latitude, at.longitude)),
    ];
    let known: Vec<_> = parts.into_iter().flatten().collect();
    if known.is_empty() { "an unknown place".to_owned() } else { known.join(", ") }
}

/// What this client would get.
fn answer(name: &DnsName, kind: u16, from: IpAddr, snapshot: Snapshot<'_>, seed: u64) -> Vec<String> {
    let mut message = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(name.as_wire());
    message.extend_from_slice([kind, CLASS_IN].map(u16::to_be_bytes).as_flattened());
    let client = Client { address: from, transport: Transport::Tcp };
    let mut out = Vec::new();
    let asked = Responder::new(seeded(seed)).respond(&message, client, Moment::default(), snapshot, &mut out);
    let Asked::Answered(outcome) = asked else { return vec!["no answer".to_owned()] };
    let Ok(message) = Message::from_octets(&out[..]) else { return Vec::new() };
    let records = message.answer().into_iter().flat_map(RecordSection::limit_to::<AllRecordData<_, _>>);
    let records: Vec<_> = records.flatten().map(|record| record.to_string()).collect();
    if records.is_empty() { vec![outcome.rcode.as_str().to_owned()] } else { records }
}
