//! Who asks, when, and what came of it.

use std::net::IpAddr;

use super::{steer::Steering, wire::Rcode};
use crate::fleet::RegionId;

/// How a query came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A datagram.
    Udp,
    /// A stream.
    Tcp,
    /// A stream under TLS.
    Tls,
    /// An HTTPS request.
    Https,
}

impl Transport {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Udp, Self::Tcp, Self::Tls, Self::Https];

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Https => "https",
        }
    }

    /// Whether nobody on the way can read it.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Tls | Self::Https)
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Where the query came from: a resolver, mostly.
    pub address: IpAddr,
    /// How it came.
    pub transport: Transport,
}

/// When a query is answered; one look at the clocks serves a whole batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds of a clock that never goes back.
    pub millis: u64,
    /// Seconds of calendar time: cookies are dated.
    pub unix: u32,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The answer is in the buffer.
    Answered(Outcome),
    /// Nobody is answered.
    Dropped(Unanswered),
}

/// Why nobody is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unanswered {
    /// It has no header.
    Short,
    /// It is an answer, not a query.
    Response,
    /// Its network had its share.
    RateLimited,
}

impl Unanswered {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Short, Self::Response, Self::RateLimited];

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Response => "response",
            Self::RateLimited => "rate-limited",
        }
    }
}

/// What one query came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// As the client sees it.
    pub rcode: Rcode,
    /// The type asked for; 0 where that could not be read.
    pub kind: u16,
    /// The zone that answered, as a position among the zones of the generation.
    pub zone: Option<u32>,
    /// Where the name is steered.
    pub steering: Option<Steering>,
    /// The region that was chosen, where it was one.
    pub region: Option<RegionId>,
    /// The answer did not fit: the client will ask again over TCP.
    pub is_truncated: bool,
    /// Its network had its share, and it was told to come by TCP.
    pub is_slipped: bool,
    /// What it showed as a cookie.
    pub cookie: CookieSeen,
    /// It named its client's network.
    pub has_subnet: bool,
}

impl Outcome {
    /// Of a query that came to this and was about nothing.
    pub(super) fn plain(rcode: Rcode, kind: u16) -> Self {
        Self {
            rcode,
            kind,
            zone: None,
            steering: None,
            region: None,
            is_truncated: false,
            is_slipped: false,
            cookie: CookieSeen::None,
            has_subnet: false,
        }
    }
}

/// What a client showed as a cookie (RFC 7873).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CookieSeen {
    /// Nothing.
    None,
    /// Its own alone: it has not been here lately.
    New,
    /// One that this server gave it.
    Valid,
    /// One that this server did not give it, or long ago.
    Invalid,
}

impl CookieSeen {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::None, Self::New, Self::Valid, Self::Invalid];

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::New => "new",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
        }
    }
}
