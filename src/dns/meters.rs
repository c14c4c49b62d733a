//! What is counted, with handles made on first use: a zone that nobody asks costs nothing, a query looks no label up.

use std::sync::OnceLock;

use metrics::Counter;

use super::{
    outcome::{Outcome, Transport},
    steer::Steering,
    wire::{Rcode, kind},
};

/// The types with a label of their own, and one for all others.
const KINDS: [(u16, &str); 12] = [
    (kind::A, "a"),
    (kind::AAAA, "aaaa"),
    (kind::NS, "ns"),
    (kind::CNAME, "cname"),
    (kind::SOA, "soa"),
    (kind::MX, "mx"),
    (kind::TXT, "txt"),
    (kind::SRV, "srv"),
    (kind::CAA, "caa"),
    (kind::ANY, "any"),
    (65, "https"),
    (0, "other"),
];
const QUERIES: usize = KINDS.len() * Rcode::ALL.len() * Transport::ALL.len();

/// One zone's counters.
#[derive(Debug)]
pub(super) struct ZoneMeters {
    zone: String,
    queries: OnceLock<Box<[OnceLock<Counter>]>>,
    steered: [OnceLock<Counter>; Steering::ALL.len()],
}

impl ZoneMeters {
    pub(super) fn new(zone: &str) -> Self {
        Self { zone: zone.to_owned(), queries: OnceLock::new(), steered: Default::default() }
    }

    /// Counts one answer.
    pub(super) fn count(&self, outcome: Outcome, transport: Transport) {
        let all = self.queries.get_or_init(|| (0..QUERIES).map(|_| OnceLock::new()).collect());
        let by_kind = KINDS.iter().position(|(kind, _)| *kind == outcome.kind).unwrap_or(KINDS.len() - 1);
        let at = (by_kind * Rcode::ALL.len() + outcome.rcode as usize) * Transport::ALL.len() + transport as usize;
        let counter = || {
            metrics::counter!("meridian_dns_queries_total", "zone" => self.zone.clone(), "type" => KINDS[by_kind].1,
                "rcode" => outcome.rcode.as_str(), "transport" => transport.as_str())
        };
        all[at].get_or_init(counter).increment(1);
        if let Some(steering) = outcome.steering {
            let counter = || metrics::counter!("meridian_dns_steered_total", "zone" => self.zone.clone(), "outcome" => steering.as_str());
            self.steered[steering as usize].get_or_init(counter).increment(1);
        }
    }
}

/// What belongs to no zone; each thread holds its own handles.
#[derive(Clone, Debug)]
pub(super) struct Meters {
    pub(super) short: Counter,
    pub(super) responses: Counter,
    pub(super) truncated: Counter,
    pub(super) opened: Counter,
    pub(super) closed: Counter,
    pub(super) refused: Counter,
}

impl Meters {
    pub(super) fn new() -> Self {
        let dropped = |reason: &'static str| metrics::counter!("meridian_dns_dropped_total", "reason" => reason);
        Self {
            short: dropped("short"),
            responses: dropped("response"),
            truncated: metrics::counter!("meridian_dns_truncated_total"),
            opened: metrics::counter!("meridian_dns_connections_opened_total"),
            closed: metrics::counter!("meridian_dns_connections_closed_total"),
            refused: metrics::counter!("meridian_dns_connections_refused_total"),
        }
    }
}
