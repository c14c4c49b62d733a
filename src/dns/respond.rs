//! One query, one answer: bytes in, bytes out, no sockets, no clock, nothing allocated once the buffer has grown.

use super::{
    meters::Meters,
    outcome::{Asked, Client, Moment, Outcome, Transport, Unanswered},
    steer::Steering,
    wire::{Answer, CLASS_IN, Edns, HEADER, Malformed, Query, Rcode, Section, bare, kind},
    zone::{Found, Node, Zone, Zones},
};
use crate::{clock::Random, table::Snapshot};

/// CNAMEs followed within our zones before the client is left to follow the rest.
const MAX_CHAIN: usize = 8;
/// What a client without EDNS takes over UDP.
const PLAIN_UDP: u16 = 512;
/// The one record that answers ANY (RFC 8482): HINFO for an hour, of a CPU named so and no system.
const ANY_RECORD: &[u8] = b"\x00\x0d\x00\x01\x00\x00\x0e\x10\x00\x09\x07RFC8482\x00";

/// One thread's answering: its randomness and counters. Limits come with the zones.
#[derive(Debug)]
pub struct Responder {
    random: Random,
    meters: Meters,
}

impl Responder {
    /// Draws from this randomness.
    pub fn new(random: Random) -> Self {
        Self { random, meters: Meters::new() }
    }

    pub(super) fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Answers one message into `out`.
    pub fn respond(
        &mut self,
        message: &[u8],
        client: Client,
        _now: Moment,
        snapshot: Snapshot<'_>,
        out: &mut Vec<u8>,
    ) -> Asked {
        let transport = client.transport;
        let zones: Option<&Zones> = snapshot.generation.compiled();
        let query = match Query::parse(message) {
            Ok(query) => query,
            Err(Malformed::Short) => {
                self.meters.short.increment(1);
                return Asked::Dropped(Unanswered::Short);
            }
            Err(Malformed::Response) => {
                self.meters.responses.increment(1);
                return Asked::Dropped(Unanswered::Response);
            }
            Err(malformed @ (Malformed::Operation | Malformed::Format)) => {
                let rcode = if malformed == Malformed::Operation { Rcode::NotImp } else { Rcode::FormErr };
                bare(out, message, rcode);
                let outcome = Outcome::plain(rcode, 0);
                if let Some(zones) = zones {
                    zones.elsewhere.count(outcome, transport);
                }
                return Asked::Answered(outcome);
            }
        };
        let udp_payload = zones.map_or(PLAIN_UDP, |zones| zones.settings.udp_payload);
        let edns = query.edns.map(|client| Edns { payload: udp_payload, wants_dnssec: client.wants_dnssec });
        let limit = match transport {
            Transport::Tcp | Transport::Tls | Transport::Https => usize::from(u16::MAX),
            Transport::Udp => {
                let offered = query.edns.map_or(PLAIN_UDP, |client| client.payload.max(PLAIN_UDP));
                usize::from(offered.min(udp_payload))
            }
        };
        let answer = Answer::begin(out, message, &query, limit);
        let mut reply = Reply { query: &query, answer, zones, snapshot, steering: None };
        let rcode = reply.settle(&mut self.random);
        let Reply { answer, steering, .. } = reply;
        let is_truncated = answer.finish(&query, rcode, edns);
        if is_truncated {
            self.meters.truncated.increment(1);
        }
        let outcome = Outcome { steering, is_truncated, ..Outcome::plain(rcode, query.kind) };
        if let Some(zones) = zones {
            let zone = zones.find(query.name()).filter(|_| rcode != Rcode::Refused);
            zone.map_or(&zones.elsewhere, |found| &found.zone.meters).count(outcome, transport);
        }
        Asked::Answered(outcome)
    }
}

/// An answer on its way.
struct Reply<'a> {
    query: &'a Query,
    answer: Answer<'a>,
    zones: Option<&'a Zones>,
    snapshot: Snapshot<'a>,
    steering: Option<Steering>,
}

impl<'a> Reply<'a> {
    fn settle(&mut self, random: &mut Random) -> Rcode {
        if self.query.edns.is_some_and(|client| client.version > 0) {
            return Rcode::BadVers;
        }
        let is_transfer = [kind::AXFR, kind::IXFR].contains(&self.query.kind);
        let Some(zones) = self.zones.filter(|_| self.query.class == CLASS_IN && !is_transfer) else {
            return Rcode::Refused;
        };
        let Some(mut found) = zones.find(self.query.name()) else { return Rcode::Refused };
        let mut owner = HEADER;
        for _ in 0..MAX_CHAIN {
            let Some(node) = found.node else {
                self.deny(found.zone);
                return Rcode::NxDomain;
            };
            let alias = node.set(kind::CNAME).filter(|_| ![kind::CNAME, kind::ANY].contains(&self.query.kind));
            let Some((set, target)) = alias.and_then(|set| Some((set, set.target.as_ref()?))) else {
                self.say(found, node, owner, random);
                return Rcode::NoError;
            };
            // The target's name stands at the end of the CNAME: what follows points there.
            let target_at = self.answer.position() + 2 + 10;
            if !self.write(owner, &set.records) {
                return Rcode::NoError;
            }
            let Some(next) = zones.find(target.as_wire()) else { return Rcode::NoError };
            (found, owner) = (next, target_at);
        }
        Rcode::NoError
    }

    /// Writes what the name has of the type asked for.
    fn say(&mut self, found: Found<'a>, node: &'a Node, owner: usize, random: &mut Random) {
        let kind = self.query.kind;
        if kind == kind::ANY && (node.steer.is_some() || !node.sets.is_empty()) {
            self.answer.answer(owner, ANY_RECORD);
            return;
        }
        if let Some(steer) =
            node.steer.as_ref().filter(|steer| [kind::A, kind::AAAA].contains(&kind) && steer.has(kind))
        {
            let (steering, records) = steer.choose(kind, self.snapshot, random);
            self.steering = Some(steering);
            if self.write(owner, records) {
                return;
            }
        } else if let Some(set) = node.set(kind) {
            self.write(owner, &set.records);
            return;
        }
        self.deny(found.zone);
    }

    /// Writes a set of records; says whether there was any and all fitted.
    fn write(&mut self, owner: usize, records: &[Box<[u8]>]) -> bool {
        !records.is_empty() && records.iter().all(|record| self.answer.answer(owner, record))
    }

    /// Says how long the absence may be remembered.
    fn deny(&mut self, zone: &Zone) {
        self.answer.named(Section::Authority, zone.apex.as_wire(), &zone.negative_soa);
    }
}

/// Answers any bytes, for fuzzing.
///
/// # Panics
/// When an answer is longer than its transport takes: what fuzzing looks for.
pub fn fuzz_respond(bytes: &[u8], snapshot: Snapshot<'_>) -> Vec<u8> {
    let mut responder = Responder::new(crate::clock::seeded(1));
    let mut out = Vec::new();
    for transport in Transport::ALL {
        out.clear();
        let client = Client { address: std::net::Ipv4Addr::LOCALHOST.into(), transport };
        responder.respond(bytes, client, Moment::default(), snapshot, &mut out);
        let limit = if transport == Transport::Udp { 1232 } else { usize::from(u16::MAX) };
        assert!(out.len() <= limit, "{} bytes over {}", out.len(), transport.as_str());
    }
    out
}

#[cfg(test)]
mod tests;
