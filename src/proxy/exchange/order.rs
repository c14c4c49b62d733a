//! What a request's head leads to: everything that is known before anybody else is asked.

use std::{mem::MaybeUninit, rc::Rc};

use crate::{
    config::Protocol,
    proxy::{
        Refusal,
        decide::{Case, classify},
        h1::{Length, Malformed, Minor, RequestHead, Room, request_length},
        headers::{Hop, Identity, Outgoing, all},
        id::RequestId,
        peer::Peer,
        route::Routing,
        target::Target,
        worker::{View, Worker},
    },
};

/// A request that may go out.
#[derive(Debug)]
pub(in crate::proxy) struct Order {
    pub(super) case: Case,
    pub(super) view: Rc<View>,
    pub(super) head: OriginHead,
    pub(in crate::proxy) length: Length,
    /// Whether sending it twice does no harm (RFC 9110 §9.2.2).
    pub(super) is_idempotent: bool,
    /// Whether it asks to change the protocol.
    pub(super) is_upgrade: bool,
    pub(super) reply: Reply,
}

/// A request's head as its origin sees it.
#[derive(Debug)]
pub(super) enum OriginHead {
    /// In a vector that is lent.
    H1(Vec<u8>),
    H2(Box<http::Request<()>>),
}

impl Order {
    /// Gives back what was lent for the head.
    pub(in crate::proxy) fn give_back(self, worker: &Worker) {
        if let OriginHead::H1(head) = self.head {
            worker.buffers.give_back(head);
        }
    }
}

/// A request as it was read, whatever it was read from.
#[derive(Debug)]
pub(in crate::proxy) struct Asking<'a> {
    pub(in crate::proxy) head: RequestHead<'a>,
    /// Host and port, where they stand outside the headers.
    pub(in crate::proxy) authority: Option<&'a str>,
    pub(in crate::proxy) hop: Hop<'a>,
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
    settle(worker, view, routing, &Asking { head, authority: None, hop, length: request_length(&head) }, peer)
}

/// Settles what a request asks for.
pub(in crate::proxy) fn settle(
    worker: &Worker,
    view: &Rc<View>,
    routing: &Routing,
    asking: &Asking<'_>,
    peer: &Peer,
) -> Result<Order, Refused> {
    let Asking { head, authority, hop, length } = asking;
    if head.headers.len() > routing.settings.max_headers {
        return Err(unread(worker, Refusal::HeadTooLarge));
    }
    let is_trusted = routing.settings.trusted_proxies.iter().any(|network| network.contains(&peer.address));
    let reply = Reply {
        id: worker.random(|random| RequestId::of(head.headers, is_trusted, random)),
        minor: head.minor,
        is_head: head.method == "HEAD",
        persists: hop.persists(head.minor) && worker.keeps(peer),
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
        Target::read(head.target, *authority, head.headers, head.minor)
            .and_then(|target| Ok((classify(routing, target.host(), target.path())?, target)))
    };
    let (case, target) = match asked {
        Ok(asked) => asked,
        Err(refusal) => return Err(Refused { refusal, length, reply }),
    };
    let plan = routing.pool(case.pool);
    let upgrade = upgrade(head, hop, length).filter(|_| plan.settings.protocol == Protocol::H1);
    let outgoing = Outgoing {
        head,
        hop,
        target: target.path_and_query,
        authority: target.authority,
        length,
        upgrade,
        identity: Identity { client: peer.address, scheme: peer.scheme(), is_trusted, id: &reply.id },
    };
    let out = match plan.settings.protocol {
        Protocol::H1 => {
            let mut out = worker.buffers.scratch();
            outgoing.write(&mut out);
            OriginHead::H1(out)
        }
        Protocol::H2 => match outgoing.request(plan.scheme()) {
            Some(request) => OriginHead::H2(Box::new(request)),
            None => return Err(Refused { refusal: Refusal::BadTarget, length, reply }),
        },
    };
    let is_idempotent = matches!(head.method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE");
    Ok(Order { case, view: Rc::clone(view), head: out, length, is_idempotent, is_upgrade: upgrade.is_some(), reply })
}

/// A refusal of what could not even be read; the connection ends with it.
pub(in crate::proxy) fn unread(worker: &Worker, refusal: Refusal) -> Refused {
    let id = worker.random(RequestId::new);
    Refused {
        refusal,
        length: Length::UntilClose,
        reply: Reply { id, minor: Minor::One, is_head: false, persists: false },
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
