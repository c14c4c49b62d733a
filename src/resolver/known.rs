//! What is known of one name, lookup after lookup. Pure.

use std::{net::IpAddr, time::Duration};

use super::race::in_turn;
use crate::config;

/// What a lookup of one family came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These, for so long.
    Addresses(Vec<IpAddr>, Duration),
    /// There is none.
    Nothing,
    /// Nobody could say; why.
    Failed(String),
}

/// What a lookup of a name came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) v6: Found,
    pub(super) v4: Found,
}

/// What a lookup changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    /// It leads somewhere, for so long.
    Good(Duration),
    /// The servers know no address of it: what was known stays.
    Empty,
    /// The servers did not say: what was known stays.
    Failed(String),
}

/// The addresses a name had last, by family, and how long ago that was in failures.
#[derive(Debug, Default)]
pub(super) struct Known {
    v6: Vec<IpAddr>,
    v4: Vec<IpAddr>,
    failures: u32,
}

impl Known {
    /// Takes an answer in. One family is enough; of the other, what was known stays unless it is said to be gone.
    pub(super) fn learn(&mut self, answer: Answer) -> Learned {
        let ttl = match (&answer.v6, &answer.v4) {
            (Found::Addresses(_, v6), Found::Addresses(_, v4)) => *v6.min(v4),
            (Found::Addresses(_, ttl), _) | (_, Found::Addresses(_, ttl)) => *ttl,
            (Found::Failed(why), _) | (_, Found::Failed(why)) => {
                self.failures += 1;
                return Learned::Failed(why.clone());
            }
            (Found::Nothing, Found::Nothing) => {
                self.failures += 1;
                return Learned::Empty;
            }
        };
        for (family, found) in [(&mut self.v6, answer.v6), (&mut self.v4, answer.v4)] {
            match found {
                Found::Addresses(addresses, _) => *family = addresses,
                Found::Nothing => family.clear(),
                Found::Failed(_) => {}
            }
        }
        self.failures = 0;
        Learned::Good(ttl)
    }

    /// In the order of trying.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        in_turn(&self.v6, &self.v4)
    }

    /// Until the next lookup: the TTL within its limits, and after failures longer each time. These are shortened at random, by up to a
    /// fifth, so that names that failed together do not come back together; `drawn` is from 0 to 1.
    pub(super) fn next_in(&self, learned: &Learned, settings: &config::Resolver, drawn: f64) -> Duration {
        match learned {
            Learned::Good(ttl) => (*ttl).clamp(settings.min_ttl, settings.max_ttl),
            Learned::Empty | Learned::Failed(_) => {
                let doubled = 2_u32.saturating_pow(self.failures.saturating_sub(1));
                settings.min_ttl.saturating_mul(doubled).min(settings.max_ttl).mul_f64(1.0 - drawn / 5.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn found(address: &str, ttl: u64) -> Found {
        Found::Addresses(vec![address.parse().unwrap()], seconds(ttl))
    }

    fn said(known: &mut Known, v6: Found, v4: Found) -> (Learned, Vec<String>) {
        let learned = known.learn(Answer { v6, v4 });
        (learned, known.addresses().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_last_good_addresses_outlive_every_failure() {
        let mut known = Known::default();
        let failed = || Found::Failed("timed out".into());
        assert_eq!(said(&mut known, failed(), Found::Nothing), (Learned::Failed("timed out".into()), vec![]));
        let both = vec!["2001:db8::1".to_owned(), "192.0.2.1".to_owned()];
        let good = said(&mut known, found("2001:db8::1", 9), found("192.0.2.1", 5));
        assert_eq!(good, (Learned::Good(seconds(5)), both.clone()));
        assert_eq!(said(&mut known, failed(), failed()), (Learned::Failed("timed out".into()), both.clone()));
        assert_eq!(said(&mut known, Found::Nothing, Found::Nothing), (Learned::Empty, both));
    }

    #[test]
    fn one_family_that_fails_stays_and_one_that_is_gone_goes() {
        let mut known = Known::default();
        said(&mut known, found("2001:db8::1", 9), found("192.0.2.1", 5));
        let moved = said(&mut known, Found::Failed("refused".into()), found("192.0.2.2", 7));
        assert_eq!(moved, (Learned::Good(seconds(7)), vec!["2001:db8::1".into(), "192.0.2.2".into()]));
        let gone = said(&mut known, Found::Nothing, found("192.0.2.2", 7));
        assert_eq!(gone, (Learned::Good(seconds(7)), vec!["192.0.2.2".into()]));
    }

    #[test]
    fn a_ttl_is_kept_within_its_limits_and_failures_come_ever_later() {
        let settings = config::Resolver {
            servers: Vec::new(),
            timeout: seconds(2),
            min_ttl: seconds(1),
            max_ttl: seconds(60),
            max_in_flight: 1,
        };
        let mut known = Known::default();
        for (ttl, expected) in [(0, 1), (30, 30), (86_400, 60)] {
            let learned = said(&mut known, Found::Nothing, found("192.0.2.1", ttl)).0;
            assert_eq!(known.next_in(&learned, &settings, 0.9), seconds(expected));
        }
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            let learned = said(&mut known, Found::Nothing, Found::Nothing).0;
            assert_eq!(known.next_in(&learned, &settings, 0.0), seconds(expected));
            assert_eq!(known.next_in(&learned, &settings, 1.0), seconds(expected).mul_f64(0.8));
        }
    }
}
