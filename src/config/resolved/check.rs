//! How it is known whether something works: what is asked, when, and what several checks make together.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use regex::bytes::Regex;

use super::{OriginTls, Protocol};

/// How it is known whether something works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checks {
    /// Nobody asks: nothing is known by that, and an origin without a verdict is not a healthy one.
    None,
    /// By one check.
    One(Arc<Check>),
    /// By several: it works while so many of them say so.
    AtLeast {
        /// How many; as many as there are for all of them, and 1 for any.
        count: usize,
        /// Not empty.
        of: Vec<Self>,
    },
}

/// How something is probed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// What is asked.
    pub kind: CheckKind,
    /// The port asked, where it is not the origin's own. Always set for a front door.
    pub port: Option<u16>,
    /// How TLS is spoken; nothing where it is asked in the clear.
    pub tls: Option<CheckTls>,
    /// How often, how long, how many times.
    pub timing: CheckTiming,
}

impl Check {
    /// Whether its answers are asked how much work is wanted.
    pub fn reports(&self) -> bool {
        matches!(&self.kind, CheckKind::Http(HttpCheck { reporting: Some(_), .. }))
    }
}

/// How TLS is spoken by a check.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CheckTls {
    /// Who is believed, and who the other side has to be.
    pub settings: OriginTls,
    /// What is spoken inside. Nothing where the handshake is all there is: then it is a full one each time, with the certificate in it.
    pub protocol: Option<Protocol>,
}

/// What a probe asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CheckKind {
    /// Does it accept a connection, and say what it should?
    Tcp {
        /// What is sent; may be nothing.
        send: Arc<[u8]>,
        /// What has to come; may be nothing.
        expect: Arc<[u8]>,
    },
    /// Does it finish a handshake with a certificate that is good?
    Tls {
        /// For how many days more its certificate has to be valid.
        min_days: u32,
    },
    /// Does it answer a request as it should?
    Http(HttpCheck),
    /// Does it say `SERVING` (grpc.health.v1)?
    Grpc {
        /// The service asked about; empty for the whole server.
        service: Arc<str>,
        /// The `:authority` that is sent.
        host: Arc<str>,
    },
    /// Does a program end with 0?
    Command {
        /// The program: a path, or a name that is looked for where programs are.
        program: Arc<str>,
        /// What it is given.
        arguments: Arc<[Arc<str>]>,
        /// The pool that it is told; nothing for a front door.
        pool: Option<Arc<str>>,
    },
}

impl CheckKind {
    /// The word used in metrics, tables and messages.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Tcp { .. } => "tcp",
            Self::Tls { .. } => "tls",
            Self::Http(_) => "http",
            Self::Grpc { .. } => "grpc",
            Self::Command { .. } => "command",
        }
    }
}

/// A request, and which answers to it are good.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpCheck {
    /// How it is asked.
    pub method: Arc<str>,
    /// What is asked for.
    pub path: Arc<str>,
    /// The `Host` that is sent.
    pub host: Arc<str>,
    /// Headers that are sent, too.
    pub headers: Arc<[(Arc<str>, Arc<str>)]>,
    /// Which version is spoken.
    pub protocol: Protocol,
    /// Statuses that are good, first and last.
    pub statuses: Arc<[(u16, u16)]>,
    /// What the first bytes of the body have to have.
    pub body: Option<Pattern>,
    /// A header that has to be there.
    pub header: Option<HeaderMatch>,
    /// Where the answer says how much work is wanted, if it is listened to.
    pub reporting: Option<Reporting>,
}

/// A header that has to be in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderMatch {
    /// Its name, in lower case.
    pub name: Arc<str>,
    /// What one of its values has to have; anything will do where nothing is said.
    pub value: Option<Pattern>,
}

/// Where an answer says how much work its origin wants; its body may, too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reporting {
    /// The header with the weight, where one is looked at.
    pub weight_header: Option<Arc<str>>,
    /// The header that asks for no new work, where one is looked at.
    pub drain_header: Option<Arc<str>>,
}

/// What a text has to have.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// These bytes, anywhere.
    Contains(Arc<str>),
    /// Something that this expression describes.
    Regex(Regex),
}

impl Pattern {
    /// Whether it is in there.
    pub fn is_in(&self, text: &[u8]) -> bool {
        match self {
            Self::Contains(part) => memchr::memmem::find(text, part.as_bytes()).is_some(),
            Self::Regex(expression) => expression.is_match(text),
        }
    }

    /// As it was written, and whether it is an expression.
    fn key(&self) -> (&str, bool) {
        match self {
            Self::Contains(part) => (part, false),
            Self::Regex(expression) => (expression.as_str(), true),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// When probes happen and how many make a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CheckTiming {
    /// Between two probes.
    pub interval: Duration,
    /// Until the next probe while a verdict is about to change.
    pub recheck: Duration,
    /// Until a probe has failed.
    pub timeout: Duration,
    /// Successes in a row that make it up.
    pub rise: u32,
    /// Failures in a row that make it down.
    pub fall: u32,
    /// How much an interval may be shortened at random, in percent; never lengthened.
    pub jitter_percent: u8,
    /// Between two probes of what has been down for [`Self::long_down_after`]; the interval, where that is longer.
    pub long_down: Duration,
    /// How long it takes to be long down.
    pub long_down_after: Duration,
    /// What changed more often than [`Self::flaps`] in this time is down until nothing has changed for as long; zero switches that off.
    pub flap_window: Duration,
    /// Changes in one window that are none too many.
    pub flaps: u32,
}

impl CheckTiming {
    /// The longest time from a sudden death to the verdict.
    pub fn detection_bound(&self) -> Duration {
        self.interval + self.timeout + (self.recheck + self.timeout) * self.fall.saturating_sub(1)
    }

    /// The longest time from a sudden recovery to the verdict, for what was not long down and does not flap.
    pub fn recovery_bound(&self) -> Duration {
        self.interval + self.timeout * self.rise + self.recheck * self.rise.saturating_sub(1)
    }
}

impl Checks {
    /// All checks in it, from left to right.
    pub fn leaves(&self) -> Vec<&Arc<Check>> {
        match self {
            Self::None => Vec::new(),
            Self::One(check) => vec![check],
            Self::AtLeast { of, .. } => of.iter().flat_map(Self::leaves).collect(),
        }
    }

    /// The one check that it is, where it is one.
    pub fn only(&self) -> Option<&Check> {
        match self {
            Self::One(check) => Some(check),
            Self::None | Self::AtLeast { .. } => None,
        }
    }

    /// The longest time from a sudden death, which all of its checks notice, to the verdict; nothing where nobody asks. Of several it is over
    /// when so many have noticed that too few are left: where all have to be up the quickest decides, where any is enough the slowest.
    pub fn detection_bound(&self) -> Option<Duration> {
        match self {
            Self::None => None,
            Self::One(check) => Some(check.timing.detection_bound()),
            Self::AtLeast { count, of } => {
                let mut bounds: Vec<_> = of.iter().filter_map(Self::detection_bound).collect();
                bounds.sort_unstable();
                bounds.get(of.len().checked_sub(*count)?).copied()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_found_in_bytes_and_compared_as_written() {
        let regex = |text: &str| Pattern::Regex(Regex::new(text).unwrap());
        assert!(Pattern::Contains("ok".into()).is_in(b"\xff ok \xff") && !Pattern::Contains("ok".into()).is_in(b"o k"));
        assert!(regex("^ok$").is_in(b"ok") && !regex("^ok$").is_in(b"ok "));
        assert_eq!(regex("o"), regex("o"));
        assert_ne!(regex("o"), Pattern::Contains("o".into()));
    }
}
