//! A name server as RFC 1034 section 4.3.2 tells it, slow and plain, over maps made from the config; wildcards as in RFC 4592, DNAME as in
//! RFC 6672, negative answers as in RFC 2308. It shares nothing with `src/dns`.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    base::{
        Name, ParsedName, Rtype,
        rdata::{ComposeRecordData, ParseAnyRecordData},
        zonefile_fmt::{DisplayKind, ZonefileFmt},
    },
    dep::octseq::Parser,
    rdata::AllRecordData,
};
use meridian::config::{Config, RecordSet};

use crate::scenarios::{Line, words};

/// Names that are followed within one answer.
const MAX_CHAIN: usize = 8;

/// Labels from the leaf up, in lower case.
pub(super) type Labels = Vec<Vec<u8>>;

/// What stands at a name.
#[derive(Clone, Debug, Default)]
struct Owned {
    sets: BTreeMap<u16, (u32, Vec<Vec<u8>>)>,
    alias: Option<Labels>,
}

/// One zone.
#[derive(Debug)]
struct Zone {
    apex: Labels,
    negative_ttl: u32,
    names: BTreeMap<Labels, Owned>,
    /// Every name that exists: owners, and what lies between them and the apex.
    existing: BTreeSet<Labels>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Oracle {
    zones: Vec<Zone>,
}

/// What should come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) rcode: u16,
    pub(super) is_authoritative: bool,
    pub(super) answer: Vec<Line>,
    pub(super) authority: Vec<Line>,
    /// Additional records without which nobody finds the servers.
    pub(super) needed: Vec<Line>,
    /// Others that help.
    pub(super) allowed: Vec<Line>,
}

/// Labels of a name in wire form.
pub(super) fn labels(mut wire: &[u8]) -> Labels {
    let mut labels = Vec::new();
    while let Some((length, rest)) = wire.split_first().filter(|(length, _)| **length > 0) {
        let (label, after) = rest.split_at(usize::from(*length));
        labels.push(label.to_ascii_lowercase());
        wire = after;
    }
    labels
}

/// A name in wire form.
pub(super) fn wire(labels: &Labels) -> Vec<u8> {
    let mut wire: Vec<u8> = Vec::new();
    for label in labels {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend_from_slice(label);
    }
    wire.push(0);
    wire
}

/// As the readers of answers write a record. Owners in lower case, and names that were put together, too.
fn line(owner: &Labels, kind: u16, ttl: u32, data: &[u8]) -> Line {
    let owner = Name::from_octets(wire(owner)).unwrap().to_string();
    let mut parser = Parser::from_ref(data);
    let parsed =
        AllRecordData::<&[u8], ParsedName<&[u8]>>::parse_any_rdata(Rtype::from_int(kind), &mut parser).unwrap();
    let data = words(&parsed.display_zonefile(DisplayKind::Simple).to_string());
    Line { owner, ttl, kind: Rtype::from_int(kind).to_string(), data, wire: data_of(&parsed) }.in_lower_case()
}

fn data_of(data: &AllRecordData<&[u8], ParsedName<&[u8]>>) -> Vec<u8> {
    let mut wire = Vec::new();
    data.compose_rdata(&mut wire).unwrap();
    wire
}

impl Oracle {
    /// Of a config's zones; steered names have the addresses of all regions, so there should be one.
    pub(super) fn new(config: &Config, serial: u32) -> Self {
        let zones = config.zones.iter().map(|zone| {
            let apex = labels(zone.name.as_wire());
            let mut names: BTreeMap<Labels, Owned> = BTreeMap::new();
            let mut add = |owner: &[u8], kind: u16, ttl: u32, data: Vec<Vec<u8>>| {
                names.entry(labels(owner)).or_default().sets.insert(kind, (ttl, data));
            };
            let numbers = [serial, zone.soa.refresh, zone.soa.retry, zone.soa.expire, zone.soa.negative_ttl];
            let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
            add(
                zone.name.as_wire(),
                6,
                zone.ttl,
                vec![[zone.soa.primary.as_wire(), zone.soa.contact.as_wire(), &numbers].concat()],
            );
            let servers = zone.nameservers.iter().map(|name| name.as_wire().to_vec());
            add(zone.name.as_wire(), 2, zone.ttl, servers.collect());
            for RecordSet { owner, kind, ttl, data } in &zone.records {
                add(owner.as_wire(), *kind, *ttl, data.iter().map(|data| data.to_vec()).collect());
            }
            for steered in &zone.steered {
                let addresses = config.regions.iter().flat_map(|region| region.addresses.iter());
                let (mut v4, mut v6) = (Vec::new(), Vec::new());
                for address in addresses {
                    match address {
                        std::net::IpAddr::V4(address) => v4.push(address.octets().to_vec()),
                        std::net::IpAddr::V6(address) => v6.push(address.octets().to_vec()),
                    }
                }
                add(steered.owner.as_wire(), 1, steered.ttl, v4);
                add(steered.owner.as_wire(), 28, steered.ttl, v6);
            }
            for alias in &zone.aliases {
                names.entry(labels(alias.owner.as_wire())).or_default().alias = Some(labels(alias.target.as_wire()));
            }
            let above =
                |owner: &Labels| (0..=owner.len() - apex.len()).map(|at| owner[at..].to_vec()).collect::<Vec<_>>();
            let existing = names.keys().flat_map(above).collect();
            Zone { apex: apex.clone(), negative_ttl: zone.soa.negative_ttl.min(zone.ttl), names, existing }
        });
        Self { zones: zones.collect() }
    }

    /// Every name that exists, and the types that stand there.
    pub(super) fn names(&self) -> Vec<(Labels, Vec<u16>)> {
        let of = |zone: &Zone, name: &Labels| {
            zone.names.get(name).map(|owned| owned.sets.keys().copied().collect()).unwrap_or_default()
        };
        self.zones.iter().flat_map(|zone| zone.existing.iter().map(|name| (name.clone(), of(zone, name)))).collect()
    }

    fn zone(&self, name: &Labels) -> Option<&Zone> {
        let mut holding: Vec<_> = self.zones.iter().filter(|zone| name.ends_with(&zone.apex)).collect();
        holding.sort_by_key(|zone| zone.apex.len());
        holding.pop()
    }

    /// Answers a question in class IN that is no transfer.
    pub(super) fn answer(&self, name: &Labels, kind: u16) -> Expected {
        let mut expected = Expected { is_authoritative: true, ..Expected::default() };
        let (mut name, mut seen) = (name.clone(), BTreeSet::new());
        for at in 0..MAX_CHAIN {
            // A circle is cut where it closes.
            if !seen.insert(name.clone()) {
                break;
            }
            let Some(zone) = self.zone(&name) else {
                if at == 0 {
                    (expected.rcode, expected.is_authoritative) = (5, false);
                }
                break;
            };
            match self.step(zone, &name, kind, at == 0, &mut expected) {
                Some(next) => name = next,
                None => break,
            }
        }
        for lines in [&mut expected.answer, &mut expected.authority, &mut expected.needed, &mut expected.allowed] {
            lines.sort();
        }
        expected
    }

    /// Where one name leads, if it leads on.
    fn step(&self, zone: &Zone, name: &Labels, kind: u16, is_first: bool, into: &mut Expected) -> Option<Labels> {
        // Down from the apex, label by label.
        for at in (0..=name.len() - zone.apex.len()).rev() {
            let here = name[at..].to_vec();
            let Some(owned) = zone.names.get(&here) else {
                if !zone.existing.contains(&here) {
                    break;
                }
                continue;
            };
            let is_apex = here == zone.apex;
            if let Some((ttl, servers)) = owned.sets.get(&2).filter(|_| !is_apex)
                && !(at == 0 && kind == 43)
            {
                into.is_authoritative = !is_first;
                into.authority.extend(servers.iter().map(|server| line(&here, 2, *ttl, server)));
                for server in servers {
                    self.glue(&labels(server), &here, into);
                }
                return None;
            }
            if let Some((ttl, target)) = owned.sets.get(&39).filter(|_| at > 0) {
                into.answer.push(line(&here, 39, *ttl, &target[0]));
                let next = [&name[..at], &labels(&target[0])].concat();
                let wire = wire(&next);
                if wire.len() > 255 {
                    into.rcode = 6;
                    return None;
                }
                into.answer.push(line(name, 5, *ttl, &wire));
                return Some(next);
            }
        }
        let owned = if zone.existing.contains(name) {
            zone.names.get(name).cloned().unwrap_or_default()
        } else {
            let encloser = (1..name.len()).map(|at| &name[at..]).find(|above| zone.existing.contains(*above)).unwrap();
            let wildcard = [&[b"*".to_vec()], encloser].concat();
            match zone.names.get(&wildcard) {
                Some(owned) => owned.clone(),
                // `x.*` makes `*` exist without anything.
                None if zone.existing.contains(&wildcard) => Owned::default(),
                None => {
                    into.rcode = 3;
                    deny(zone, into);
                    return None;
                }
            }
        };
        if let Some((ttl, target)) = owned.sets.get(&5).filter(|_| ![5, 255].contains(&kind)) {
            into.answer.push(line(name, 5, *ttl, &target[0]));
            return Some(labels(&target[0]));
        }
        let target = owned.alias.as_ref().filter(|_| [1, 28, 65].contains(&kind) && !owned.sets.contains_key(&kind));
        let is_something = !owned.sets.is_empty() || owned.alias.is_some();
        let sets =
            target.and_then(|target| self.zone(target)?.names.get(target)).map_or(&owned.sets, |other| &other.sets);
        match sets.get(&kind) {
            _ if kind == 255 && is_something => into.answer.push(line(name, 13, 3600, b"\x07RFC8482\0")),
            Some((ttl, data)) => into.answer.extend(data.iter().map(|data| line(name, kind, *ttl, data))),
            None => deny(zone, into),
        }
        None
    }

    fn glue(&self, server: &Labels, cut: &Labels, into: &mut Expected) {
        let Some(owned) = self.zone(server).and_then(|zone| zone.names.get(server)) else { return };
        for kind in [1, 28] {
            let Some((ttl, data)) = owned.sets.get(&kind) else { continue };
            let lines = data.iter().map(|data| line(server, kind, *ttl, data));
            if server.ends_with(cut) { into.needed.extend(lines) } else { into.allowed.extend(lines) }
        }
    }
}

fn deny(zone: &Zone, into: &mut Expected) {
    let (_, soa) = &zone.names[&zone.apex].sets[&6];
    into.authority.push(line(&zone.apex, 6, zone.negative_ttl, &soa[0]));
}
