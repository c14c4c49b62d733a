//! What is counted. Each thread counts for itself in plain numbers and adds them to the shared counters at the end of a batch: a query
//! costs a look into a small table, and no atomic operation. Handles are made when something is first counted, so what nobody asks costs
//! nothing; their number is bounded by [`MOST`], and by the zones, types and outcomes there are.

use std::{mem, sync::Arc, time::Duration};

use metrics::{Counter, counter};

use super::{
    outcome::{Asked, CookieSeen, Outcome, Transport, Unanswered},
    wire::kind,
    zone::Zones,
};
use crate::telemetry::{Histogram, Scale, scaled_histogram};

/// The types with a label of their own, in order; all others share one.
const KINDS: [(u16, &str); 20] = [
    (kind::A, "a"),
    (kind::NS, "ns"),
    (kind::CNAME, "cname"),
    (kind::SOA, "soa"),
    (12, "ptr"),
    (kind::MX, "mx"),
    (kind::TXT, "txt"),
    (kind::AAAA, "aaaa"),
    (kind::SRV, "srv"),
    (35, "naptr"),
    (39, "dname"),
    (43, "ds"),
    (44, "sshfp"),
    (48, "dnskey"),
    (52, "tlsa"),
    (64, "svcb"),
    (65, "https"),
    (kind::AXFR, "axfr"),
    (kind::ANY, "any"),
    (kind::CAA, "caa"),
];
const OTHER: &str = "other";

/// The word of a type that has one.
pub(super) fn word_of(kind: u16) -> Option<&'static str> {
    let at = KIND_AT.get(usize::from(kind))?;
    KINDS.get(usize::from(*at)).map(|(_, word)| *word)
}

/// Positions in [`KINDS`] of all types up to the last, and of all beyond in the last place; its length where there is none.
#[allow(clippy::cast_possible_truncation, reason = "there are twenty")]
const KIND_AT: [u8; 259] = {
    let mut positions = [KINDS.len() as u8; 259];
    let mut at = 0;
    while at < KINDS.len() {
        positions[KINDS[at].0 as usize] = at as u8;
        at += 1;
    }
    positions
};

/// What queries of no zone are counted under.
const NO_ZONE: &str = "none";
/// Series that one thread holds handles for; with more, it looks them up anew.
const MOST: usize = 1024;
/// Places in the table: a power of two, twice as many as are ever taken.
const PLACES: usize = 2 * MOST;

/// Why a message got no answer; its word is the metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// It was read, and is nothing to answer.
    Unanswered(Unanswered),
    /// It is longer than any query.
    Oversized,
    /// It came from where no answer can go, or asked many hosts at once.
    Unanswerable,
}

impl Dropped {
    const COUNT: usize = Unanswered::ALL.len() + 2;

    fn all() -> [Self; Self::COUNT] {
        let [short, response, limited] = Unanswered::ALL.map(Self::Unanswered);
        [short, response, limited, Self::Oversized, Self::Unanswerable]
    }

    fn position(self) -> usize {
        match self {
            Self::Unanswered(why) => why as usize,
            Self::Oversized => Self::COUNT - 2,
            Self::Unanswerable => Self::COUNT - 1,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Unanswered(why) => why.as_str(),
            Self::Oversized => "oversized",
            Self::Unanswerable => "unanswerable",
        }
    }
}

/// Where each number stands: those that have one of a kind follow each other.
mod place {
    use super::{CookieSeen, Dropped, Transport};

    pub(super) const RECEIVED: usize = 0;
    pub(super) const UNSENT: usize = RECEIVED + Transport::ALL.len();
    pub(super) const COOKIES: usize = UNSENT + Transport::ALL.len();
    pub(super) const DROPPED: usize = COOKIES + CookieSeen::ALL.len();
    pub(super) const TRUNCATED: usize = DROPPED + Dropped::COUNT;
    pub(super) const SLIPPED: usize = TRUNCATED + 1;
    pub(super) const LIMITED: usize = SLIPPED + 1;
    pub(super) const SUBNETS: usize = LIMITED + 1;
    pub(super) const BATCHES: usize = SUBNETS + 1;
}

/// What one thread counts.
#[derive(Debug)]
pub(super) struct Tally {
    answers: Answers,
    /// Since the last flush.
    numbers: [u64; place::BATCHES + 1],
    counters: Vec<Counter>,
    latencies: [Arc<Histogram>; Transport::ALL.len()],
}

impl Tally {
    pub(super) fn new() -> Self {
        let each =
            |name: &'static str| Transport::ALL.map(|transport| counter!(name, "transport" => transport.as_str()));
        let limited = |action: &'static str| counter!("meridian_dns_rate_limited_total", "action" => action);
        let counters = each("meridian_dns_received_total")
            .into_iter()
            .chain(each("meridian_dns_unsent_total"))
            .chain(CookieSeen::ALL.map(|seen| counter!("meridian_dns_cookies_total", "seen" => seen.as_str())))
            .chain(Dropped::all().map(|why| counter!("meridian_dns_dropped_total", "reason" => why.as_str())))
            .chain([counter!("meridian_dns_truncated_total"), limited("slip"), limited("drop")])
            .chain([counter!("meridian_dns_client_subnet_total"), counter!("meridian_dns_batches_total")]);
        Self {
            answers: Answers::default(),
            numbers: [0; _],
            counters: counters.collect(),
            latencies: Transport::ALL.map(|transport| {
                let labels = [("transport", transport.as_str())];
                scaled_histogram("meridian_dns_response_seconds", &labels, Scale::Answer)
            }),
        }
    }

    /// Zones are known by their positions, which mean something else with the next config.
    pub(super) fn follow(&mut self, revision: u64) {
        if self.answers.revision != revision {
            self.answers.forget();
            self.answers.revision = revision;
        }
    }

    /// Counts a message that was received, and what became of it.
    pub(super) fn count(&mut self, asked: Asked, transport: Transport, zones: Option<&Zones>) {
        let outcome = match asked {
            Asked::Answered(outcome) => outcome,
            Asked::Dropped(why) => {
                self.numbers[place::LIMITED] += u64::from(why == Unanswered::RateLimited);
                return self.dropped(Dropped::Unanswered(why), transport, 1);
            }
        };
        self.answers.count(outcome, transport, zones);
        self.numbers[place::RECEIVED + transport as usize] += 1;
        self.numbers[place::COOKIES + outcome.cookie as usize] += 1;
        self.numbers[place::TRUNCATED] += u64::from(outcome.is_truncated);
        self.numbers[place::SLIPPED] += u64::from(outcome.is_slipped);
        self.numbers[place::SUBNETS] += u64::from(outcome.has_subnet);
    }

    /// Counts messages that were received and left alone.
    pub(super) fn dropped(&mut self, why: Dropped, transport: Transport, count: u64) {
        self.numbers[place::RECEIVED + transport as usize] += count;
        self.numbers[place::DROPPED + why.position()] += count;
    }

    /// Counts answers that could not be sent.
    pub(super) fn unsent(&mut self, transport: Transport, count: u64) {
        self.numbers[place::UNSENT + transport as usize] += count;
    }

    /// Adds what was counted to what all threads counted. So many answers took so long, from the arrival of their batch until all of it
    /// was sent.
    pub(super) fn flush(&mut self, transport: Transport, answered: u64, took: Duration) {
        self.numbers[place::BATCHES] += 1;
        if answered > 0 {
            self.latencies[transport as usize].observe_all(took, answered);
        }
        self.answers.flush();
        for (number, counter) in self.numbers.iter_mut().zip(&self.counters).filter(|(number, _)| **number > 0) {
            counter.increment(mem::take(number));
        }
    }
}

/// Answers by zone, type, rcode, transport and steering: an open-addressed table of positions in a list.
#[derive(Debug)]
struct Answers {
    /// 1 more than a position in `series`; 0 where there is none.
    places: Box<[u16; PLACES]>,
    series: Vec<Series>,
    /// Positions of what was counted since the last flush.
    touched: Vec<u16>,
    revision: u64,
}

#[derive(Debug)]
struct Series {
    key: u64,
    pending: u64,
    queries: Counter,
    steered: Option<Counter>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { places: Box::new([0; PLACES]), series: Vec::new(), touched: Vec::with_capacity(MOST), revision: 0 }
    }
}

impl Answers {
    fn count(&mut self, outcome: Outcome, transport: Transport, zones: Option<&Zones>) {
        let kind = usize::from(KIND_AT[usize::from(outcome.kind).min(KIND_AT.len() - 1)]);
        let steering = outcome.steering.map_or(0, |steering| 1 + steering as u64);
        let small = ((kind as u64) << 8 | outcome.rcode as u64) << 8 | steering << 2 | transport as u64;
        let key = u64::from(outcome.zone.map_or(0, |zone| zone.saturating_add(1))) << 32 | small;
        let at = self.find(key, || {
            let zone = outcome.zone.and_then(|zone| zones?.zone_name(zone)).unwrap_or(NO_ZONE).to_owned();
            let kind = KINDS.get(kind).map_or(OTHER, |(_, word)| *word);
            let queries = counter!("meridian_dns_queries_total", "zone" => zone.clone(), "type" => kind,
                "rcode" => outcome.rcode.as_str(), "transport" => transport.as_str());
            let steered = outcome
                .steering
                .map(|steering| counter!("meridian_dns_steered_total", "zone" => zone, "outcome" => steering.as_str()));
            Series { key, pending: 0, queries, steered }
        });
        let series = &mut self.series[usize::from(at)];
        if series.pending == 0 {
            self.touched.push(at);
        }
        series.pending += 1;
    }

    /// The position of a series, made where there is none.
    fn find(&mut self, key: u64, make: impl FnOnce() -> Series) -> u16 {
        // The upper bits of a product depend on all bits of the key.
        let hash = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as usize;
        let mut place = hash % PLACES;
        while let Some(at) = self.places[place].checked_sub(1) {
            if self.series[usize::from(at)].key == key {
                return at;
            }
            place = (place + 1) % PLACES;
        }
        if self.series.len() == MOST {
            self.flush();
            self.forget();
            place = hash % PLACES;
        }
        let at = u16::try_from(self.series.len()).unwrap_or_default();
        self.series.push(make());
        self.places[place] = at + 1;
        at
    }

    fn flush(&mut self) {
        for at in self.touched.drain(..) {
            let series = &mut self.series[usize::from(at)];
            let count = mem::take(&mut series.pending);
            series.queries.increment(count);
            if let Some(steered) = &series.steered {
                steered.increment(count);
            }
        }
    }

    fn forget(&mut self) {
        self.flush();
        self.series.clear();
        self.places.fill(0);
    }
}

/// Connections of one transport; each thread holds its own handles.
#[derive(Clone, Debug)]
pub(super) struct ConnectionMeters {
    pub(super) opened: Counter,
    pub(super) closed: Counter,
    /// For want of place.
    pub(super) full: Counter,
    /// For having as many as one client may have.
    pub(super) of_one_client: Counter,
}

impl ConnectionMeters {
    pub(super) fn new(transport: Transport) -> Self {
        let transport = transport.as_str();
        let refused = |why: &'static str| counter!("meridian_dns_connections_refused_total", "transport" => transport, "reason" => why);
        Self {
            opened: counter!("meridian_dns_connections_opened_total", "transport" => transport),
            closed: counter!("meridian_dns_connections_closed_total", "transport" => transport),
            full: refused("full"),
            of_one_client: refused("too-many-of-one-client"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::dns::{Rcode, Steering};

    const RCODES: [Rcode; 5] = [Rcode::NoError, Rcode::FormErr, Rcode::NxDomain, Rcode::Refused, Rcode::BadVers];

    /// Every series that counting leads to.
    fn counted(count: impl FnOnce(&mut Tally)) -> HashMap<String, u64> {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let mut tally = Tally::new();
            count(&mut tally);
            tally.flush(Transport::Udp, 1, Duration::from_micros(9));
        });
        let text = handle.render();
        let lines = text.lines().filter_map(|line| line.rsplit_once(' ').filter(|_| !line.starts_with('#')));
        lines.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect()
    }

    fn sum(series: &HashMap<String, u64>, name: &str) -> u64 {
        series.iter().filter(|(series, _)| series.starts_with(name)).map(|(_, count)| count).sum()
    }

    #[test]
    fn each_kind_has_its_word_and_no_other_has_any() {
        let words = (0..=u16::MAX).filter_map(|kind| Some((kind, word_of(kind)?)));
        assert_eq!(words.collect::<Vec<_>>(), KINDS);
    }

    #[test]
    fn more_series_than_a_thread_remembers_are_all_counted_and_kept_apart() {
        let kinds: Vec<u16> = KINDS.iter().map(|(kind, _)| *kind).chain([65_400]).collect();
        let steerings = [None, Some(Steering::Preferred), Some(Steering::Open), Some(Steering::Closed)];
        let all = counted(|tally| {
            for _ in 0..2 {
                for (kind, rcode) in kinds.iter().flat_map(|kind| RCODES.map(|rcode| (*kind, rcode))) {
                    for (transport, steering) in Transport::ALL.iter().flat_map(|of| steerings.map(|with| (*of, with)))
                    {
                        let outcome = Outcome { steering, ..Outcome::plain(rcode, kind) };
                        tally.count(Asked::Answered(outcome), transport, None);
                    }
                }
            }
        });
        let queries: Vec<_> =
            all.iter().filter(|(series, _)| series.starts_with("meridian_dns_queries_total{")).collect();
        assert_eq!(queries.len(), kinds.len() * RCODES.len() * Transport::ALL.len());
        assert!(queries.iter().all(|(_, count)| **count == 8), "{queries:?}");
        assert_eq!(sum(&all, "meridian_dns_steered_total{"), 3 * sum(&all, "meridian_dns_queries_total{") / 4);
        assert!(queries.len() * steerings.len() > MOST);
    }

    #[test]
    fn what_was_received_is_what_was_answered_and_what_was_dropped() {
        let all = counted(|tally| {
            for why in Unanswered::ALL {
                tally.count(Asked::Dropped(why), Transport::Udp, None);
            }
            let outcome = Outcome { is_slipped: true, is_truncated: true, ..Outcome::plain(Rcode::NoError, kind::A) };
            tally.count(Asked::Answered(outcome), Transport::Udp, None);
            tally.dropped(Dropped::Oversized, Transport::Udp, 2);
            tally.dropped(Dropped::Unanswerable, Transport::Udp, 3);
        });
        let received = all[r#"meridian_dns_received_total{transport="udp"}"#];
        assert_eq!(received, 9);
        assert_eq!(received, sum(&all, "meridian_dns_queries_total{") + sum(&all, "meridian_dns_dropped_total{"));
        assert_eq!(all[r#"meridian_dns_dropped_total{reason="oversized"}"#], 2);
        assert_eq!(all[r#"meridian_dns_dropped_total{reason="unanswerable"}"#], 3);
        assert_eq!(all[r#"meridian_dns_rate_limited_total{action="drop"}"#], 1);
        assert_eq!(all[r#"meridian_dns_rate_limited_total{action="slip"}"#], 1);
        assert_eq!(all["meridian_dns_truncated_total"], 1);
        assert_eq!(all[r#"meridian_dns_cookies_total{seen="none"}"#], 1);
    }
}
