//! From the config's zones to what is looked up at each query.

use std::{collections::BTreeMap, sync::Arc};

use super::names::{NOBODY, Names, NodeId, Set, Span};
use crate::{
    config::{self, Config, RecordSet},
    dns::{
        guard::Guard,
        steer::Compass,
        wire::{Records, kind, record},
    },
    geo::Charts,
};

/// All zones. They live in the table's generation, beside the pools and regions that they refer to.
#[derive(Debug)]
pub struct Zones {
    pub(in crate::dns) names: Names,
    pub(super) list: Box<[Zone]>,
    /// How steered names choose.
    pub(in crate::dns) compass: Compass,
    /// Limits of answers and streams.
    pub(in crate::dns) settings: config::Dns,
    /// Cookies and what each network had; the same from generation to generation.
    pub(in crate::dns) guard: Arc<Guard>,
    /// What CHAOS queries are told, encoded.
    pub(in crate::dns) chaos: Option<Box<[u8]>>,
    /// `edns-tcp-keepalive`: tenths of a second.
    pub(in crate::dns) keepalive: u16,
}

/// One zone.
#[derive(Debug)]
pub(in crate::dns) struct Zone {
    pub(in crate::dns) position: u32,
    pub(in crate::dns) name: Box<str>,
    /// Bytes of its name in wire form.
    pub(in crate::dns) length: usize,
    /// The SOA record for negative answers: it may be kept no longer than they.
    negative: Box<[u8]>,
    pub(in crate::dns) has_client_subnet: bool,
    /// How long a negative answer may be kept, in seconds.
    pub(in crate::dns) negative_ttl: u32,
}

impl Zone {
    /// Its authority, as negative answers show it.
    pub(in crate::dns) fn authority(&self) -> Records<'_> {
        Records { bytes: &self.negative, count: 1 }
    }
}

impl Zones {
    /// Compiles a config's zones; `serial` goes into every SOA.
    pub fn build(config: &Config, charts: &Charts, guard: Arc<Guard>, serial: u32) -> Self {
        let mut compass = Compass::build(config, charts);
        let mut names = Names::default();
        let mut zones = Vec::with_capacity(config.zones.len());
        for (zone, position) in config.zones.iter().zip(0..) {
            let built = ZoneBuilder { names: &mut names, compass: &mut compass, config, zone, position };
            zones.push(built.build(serial));
        }
        let mut all = Self {
            names,
            list: zones.into(),
            compass,
            settings: config.dns.clone(),
            guard,
            chaos: config.dns.chaos.as_deref().map(chaos),
            keepalive: u16::try_from(config.dns.tcp_idle_timeout.as_millis() / 100).unwrap_or(u16::MAX),
        };
        for zone in &config.zones {
            all.lead_aliases(zone);
        }
        all
    }

    /// Cookies and what each network had.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// A zone's name, for logs and metrics.
    pub fn zone_name(&self, position: u32) -> Option<&str> {
        Some(&self.zone(position)?.name)
    }

    pub(in crate::dns) fn zone(&self, position: u32) -> Option<&Zone> {
        self.list.get(position as usize)
    }

    /// An alias gives what its target has; the config promises that there is one.
    fn lead_aliases(&mut self, zone: &config::Zone) {
        for alias in &zone.aliases {
            let Some(owner) = self.names.find(alias.owner.as_wire()) else { continue };
            if let Some(target) = self.stand_in(alias.target.as_wire()) {
                self.names.nodes[owner as usize].alias = target;
            }
        }
    }

    /// The node of a name, or the wildcard that stands for it.
    fn stand_in(&self, name: &[u8]) -> Option<NodeId> {
        let mut at = 0;
        while at < name.len() {
            if let Some(id) = self.names.find(&name[at..]) {
                return if at == 0 { Some(id) } else { Some(self.names.node(id)?.wildcard).filter(|id| *id != NOBODY) };
            }
            at += usize::from(name[at]) + 1;
        }
        None
    }
}

/// TXT in the class of what servers say about themselves.
fn chaos(text: &str) -> Box<[u8]> {
    let text = &text.as_bytes()[..text.len().min(255)];
    let data = [&[u8::try_from(text.len()).unwrap_or_default()], text].concat();
    let mut bytes = Vec::new();
    record(&mut bytes, kind::TXT, 0, &data);
    bytes[4..6].copy_from_slice(&crate::dns::wire::CLASS_CHAOS.to_be_bytes());
    bytes.into()
}

struct ZoneBuilder<'a> {
    names: &'a mut Names,
    compass: &'a mut Compass,
    config: &'a Config,
    zone: &'a config::Zone,
    position: u32,
}

/// What stands at one name.
#[derive(Default)]
struct Owned<'a> {
    records: Vec<&'a RecordSet>,
    steered: Option<&'a config::Steered>,
}

impl ZoneBuilder<'_> {
    fn build(self, serial: u32) -> Zone {
        let Self { names, compass, config, zone, position } = self;
        let apex = zone.name.as_wire();
        let first = NodeId::try_from(names.len()).unwrap_or(NOBODY);
        let mut owned: BTreeMap<&[u8], Owned<'_>> = BTreeMap::new();
        owned.entry(apex).or_default();
        for set in &zone.records {
            owned.entry(set.owner.as_wire()).or_default().records.push(set);
        }
        for alias in &zone.aliases {
            owned.entry(alias.owner.as_wire()).or_default();
        }
        for steered in &zone.steered {
            owned.entry(steered.owner.as_wire()).or_default().steered = Some(steered);
        }
        let authority = authority(zone, serial);
        for (name, what) in &owned {
            let id = node(names, name, apex, position);
            let start = u32::try_from(names.sets.len()).unwrap_or(u32::MAX);
            if *name == apex {
                keep(names, kind::SOA, zone.ttl, &[authority.as_slice().into()]);
                keep(
                    names,
                    kind::NS,
                    zone.ttl,
                    &zone.nameservers.iter().map(|name| name.as_wire().into()).collect::<Vec<_>>(),
                );
            }
            for set in &what.records {
                keep(names, set.kind, set.ttl, &set.data);
            }
            let length = u32::try_from(names.sets.len()).unwrap_or(u32::MAX) - start;
            let steer = what.steered.map_or(u32::MAX, |steered| compass.add(config, steered));
            let node = &mut names.nodes[id as usize];
            (node.sets, node.steer) = (Span { start, length }, steer);
        }
        relate(names, first, apex);
        let mut negative = Vec::new();
        record(&mut negative, kind::SOA, zone.soa.negative_ttl.min(zone.ttl), &authority);
        Zone {
            position,
            name: zone.name.to_string().into(),
            length: apex.len(),
            negative: negative.into(),
            has_client_subnet: zone.client_subnet,
            negative_ttl: zone.soa.negative_ttl.min(zone.ttl),
        }
    }
}

/// The SOA's data (RFC 1035 §3.3.13).
fn authority(zone: &config::Zone, serial: u32) -> Vec<u8> {
    let soa = &zone.soa;
    let numbers = [serial, soa.refresh, soa.retry, soa.expire, soa.negative_ttl].map(u32::to_be_bytes);
    [soa.primary.as_wire(), soa.contact.as_wire(), numbers.as_flattened()].concat()
}

fn keep(names: &mut Names, kind: u16, ttl: u32, data: &[Box<[u8]>]) {
    let mut bytes = Vec::new();
    let kept = data.iter().filter(|data| record(&mut bytes, kind, ttl, data)).count();
    let (count, span) = (u16::try_from(kept).unwrap_or_default(), names.keep(&bytes));
    names.sets.push(Set { kind, count, span });
}

/// The node of a name, with all the names between it and the apex.
fn node(names: &mut Names, name: &[u8], apex: &[u8], zone: u32) -> NodeId {
    if let Some(id) = names.find(name) {
        return id;
    }
    if name.len() > apex.len() {
        let above = usize::from(name[0]) + 1;
        node(names, &name[above..], apex, zone);
    }
    names.insert(name, zone)
}

/// Says of each of a zone's nodes what the names above it mean for it.
fn relate(names: &mut Names, first: NodeId, apex: &[u8]) {
    let has = |names: &Names, id: NodeId, kind: u16| names.set(&names.nodes[id as usize], kind).is_some();
    for id in first..NodeId::try_from(names.len()).unwrap_or(NOBODY) {
        let name: Box<[u8]> = names.name(id).into();
        if name.starts_with(b"\x01*")
            && let Some(above) = names.find(&name[2..])
        {
            names.nodes[above as usize].wildcard = id;
        }
        names.nodes[id as usize].leads_away = has(names, id, kind::DNAME);
        // The highest of those above counts: what it says holds for all below.
        let mut at = 0;
        while name.len() - at > apex.len() {
            if let Some(above) = names.find(&name[at..]) {
                if has(names, above, kind::NS) {
                    names.nodes[id as usize].cut = above;
                }
                if at > 0 && has(names, above, kind::DNAME) {
                    names.nodes[id as usize].redirect = above;
                }
            }
            at += usize::from(name[at]) + 1;
        }
        if id > first && names.nodes[first as usize].leads_away {
            names.nodes[id as usize].redirect = first;
        }
    }
}
