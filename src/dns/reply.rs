//! What a question comes to: records, somebody else to ask, or nothing, and why.

use std::net::IpAddr;

use super::{
    outcome::CookieSeen,
    steer::{Asking, Settled, Steering},
    wire::{Answer, CLASS_CHAOS, CLASS_IN, Explanation, HEADER, Query, RECORD_HEAD, Rcode, Records, Section, kind},
    zone::{Found, NOBODY, Node, NodeId, Zone, Zones},
};
use crate::{clock::Random, table::Snapshot};

/// Names followed within our zones before the client is left to follow the rest.
pub(super) const MAX_CHAIN: usize = 8;
/// Longest name on the wire.
const MAX_NAME: usize = 255;
/// The one record that answers ANY (RFC 8482): HINFO for an hour, of a CPU named so and no system.
const ANY_RECORD: &[u8] = b"\xc0\x0c\x00\x0d\x00\x01\x00\x00\x0e\x10\x00\x09\x07RFC8482\x00";
/// Names that servers tell about themselves, in wire form.
const CHAOS_NAMES: [&[u8]; 4] =
    [b"\x02id\x06server\0", b"\x08hostname\x04bind\0", b"\x07version\x04bind\0", b"\x07version\x06server\0"];

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Reply<'a> {
    query: &'a Query,
    pub(super) answer: Answer<'a>,
    zones: &'a Zones,
    snapshot: Snapshot<'a>,
    resolver: IpAddr,
    /// The zone that answered.
    pub(super) zone: Option<u32>,
    /// What became of a steered name.
    pub(super) steered: Option<Settled>,
    /// How much of the network that the client named mattered, in bits.
    pub(super) scope: u8,
    pub(super) is_authoritative: bool,
    pub(super) explanation: Option<Explanation>,
    /// The same for answers that are the same to whoever floods somebody with them.
    pub(super) alike: u64,
}

/// A name on its way through aliases: its bytes, and where it stands in the message.
struct At<'n> {
    name: &'n [u8],
    owner: usize,
}

impl At<'_> {
    /// Where its last bytes stand, such as the name of its zone.
    fn suffix(&self, length: usize) -> usize {
        self.owner + self.name.len().saturating_sub(length)
    }
}

/// What a step comes to.
enum Step {
    Done(Rcode),
    /// To this name, which stands here.
    Follow {
        length: usize,
        owner: usize,
    },
}

impl<'a> Reply<'a> {
    pub(super) fn new(
        query: &'a Query,
        answer: Answer<'a>,
        zones: &'a Zones,
        snapshot: Snapshot<'a>,
        resolver: IpAddr,
    ) -> Self {
        Self {
            query,
            answer,
            zones,
            snapshot,
            resolver,
            zone: None,
            steered: None,
            scope: 0,
            is_authoritative: true,
            explanation: None,
            alike: 0,
        }
    }

    /// Writes what there is to say.
    pub(super) fn settle(&mut self, random: &mut Random) -> Rcode {
        if self.query.edns.as_ref().is_some_and(|edns| edns.version > 0) {
            return self.decline(Rcode::BadVers, None);
        }
        match (self.query.class, self.query.kind) {
            (_, kind::OPT | kind::TKEY | kind::TSIG) => self.decline(Rcode::FormErr, None),
            (_, kind::AXFR | kind::IXFR) => self.decline(Rcode::Refused, Some(Explanation::Prohibited)),
            (CLASS_IN, _) => self.follow(random),
            (CLASS_CHAOS, kind::TXT | kind::ANY) if CHAOS_NAMES.contains(&self.query.name()) => self.introduce(),
            _ => self.decline(Rcode::Refused, Some(Explanation::Prohibited)),
        }
    }

    /// Answers who asked for nothing but a cookie (RFC 7873 §5.4).
    pub(super) fn give_cookie(&mut self, seen: CookieSeen) -> Rcode {
        let rcode = match seen {
            // None are spoken here.
            CookieSeen::None => Rcode::FormErr,
            CookieSeen::Invalid => Rcode::BadCookie,
            CookieSeen::New | CookieSeen::Valid => Rcode::NoError,
        };
        self.decline(rcode, None)
    }

    fn decline(&mut self, rcode: Rcode, explanation: Option<Explanation>) -> Rcode {
        (self.is_authoritative, self.explanation) = (false, explanation);
        rcode
    }

    /// Says who answers, where the config says that anybody may know.
    fn introduce(&mut self) -> Rcode {
        let Some(bytes) = self.zones.chaos.as_deref() else {
            return self.decline(Rcode::Refused, Some(Explanation::Prohibited));
        };
        self.answer.append(Section::Answer, HEADER, Records { bytes, count: 1 }, None, true);
        Rcode::NoError
    }

    /// From name to name, as far as they lead within our zones. A circle ends where it closes: no record comes twice.
    fn follow(&mut self, random: &mut Random) -> Rcode {
        let mut buffer = [0; MAX_NAME];
        let mut owners = [HEADER; MAX_CHAIN];
        let query = self.query;
        let mut step = self.step(&At { name: query.name(), owner: HEADER }, true, &mut buffer, random);
        for at in 1..MAX_CHAIN {
            match step {
                Step::Done(rcode) => return rcode,
                Step::Follow { length, owner } => {
                    let name = buffer;
                    let name = name.get(..length).unwrap_or_default();
                    if owners[..at].iter().any(|owner| self.answer.has_name(*owner, name)) {
                        return Rcode::NoError;
                    }
                    owners[at] = owner;
                    step = self.step(&At { name, owner }, false, &mut buffer, random);
                }
            }
        }
        match step {
            Step::Done(rcode) => rcode,
            Step::Follow { .. } => Rcode::NoError,
        }
    }

    fn step(&mut self, at: &At<'_>, is_first: bool, next: &mut [u8; MAX_NAME], random: &mut Random) -> Step {
        let found = self.zones.find(at.name, self.query.kind == kind::DS);
        match found {
            Found::Here { zone, node } => {
                self.zone.get_or_insert(zone.position);
                let alias = self.zones.names.set(node, kind::CNAME);
                match alias.filter(|_| ![kind::CNAME, kind::ANY].contains(&self.query.kind)) {
                    Some(records) => {
                        self.alike = self.alike.wrapping_add(node.mark());
                        self.rename(at, records, next)
                    }
                    None => Step::Done(self.say(at, zone, node, random)),
                }
            }
            Found::Missing { zone } => {
                self.zone.get_or_insert(zone.position);
                self.alike = self.alike.wrapping_add(u64::from(zone.position));
                self.deny(at, zone);
                Step::Done(Rcode::NxDomain)
            }
            Found::Elsewhere { zone, cut } => {
                self.zone.get_or_insert(zone.position);
                self.is_authoritative = !is_first;
                self.refer(at, cut);
                Step::Done(Rcode::NoError)
            }
            Found::Moved { zone, from } => {
                self.zone.get_or_insert(zone.position);
                self.redirect(at, from, next)
            }
            Found::Foreign if is_first => Step::Done(self.decline(Rcode::Refused, Some(Explanation::NotAuthoritative))),
            // The client follows from here.
            Found::Foreign => Step::Done(Rcode::NoError),
        }
    }

    /// Writes a CNAME. Its target stands at its end: what follows points there.
    fn rename(&mut self, at: &At<'_>, records: Records<'_>, next: &mut [u8; MAX_NAME]) -> Step {
        let owner = self.answer.position() + RECORD_HEAD;
        let target = records.bytes.get(RECORD_HEAD..).unwrap_or_default();
        if !self.answer.append(Section::Answer, at.owner, records, None, true) || target.len() > next.len() {
            return Step::Done(Rcode::NoError);
        }
        for (slot, byte) in next.iter_mut().zip(target) {
            *slot = byte.to_ascii_lowercase();
        }
        Step::Follow { length: target.len(), owner }
    }

    /// Writes a DNAME and the CNAME that it means for this name (RFC 6672).
    fn redirect(&mut self, at: &At<'_>, from: NodeId, next: &mut [u8; MAX_NAME]) -> Step {
        let names = &self.zones.names;
        let Some(records) = names.node(from).and_then(|node| names.set(node, kind::DNAME)) else {
            return Step::Done(Rcode::NoError);
        };
        let suffix = names.name(from).len();
        let target = records.bytes.get(RECORD_HEAD..).unwrap_or_default();
        let ttl = records.bytes.get(6..10).and_then(<[u8]>::first_chunk).map_or(0, |ttl| u32::from_be_bytes(*ttl));
        self.alike = self.alike.wrapping_add(u64::from(from));
        if !self.answer.append(Section::Answer, at.suffix(suffix), records, None, true) {
            return Step::Done(Rcode::NoError);
        }
        let kept = at.name.len().saturating_sub(suffix);
        let length = kept + target.len();
        if length > MAX_NAME {
            return Step::Done(Rcode::YxDomain);
        }
        next[..kept].copy_from_slice(&at.name[..kept]);
        next[kept..length].copy_from_slice(target);
        let owner = self.answer.position() + RECORD_HEAD;
        if !self.answer.make(Section::Answer, at.owner, kind::CNAME, ttl, &next[..length]) {
            return Step::Done(Rcode::NoError);
        }
        next[..length].make_ascii_lowercase();
        Step::Follow { length, owner }
    }

    /// Says who is to be asked instead, and where they are.
    fn refer(&mut self, at: &At<'_>, cut: NodeId) {
        let names = &self.zones.names;
        let Some(servers) = names.node(cut).and_then(|node| names.set(node, kind::NS)) else { return };
        let (cut_name, start) = (names.name(cut), self.answer.position());
        self.alike = self.alike.wrapping_add(u64::from(cut));
        if !self.answer.append(Section::Authority, at.suffix(cut_name.len()), servers, None, true) {
            return;
        }
        let mut place = 0;
        while let Some((head, data)) = servers.bytes.get(place..).and_then(<[u8]>::split_first_chunk::<RECORD_HEAD>) {
            let length = usize::from(u16::from_be_bytes([head[10], head[11]]));
            let mut buffer = [0; MAX_NAME];
            if let (Some(name), Some(server)) = (data.get(..length), buffer.get_mut(..length)) {
                server.copy_from_slice(name);
                server.make_ascii_lowercase();
                // Nobody can find a server within the part that it serves, unless told here (RFC 9471).
                self.locate(server, start + place + RECORD_HEAD, server.ends_with(cut_name));
            }
            place += RECORD_HEAD + length;
        }
    }

    fn locate(&mut self, server: &[u8], owner: usize, is_needed: bool) {
        let names = &self.zones.names;
        let Some(node) = names.find(server).and_then(|id| names.node(id)) else { return };
        for kind in [kind::A, kind::AAAA] {
            if let Some(records) = names.set(node, kind) {
                self.answer.append(Section::Additional, owner, records, None, is_needed);
            }
        }
    }

    /// Writes what the name has of the type asked for.
    fn say(&mut self, at: &At<'_>, zone: &Zone, node: &'a Node, random: &mut Random) -> Rcode {
        let (kind, names) = (self.query.kind, &self.zones.names);
        // Denials are alike, whatever type they are of.
        self.alike = self.alike.wrapping_add(node.mark());
        let of_type = u64::from(kind) << 32;
        let target = names.node(node.alias).filter(|_| node.alias != NOBODY);
        let has_any =
            target.is_some() || !names.sets(node).is_empty() || self.zones.compass.steer(node.steer).is_some();
        if kind == kind::ANY && has_any {
            self.answer.append(Section::Answer, at.owner, Records { bytes: ANY_RECORD, count: 1 }, None, true);
            return Rcode::NoError;
        }
        let is_address = matches!(kind, kind::A | kind::AAAA | kind::HTTPS);
        let own = names.set(node, kind);
        let node = target.filter(|_| is_address && own.is_none()).unwrap_or(node);
        if is_address && self.steer(at, zone, node, random) {
            self.alike = self.alike.wrapping_add(of_type);
            return Rcode::NoError;
        }
        match names.set(node, kind) {
            Some(records) if self.steered.is_none() => {
                self.alike = self.alike.wrapping_add(of_type);
                self.answer.append(Section::Answer, at.owner, records, None, true);
            }
            _ => self.deny(at, zone),
        }
        Rcode::NoError
    }

    /// Writes the addresses of whoever is chosen; says whether there was anybody.
    fn steer(&mut self, at: &At<'_>, zone: &Zone, node: &Node, random: &mut Random) -> bool {
        let (kind, compass) = (self.query.kind, &self.zones.compass);
        let Some(steer) = compass.steer(node.steer).filter(|steer| compass.has(steer, kind)) else { return false };
        let told = self.told(zone);
        // Whoever is to be served, as far as it is known: the resolver, where nobody says for whom it asks.
        let asking = Asking { kind, client: told.unwrap_or(self.resolver), snapshot: self.snapshot };
        let settled = compass.choose(steer, &asking, random, None);
        self.steered = Some(settled);
        // What does not look at that network is the same for all of them, and so is that there is nothing.
        self.scope = if told.is_some() && !settled.regions().is_empty() { settled.scope } else { 0 };
        self.explanation = match settled.steering {
            Steering::Closed => Some(Explanation::NobodyLeft),
            Steering::Open => Some(Explanation::AllDown),
            Steering::Unproven => Some(Explanation::NotReady),
            _ if settled.is_stale => Some(Explanation::Stale),
            _ => None,
        };
        let (mut left, mut regions) = (settled.most, u16::try_from(settled.regions().len()).unwrap_or(1));
        for region in settled.regions() {
            let hand = compass.hand(steer, *region, kind);
            let most = left.div_ceil(regions.max(1)).min(hand.records().count);
            (left, regions) = (left - most, regions - 1);
            let turn = if hand.records().count > 1 { random.u16(..) } else { 0 };
            for records in hand.turned(turn, most) {
                self.answer.append(Section::Answer, at.owner, records, Some(settled.ttl), true);
            }
        }
        !settled.regions().is_empty()
    }

    /// The network of whoever is to be served, where the resolver names it and the zone looks at it.
    fn told(&self, zone: &Zone) -> Option<IpAddr> {
        let subnet = self.query.edns.as_ref().and_then(|edns| edns.subnet);
        subnet.filter(|subnet| subnet.source > 0 && zone.has_client_subnet).map(|subnet| subnet.address)
    }

    /// Says how long the absence may be remembered.
    fn deny(&mut self, at: &At<'_>, zone: &Zone) {
        // Whoever is back soon is not denied for longer.
        let ttl = self.steered.map(|settled| settled.ttl.min(zone.negative_ttl));
        self.answer.append(Section::Authority, at.suffix(zone.length), zone.authority(), ttl, true);
    }
}
