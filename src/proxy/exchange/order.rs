//! What a request's head leads to: everything that is known before anybody else is asked.

use std::{mem::MaybeUninit, rc::Rc, sync::Arc};

use bytes::Bytes;

use super::question::Question;
use crate::{
    config::{self, HttpIdentity, Protocol},
    proxy::{
        Refusal,
        answer::OwnAnswer,
        decide::Case,
        h1::{Length, Malformed, Minor, RequestHead, Room, request_length},
        headers::{Hop, Identity, Outgoing, all},
        id::RequestId,
        peer::Peer,
        route::{Action, Asked, Changes, Edits, Forward, Limits, Redirect, RoutePlan, Routing, Values},
        target::Target,
        trace::Traceparent,
        witness::Witness,
        worker::{View, Worker},
    },
};

/// A request that a route takes.
#[derive(Debug)]
pub(in crate::proxy) struct Order {
    /// Position of the route.
    pub(super) route: usize,
    pub(super) errand: Errand,
    pub(super) view: Rc<View>,
    pub(in crate::proxy) length: Length,
    /// Whether sending it twice does no harm (RFC 9110 §9.2.2).
    pub(super) is_idempotent: bool,
    /// Whether it asks to change the protocol.
    pub(super) is_upgrade: bool,
    pub(super) reply: Reply,
    /// Headers that the route adds to an origin's answer, as lines, in a vector that is lent.
    pub(super) response_lines: Vec<u8>,
}

/// What is done about it.
#[derive(Debug)]
pub(super) enum Errand {
    /// An origin is asked.
    Ask(Case, Limits, OriginHead),
    /// The client is told.
    Tell(Box<OwnAnswer>),
    /// It is a DNS query.
    Resolve(Question),
    /// It is not allowed here.
    Refuse(Refusal),
}

/// A request's head as its origin sees it.
#[derive(Debug)]
pub(super) enum OriginHead {
    /// In a vector that is lent.
    H1(Vec<u8>),
    H2(Box<http::Request<()>>),
}

impl Order {
    /// What the origin speaks that answered in HTTP/1 `minor`, or in HTTP/2.
    pub(super) fn spoken(&self, minor: Minor) -> &'static str {
        match (&self.errand, minor) {
            (Errand::Ask(.., OriginHead::H2(_)), _) => "2",
            (_, Minor::One) => "1.1",
            (_, Minor::Zero) => "1.0",
        }
    }

    /// Gives back what was lent.
    pub(in crate::proxy) fn give_back(self, worker: &Worker) {
        if let Errand::Ask(.., OriginHead::H1(head)) = self.errand {
            worker.buffers.give_back(head);
        }
        worker.buffers.give_back(self.response_lines);
    }
}

/// A request as it was read, whatever it was read from.
#[derive(Debug)]
pub(in crate::proxy) struct Asking<'a> {
    pub(in crate::proxy) head: RequestHead<'a>,
    /// Host and port, where they stand outside the headers.
    pub(in crate::proxy) authority: Option<&'a str>,
    pub(in crate::proxy) hop: Hop<'a>,
    /// `1.0`, `1.1` or `2`.
    pub(in crate::proxy) version: &'static str,
    pub(in crate::proxy) length: Result<Length, Malformed>,
}

/// What an answer has to know of its request.
#[derive(Debug)]
pub(in crate::proxy) struct Reply {
    pub(in crate::proxy) id: RequestId,
    pub(in crate::proxy) minor: Minor,
    /// Whether the answer has no body, whatever it says.
    pub(in crate::proxy) is_head: bool,
    /// Whether the client's connection may serve another request.
    pub(in crate::proxy) persists: bool,
    pub(in crate::proxy) told: Told,
}

/// What clients are told beside what the answer itself says.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct Told {
    /// The request's id.
    pub(in crate::proxy) id: bool,
    /// That the answer came through us.
    pub(in crate::proxy) via: bool,
    /// To come by TLS from now on.
    pub(in crate::proxy) hsts: Option<Arc<str>>,
}

impl Told {
    fn new(settings: &config::Http, peer: &Peer) -> Self {
        let HttpIdentity { request_id: id, via, .. } = settings.identity;
        Self { id, via, hsts: settings.hsts.clone().filter(|_| peer.tls.is_some()) }
    }
}

/// A request that may not.
#[derive(Debug)]
pub(in crate::proxy) struct Refused {
    pub(in crate::proxy) refusal: Refusal,
    /// How much of it stands behind its head.
    pub(in crate::proxy) length: Length,
    pub(in crate::proxy) reply: Reply,
}

/// Reads a whole head of HTTP/1 and settles what it asks for.
pub(in crate::proxy) fn settle_h1(
    worker: &Worker,
    view: &Rc<View>,
    routing: &Routing,
    bytes: &[u8],
    peer: &Peer,
) -> Result<Order, Refused> {
    let mut room: Room<'_> = [const { MaybeUninit::uninit() }; _];
    let parsed = RequestHead::parse(bytes, &mut room).and_then(|head| Ok((head, Hop::read(head.headers)?)));
    let (head, hop) = parsed.map_err(|malformed| unread(worker, malformed.into()))?;
    let version = if head.minor == Minor::Zero { "1.0" } else { "1.1" };
    let asking = Asking { head, authority: None, hop, version, length: request_length(&head) };
    settle(worker, view, routing, &asking, peer)
}

/// Settles what a request asks for.
pub(in crate::proxy) fn settle(
    worker: &Worker,
    view: &Rc<View>,
    routing: &Routing,
    asking: &Asking<'_>,
    peer: &Peer,
) -> Result<Order, Refused> {
    let Asking { head, authority, hop, length, version } = asking;
    if head.headers.len() > routing.settings.max_headers {
        return Err(unread(worker, Refusal::HeadTooLarge));
    }
    let witness = Witness::new(routing, head.headers, peer.address, peer.tls.is_some());
    let is_trusted = witness.is_trusted;
    let reply = Reply {
        id: worker.random(|random| RequestId::of(head.headers, is_trusted, random)),
        minor: head.minor,
        is_head: head.method == "HEAD",
        persists: hop.persists(head.minor) && worker.keeps(peer),
        told: Told::new(&routing.settings, peer),
    };
    if head.target.len() > routing.settings.max_uri_length {
        return Err(Refused { refusal: Refusal::UriTooLong, length: Length::UntilClose, reply });
    }
    let length = match *length {
        Ok(length) => length,
        Err(malformed) => return Err(Refused { refusal: malformed.into(), length: Length::UntilClose, reply }),
    };
    let asked = if head.method == "CONNECT" {
        Err(Refusal::NoTunnels)
    } else {
        Target::read(head, *authority).and_then(|target| {
            let (method, headers, client) = (head.method, head.headers, peer.address);
            let asked =
                Asked { method, host: target.host(), path: target.path(), query: target.query(), headers, client };
            if peer.is_misdirected(routing.tls.server.as_ref(), target.host()) {
                return Err(Refusal::Misdirected);
            }
            Ok((routing.find(&asked)?, target))
        })
    };
    let (route, target) = match asked {
        Ok(asked) => asked,
        Err(refusal) => return Err(Refused { refusal, length, reply }),
    };
    let certificate = peer.tls.as_ref().and_then(|facts| facts.certificate.as_deref());
    let told = routing.settings.identity;
    let trace = worker.random(|random| Traceparent::of(head.headers, told.trace, is_trusted, random));
    let identity = Identity {
        client: peer.address,
        scheme: peer.scheme(),
        version,
        is_trusted,
        certificate,
        id: &reply.id,
        trace: trace.as_ref(),
        mark: None,
        told,
    };
    let upgrade = upgrade(head, hop, length);
    let (errand, response_lines) =
        Errands { worker, view, routing, route, asking, witness, target: &target, length, upgrade, identity }.settle();
    let is_upgrade = upgrade.is_some() && matches!(errand, Errand::Ask(.., OriginHead::H1(_)));
    let is_idempotent = matches!(head.method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE");
    let view = Rc::clone(view);
    Ok(Order { route, errand, view, length, is_idempotent, is_upgrade, reply, response_lines })
}

/// Everything that a route's action can depend on.
struct Errands<'a> {
    worker: &'a Worker,
    view: &'a View,
    routing: &'a Routing,
    route: usize,
    asking: &'a Asking<'a>,
    witness: Witness<'a>,
    target: &'a Target<'a>,
    length: Length,
    upgrade: Option<&'a [u8]>,
    identity: Identity<'a>,
}

impl Errands<'_> {
    /// What a route does, and the lines that it adds to an origin's answer.
    fn settle(&self) -> (Errand, Vec<u8>) {
        let RoutePlan { action, response_headers, .. } = self.routing.route(self.route);
        let lines = self.lines(response_headers);
        if let Some(redirect) = self.routing.https_redirect.as_ref().filter(|_| !self.witness.is_secure()) {
            return (tell(self.redirected(redirect), response_headers, lines), Vec::new());
        }
        match action {
            Action::Forward(forward) => (self.ask(forward), lines),
            Action::Redirect(redirect) => (tell(self.redirected(redirect), response_headers, lines), Vec::new()),
            Action::Respond(respond) => {
                let has_type = !respond.body.is_empty();
                let answer = OwnAnswer {
                    status: respond.status,
                    headers: has_type
                        .then(|| ("content-type", respond.content_type.clone().into()))
                        .into_iter()
                        .collect(),
                    body: respond.body.clone(),
                    added: Vec::new(),
                };
                (tell(Ok(answer), response_headers, lines), Vec::new())
            }
            Action::Dns => {
                let query = self.target.query();
                let question = Question::read(&self.asking.head, query, self.length, self.identity.client);
                (question.map_or_else(Errand::Refuse, Errand::Resolve), lines)
            }
        }
    }

    fn redirected(&self, redirect: &Redirect) -> Result<OwnAnswer, Refusal> {
        let to = redirect.location(&self.values(), self.target.authority, self.target.path_and_query);
        let headers = vec![("location", to.ok_or(Refusal::BadHost)?.into())];
        Ok(OwnAnswer { status: redirect.status, headers, body: Bytes::new(), added: Vec::new() })
    }

    fn ask(&self, forward: &Forward) -> Errand {
        let Self { worker, routing, route, asking, witness, target, length, upgrade, identity, .. } = *self;
        if matches!(length, Length::Exact(bytes) if bytes > forward.limits.max_body_size) {
            return Errand::Refuse(Refusal::BodyTooLarge);
        }
        let plan = routing.pool(forward.pool);
        let sticky = plan.line.settings.balancing.sticky.as_ref().and_then(|_| self.view.sticky(forward.pool));
        let case = match witness.case(route, forward.pool, (target.host(), target.path()), sticky) {
            Ok(case) => case,
            Err(refusal) => return Errand::Refuse(refusal),
        };
        let lines = self.lines(&forward.headers);
        let outgoing = Outgoing {
            head: &asking.head,
            hop: &asking.hop,
            target: target.rewritten(forward.path.as_ref()),
            authority: target.authority,
            host: forward.host.as_deref().unwrap_or(target.authority),
            length,
            upgrade,
            identity: Identity { mark: witness.mark(forward.pool), ..identity },
            changes: Changes { edits: &forward.headers, lines: &lines },
        };
        let head = match plan.line.settings.protocol {
            Protocol::H1 => {
                let mut out = worker.buffers.scratch();
                outgoing.write(&mut out);
                Ok(OriginHead::H1(out))
            }
            Protocol::H2 => {
                outgoing.request(plan.line.scheme()).map(Box::new).map(OriginHead::H2).ok_or(Refusal::BadTarget)
            }
        };
        worker.buffers.give_back(lines);
        head.map_or_else(Errand::Refuse, |head| Errand::Ask(case, forward.limits, head))
    }

    /// The lines that a route adds, in a vector that is lent where there are any.
    fn lines(&self, edits: &Edits) -> Vec<u8> {
        if edits.adds_nothing() {
            return Vec::new();
        }
        let mut lines = self.worker.buffers.scratch();
        edits.write(&self.values(), &mut lines);
        lines
    }

    fn values(&self) -> Values<'_> {
        let Identity { client, scheme, id, .. } = self.identity;
        let (host, path) = (self.target.host(), self.target.path());
        Values { client, host, method: self.asking.head.method, path, scheme, request_id: id.as_bytes() }
    }
}

/// An answer of our own is changed as an origin's would be.
fn tell(answer: Result<OwnAnswer, Refusal>, edits: &Edits, lines: Vec<u8>) -> Errand {
    answer.map_or_else(Errand::Refuse, |answer| Errand::Tell(Box::new(answer.changed(edits, lines))))
}

/// A refusal of what could not even be read; the connection ends with it.
pub(in crate::proxy) fn unread(worker: &Worker, refusal: Refusal) -> Refused {
    let id = worker.random(RequestId::new);
    Refused {
        refusal,
        length: Length::UntilClose,
        reply: Reply {
            id,
            minor: Minor::One,
            is_head: false,
            persists: false,
            told: Told { id: true, via: false, hsts: None },
        },
    }
}

/// The one protocol that the request wants to change to, if it may: without a body, from HTTP/1.1, and not to HTTP/2 in the clear, which
/// nobody behind us would take apart (RFC 9113 §3.1 has dropped it).
fn upgrade<'b>(head: &RequestHead<'b>, hop: &Hop<'_>, length: Length) -> Option<&'b [u8]> {
    let mut named = all(head.headers, "upgrade");
    let (first, second) = (named.next()?, named.next());
    let may = hop.upgrades && second.is_none() && head.minor == Minor::One && length == Length::None;
    let is_one = !first.value.is_empty() && !first.value.contains(&b',') && !first.value.eq_ignore_ascii_case(b"h2c");
    (may && is_one).then_some(first.value)
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Syntax | Malformed::LineEnd | Malformed::Target => Self::Malformed,
            Malformed::Version => Self::BadVersion,
            Malformed::TooManyHeaders => Self::HeadTooLarge,
            Malformed::ContentLength | Malformed::LengthAndChunks | Malformed::TransferEncoding => {
                Self::AmbiguousLength
            }
            Malformed::Chunk | Malformed::Trailers => Self::BadBody,
        }
    }
}
