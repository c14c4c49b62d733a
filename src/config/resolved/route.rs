//! Routes: what a request must look like, and what is done with it.

use std::{fmt, sync::Arc, time::Duration};

use ipnet::IpNet;

use crate::fleet::PoolId;

/// What a request must look like, and what is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its name in logs and metrics; no other route has it.
    pub name: Arc<str>,
    /// What a request must look like; no other route has the same.
    pub conditions: Conditions,
    /// What is done with it.
    pub action: Action,
    /// What is changed in the headers of the answer.
    pub response_headers: HeaderEdits,
}

impl Route {
    /// The pool that it leads to, where it leads to one.
    pub fn pool(&self) -> Option<PoolId> {
        match &self.action {
            Action::Forward(forward) => Some(forward.pool),
            Action::Redirect(_) | Action::Respond(_) | Action::Dns => None,
        }
    }
}

/// What a request must look like: all of it has to hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Conditions {
    /// The host asked for.
    pub host: HostPattern,
    /// The path asked for.
    pub path: PathPattern,
    /// Everything else.
    pub further: Further,
}

/// Which hosts a route means. Lower case, without port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// All of them.
    Any,
    /// This one.
    Exact(Arc<str>),
    /// Everything below this one (`*.` is left out), but not itself.
    Below(Arc<str>),
}

impl fmt::Display for HostPattern {
    /// As it is written in a config.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(host) => f.write_str(host),
            Self::Below(host) => write!(f, "*.{host}"),
        }
    }
}

/// Which paths a route means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathPattern {
    /// This one, with its last slash or without, as it stands here.
    Exact(Arc<str>),
    /// This one and everything below it, on whole segments; no slash at its end but for `/`, which is every path.
    Below(Arc<str>),
}

impl PathPattern {
    /// Every path there is.
    pub fn is_every(&self) -> bool {
        matches!(self, Self::Below(path) if &**path == "/")
    }
}

impl fmt::Display for PathPattern {
    /// The path, with `=` before it where it is meant exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => write!(f, "={path}"),
            Self::Below(path) => f.write_str(path),
        }
    }
}

/// Conditions besides host and path. In an order of their own, so that the same conditions are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Further {
    /// One of these; any where there is none.
    pub methods: Vec<Arc<str>>,
    /// All of these, by name in lower case.
    pub headers: Vec<(Arc<str>, Test)>,
    /// All of these, by name as it is after decoding.
    pub query: Vec<(Arc<str>, Test)>,
    /// One of these; any where there is none.
    pub clients: Vec<IpNet>,
}

impl Further {
    /// How many there are: methods count as one, so do clients.
    pub fn count(&self) -> usize {
        let lists = [self.methods.is_empty(), self.clients.is_empty()];
        lists.iter().filter(|is_empty| !**is_empty).count() + self.headers.len() + self.query.len()
    }
}

/// What a header or a query parameter must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// Its value is this.
    Equals(Arc<str>),
    /// Its value begins so.
    Begins(Arc<str>),
    /// It is there.
    Present,
    /// It is not.
    Absent,
}

/// What is done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// An origin answers it.
    Forward(Forward),
    /// The client is sent elsewhere.
    Redirect(Redirect),
    /// It has one answer.
    Respond(Respond),
    /// It is a question to DNS (RFC 8484), answered as any other.
    Dns,
}

/// How a request goes to an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Whose origins.
    pub pool: PoolId,
    /// What becomes of its path.
    pub path: Option<PathChange>,
    /// The `Host` that the origin sees, where it is not the client's.
    pub host: Option<Arc<str>>,
    /// What is changed in its headers.
    pub request_headers: HeaderEdits,
    /// How large its body may be, where that is not `http.max_body_size`.
    pub max_body_size: Option<BodyLimit>,
    /// What may take another time than the pool says.
    pub timeouts: RouteTimeouts,
}

/// What becomes of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathChange {
    /// It is this, whatever it was.
    Whole(Arc<str>),
    /// What the route matched becomes this; what follows stays as it was sent.
    Prefix(Arc<str>),
}

/// Bytes that a body may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLimit {
    /// Any number.
    Unlimited,
    /// At most so many.
    Bytes(u64),
}

impl fmt::Display for BodyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Bytes(bytes) => write!(f, "{bytes}B"),
        }
    }
}

/// Times that a route sets for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteTimeouts {
    /// For the whole request, from its head to the last byte of the answer; unbounded where nobody said.
    pub request: Option<Duration>,
    /// From the request sent to the response's head, where it is not the pool's.
    pub response_head: Option<Duration>,
    /// Between two pieces of a response's body, where it is not the pool's.
    pub between_bytes: Option<Duration>,
}

/// Where a client is sent. What is not set stays as it was asked for; something is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// `http` or `https`.
    pub scheme: Option<&'static str>,
    /// Without port.
    pub host: Option<Arc<str>>,
    /// Where it is not the scheme's own; with another scheme or host, the port asked for does not stay.
    pub port: Option<u16>,
    /// What becomes of the path.
    pub path: Option<PathChange>,
    /// Whether the query stays.
    pub keep_query: bool,
}

/// One answer for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Respond {
    /// From 200 to 599.
    pub status: u16,
    /// What the body is.
    pub content_type: Arc<str>,
    /// Empty where the status has none.
    pub body: Arc<str>,
}

/// What is changed in the headers of a message: first all that go, then all that come. Names are in lower case, and each is in one
/// list only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// Gone.
    pub remove: Vec<Arc<str>>,
    /// Instead of all there are of that name.
    pub set: Vec<(Arc<str>, Template)>,
    /// Beside those there are of that name.
    pub add: Vec<(Arc<str>, Template)>,
}

impl HeaderEdits {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }
}

/// A header's value, parts of which are known only with the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(pub Arc<[Piece]>);

/// Part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it stands here.
    Text(Arc<str>),
    /// What it stands for.
    Variable(Variable),
}

/// What a part of a template stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The client's address.
    Client,
    /// The host asked for, in lower case, without port.
    Host,
    /// The request's method.
    Method,
    /// The path asked for as it was sent, without query.
    Path,
    /// `http` or `https`.
    Scheme,
    /// The request's id.
    RequestId,
    /// The route's name.
    Route,
    /// The name of the region this node stands in.
    Region,
    /// This node's name.
    Node,
}

impl Variable {
    /// All of them, as they are written.
    pub const ALL: [(&'static str, Self); 9] = [
        ("client", Self::Client),
        ("host", Self::Host),
        ("method", Self::Method),
        ("path", Self::Path),
        ("scheme", Self::Scheme),
        ("request_id", Self::RequestId),
        ("route", Self::Route),
        ("region", Self::Region),
        ("node", Self::Node),
    ];
}
