//! What can be asked of a part without knowing it: how it came to a decision.

use std::{fmt::Debug, net::IpAddr};

/// A DNS question that is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsQuestion {
    /// The name, as people write it.
    pub name: String,
    /// The type, such as `A` or `TYPE65`.
    pub kind: String,
    /// Whoever asks.
    pub from: IpAddr,
}

/// A request that is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpQuestion {
    /// Its method.
    pub method: String,
    /// An `http` or `https` URL.
    pub url: String,
    /// Whoever asks.
    pub from: IpAddr,
    /// Names and values of headers.
    pub headers: Vec<(String, String)>,
}

/// How an answer came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// What was looked at and what followed, in order.
    pub steps: Vec<String>,
    /// The answer's records, as zone files write them; or its code, where there are none.
    pub answer: Vec<String>,
}

/// Whoever can say where a request goes. Nothing is sent, changed or counted by asking.
pub trait InspectRequests: Debug + Send + Sync {
    /// Where a request would go now.
    ///
    /// # Errors
    /// Says what is wrong with the question.
    fn explain_request(&self, question: &HttpQuestion) -> Result<Explained, String>;
}

/// Whoever can say why it decides as it does. Nothing is changed or counted by asking.
pub trait Inspect: Debug + Send + Sync {
    /// How a DNS question would be answered now.
    ///
    /// # Errors
    /// Says what is wrong with the question.
    fn explain_dns(&self, question: &DnsQuestion) -> Result<Explained, String>;
}
