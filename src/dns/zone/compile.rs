//! From the config's zones to what is looked up at each query.

use std::collections::HashMap;

use super::data;
use crate::{
    config::{self, Config},
    dns::{
        meters::ZoneMeters,
        steer::Steer,
        wire::{self, kind},
    },
    fleet::DnsName,
};

/// All zones. They live in the table's generation, beside the pools and regions that they refer to.
#[derive(Debug)]
pub struct Zones {
    pub(super) by_name: HashMap<Box<[u8]>, Zone>,
    /// Counts what no zone claims.
    pub(in crate::dns) elsewhere: ZoneMeters,
    /// Limits of answers and streams.
    pub(in crate::dns) settings: config::Dns,
}

/// One zone.
#[derive(Debug)]
pub(in crate::dns) struct Zone {
    pub(in crate::dns) apex: DnsName,
    /// By name in wire form. Empty non-terminals are nodes without sets.
    pub(super) nodes: HashMap<Box<[u8]>, Node>,
    /// Whether any name begins with `*`.
    pub(super) has_wildcards: bool,
    /// The SOA record for negative answers: it may be kept no longer than they.
    pub(in crate::dns) negative_soa: Box<[u8]>,
    pub(in crate::dns) meters: ZoneMeters,
}

/// One name.
#[derive(Debug, Default)]
pub(in crate::dns) struct Node {
    pub(in crate::dns) sets: Vec<Set>,
    /// Its addresses depend on health.
    pub(in crate::dns) steer: Option<Steer>,
}

/// Records of one type, each in wire form without its owner.
#[derive(Debug)]
pub(in crate::dns) struct Set {
    pub(in crate::dns) kind: u16,
    pub(in crate::dns) records: Vec<Box<[u8]>>,
    /// Where a CNAME leads.
    pub(in crate::dns) target: Option<DnsName>,
}

impl Zones {
    /// Compiles a config's zones; `serial` goes into every SOA.
    pub fn build(config: &Config, serial: u32) -> Self {
        let compiled = config.zones.iter().map(|zone| (zone.name.as_wire().into(), Zone::build(config, zone, serial)));
        Self { by_name: compiled.collect(), elsewhere: ZoneMeters::new("none"), settings: config.dns.clone() }
    }
}

impl Node {
    pub(in crate::dns) fn set(&self, kind: u16) -> Option<&Set> {
        self.sets.iter().find(|set| set.kind == kind)
    }
}

impl Zone {
    fn build(config: &Config, zone: &config::Zone, serial: u32) -> Self {
        let mut nodes: HashMap<Box<[u8]>, Node> = HashMap::new();
        let primary = zone.nameservers.first().unwrap_or(&zone.name);
        let soa = data::soa(primary, &zone.soa, serial);
        let nameservers = zone.nameservers.iter().map(|name| name.as_wire().into());
        let apex = nodes.entry(zone.name.as_wire().into()).or_default();
        let record = |ttl: u32| wire::record(kind::SOA, ttl, &soa).into_iter().collect();
        apex.sets.push(Set { kind: kind::SOA, records: record(zone.ttl), target: None });
        apex.sets.push(Set::encode(kind::NS, zone.ttl, &nameservers.collect::<Vec<_>>()));
        for set in &zone.records {
            node(&mut nodes, &set.owner, &zone.name).sets.push(Set::encode(set.kind, set.ttl, &set.data));
        }
        for steered in &zone.steered {
            node(&mut nodes, &steered.owner, &zone.name).steer = Some(Steer::build(config, steered));
        }
        let negative_soa = wire::record(kind::SOA, zone.soa.negative_ttl.min(zone.ttl), &soa).unwrap_or_default();
        let has_wildcards = nodes.keys().any(|name| name.starts_with(b"\x01*"));
        Self {
            apex: zone.name.clone(),
            nodes,
            has_wildcards,
            negative_soa,
            meters: ZoneMeters::new(&zone.name.to_string()),
        }
    }
}

impl Set {
    fn encode(kind: u16, ttl: u32, data: &[Box<[u8]>]) -> Self {
        let target = data.first().filter(|_| kind == kind::CNAME).and_then(|name| DnsName::from_wire(name));
        let records = data.iter().filter_map(|data| wire::record(kind, ttl, data)).collect();
        Self { kind, records, target }
    }
}

/// The node of a name, with all the names between it and the apex.
fn node<'a>(nodes: &'a mut HashMap<Box<[u8]>, Node>, owner: &DnsName, apex: &DnsName) -> &'a mut Node {
    let mut at = 0;
    let wire = owner.as_wire();
    while wire.len() - at > apex.as_wire().len() {
        nodes.entry(wire[at..].into()).or_default();
        at += usize::from(wire[at]) + 1;
    }
    nodes.entry(wire.into()).or_default()
}
