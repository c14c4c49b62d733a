//! One query, one answer: bytes in, bytes out, no sockets, no clock, nothing allocated once the buffer has grown.

use std::net::IpAddr;

use super::{
    guard::Guard,
    outcome::{Asked, Client, CookieSeen, Moment, Outcome, Transport, Unanswered},
    reply::Reply,
    wire::{Answer, Malformed, Opt, Query, Rcode, bare},
    zone::Zones,
};
use crate::{clock::Random, table::Snapshot};

/// What a client without EDNS takes over UDP.
const PLAIN_UDP: u16 = 512;

/// One thread's answering. Limits come with the zones.
#[derive(Debug)]
pub struct Responder {
    random: Random,
    query: Query,
    /// Answers that were too much for a network.
    excess: u32,
}

impl Responder {
    /// Draws from this randomness.
    pub fn new(random: Random) -> Self {
        Self { random, query: Query::default(), excess: 0 }
    }

    /// Answers one message into `out`.
    pub fn respond(
        &mut self,
        message: &[u8],
        client: Client,
        now: Moment,
        snapshot: Snapshot<'_>,
        out: &mut Vec<u8>,
    ) -> Asked {
        let zones: Option<&Zones> = snapshot.generation.compiled();
        let problem = self.query.read(message).err();
        match (problem, zones) {
            (Some(Malformed::Short), _) => Asked::Dropped(Unanswered::Short),
            (Some(Malformed::Response), _) => Asked::Dropped(Unanswered::Response),
            (None, Some(zones)) => self.answer(message, client, now, (zones, snapshot), out),
            (problem, zones) => {
                let rcode = match problem {
                    Some(Malformed::Operation) => Rcode::NotImp,
                    Some(_) => Rcode::FormErr,
                    None => Rcode::Refused,
                };
                let outcome = Outcome::plain(rcode, 0);
                if let Some(zones) = zones
                    && !is_within(&zones.guard, client, outcome, 0, now)
                {
                    return Asked::Dropped(Unanswered::RateLimited);
                }
                let payload = zones.map_or(PLAIN_UDP, |zones| zones.settings.udp_payload);
                let opt = Opt { payload, ..Opt::default() };
                bare(out, message, rcode, (problem == Some(Malformed::Options)).then_some(&opt));
                Asked::Answered(outcome)
            }
        }
    }

    fn answer(
        &mut self,
        message: &[u8],
        client: Client,
        now: Moment,
        (zones, snapshot): (&Zones, Snapshot<'_>),
        out: &mut Vec<u8>,
    ) -> Asked {
        let (mut opt, cookie) = options(zones, &self.query, client, now);
        let limit = limit(zones, &self.query, client.transport);
        let answer = Answer::begin(out, message, &self.query, limit, opt.as_ref().map_or(0, Opt::reserve));
        let mut reply = Reply::new(&self.query, answer, zones, snapshot, client.address);
        let rcode =
            if self.query.is_for_a_cookie() { reply.give_cookie(cookie) } else { reply.settle(&mut self.random) };
        let Reply { mut answer, steered, scope, is_authoritative, explanation, zone, alike, .. } = reply;
        let mut outcome = Outcome {
            zone,
            steering: steered.map(|settled| settled.steering),
            region: steered.and_then(|settled| settled.regions().first().copied()),
            cookie,
            has_subnet: self.query.edns.as_ref().is_some_and(|edns| edns.subnet.is_some()),
            ..Outcome::plain(rcode, self.query.kind)
        };
        if !is_within(&zones.guard, client, outcome, alike, now) {
            self.excess = self.excess.wrapping_add(1);
            let slip = zones.guard.rates.as_ref().map_or(0, |rates| rates.slip());
            if slip == 0 || !self.excess.is_multiple_of(slip) {
                return Asked::Dropped(Unanswered::RateLimited);
            }
            answer.truncate();
            outcome.is_slipped = true;
        }
        if let Some(opt) = &mut opt {
            // What is sent to somebody who may not have asked is as short as it can be.
            (opt.explanation, opt.nsid) = if outcome.is_slipped { (None, &[][..]) } else { (explanation, opt.nsid) };
            // A zone that looks at no client's network says nothing about it (RFC 7871 §7.2.1).
            opt.subnet =
                opt.subnet.filter(|_| zone.and_then(|zone| zones.zone(zone)).is_none_or(|zone| zone.has_client_subnet));
            opt.subnet = opt.subnet.map(|(subnet, _)| (subnet, scope));
        }
        outcome.is_truncated = answer.finish(&self.query, rcode, is_authoritative, opt.as_ref(), limit);
        Asked::Answered(outcome)
    }
}

/// Whether the client's network may have one more answer like this.
fn is_within(guard: &Guard, client: Client, outcome: Outcome, alike: u64, now: Moment) -> bool {
    let is_proven = client.transport != Transport::Udp || outcome.cookie == CookieSeen::Valid;
    let Some(rates) = guard.rates.as_ref().filter(|_| !is_proven) else { return true };
    rates.allows(client.address, (outcome.rcode, alike), now.millis)
}

/// What OPT says, if the client speaks EDNS, and what the client showed as a cookie.
fn options<'a>(zones: &'a Zones, query: &Query, client: Client, now: Moment) -> (Option<Opt<'a>>, CookieSeen) {
    let Some(edns) = &query.edns else { return (None, CookieSeen::None) };
    let jar = zones.guard.cookies.as_ref();
    let exchanged = edns.cookie.as_ref().zip(jar).map(|(shown, jar)| jar.exchange(shown, client.address, now.unix));
    let is_stream = matches!(client.transport, Transport::Tcp | Transport::Tls);
    let opt = Opt {
        payload: zones.settings.udp_payload,
        wants_dnssec: edns.wants_dnssec,
        subnet: edns.subnet.map(|subnet| (subnet, 0)),
        cookie: exchanged.map(|(_, given)| given),
        nsid: if edns.wants_nsid { &zones.settings.nsid } else { &[] },
        keepalive: (edns.wants_keepalive && is_stream).then_some(zones.keepalive),
        explanation: None,
        is_padded: edns.is_padded && client.transport.is_encrypted(),
    };
    (Some(opt), exchanged.map_or(CookieSeen::None, |(seen, _)| seen))
}

/// How long an answer may be.
fn limit(zones: &Zones, query: &Query, transport: Transport) -> usize {
    if transport != Transport::Udp {
        return usize::from(u16::MAX);
    }
    let offered = query.edns.as_ref().map_or(PLAIN_UDP, |edns| edns.payload.max(PLAIN_UDP));
    usize::from(offered.min(zones.settings.udp_payload))
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
        let client = Client { address: IpAddr::from([127, 0, 0, 1]), transport };
        responder.respond(bytes, client, Moment::default(), snapshot, &mut out);
        let limit = if transport == Transport::Udp { 1232 } else { usize::from(u16::MAX) };
        assert!(out.len() <= limit, "{} bytes over {}", out.len(), transport.as_str());
    }
    out
}

#[cfg(test)]
mod tests;
