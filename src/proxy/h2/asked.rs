//! One request on a stream: read, settled and exchanged like any other.

use std::{pin::Pin, rc::Rc};

use bytes::Bytes;
use h2::{Reason, RecvStream, server::SendResponse};
use http::Request;

use super::fields;
use crate::proxy::{
    Refusal,
    answer::OwnAnswer,
    exchange::{Asker, Asking, Order, Refused, Reply, refuse, run, settle, unread},
    h1::{Length, Malformed, Minor, RequestHead, request_length},
    headers::{Hop, all},
    io::Piece,
    observe::Ledger,
    peer::{Peer, Seat},
    route::Routing,
    transfer::H2End,
    worker::View,
};

/// A client on one of its streams.
struct Asked {
    end: H2End<SendResponse<Piece>>,
    seat: Seat,
}

/// Answers one request. What it begins with is looked at at once, so that what waits has no room for it.
pub(super) fn answer(
    request: Request<RecvStream>,
    respond: SendResponse<Piece>,
    peer: &Peer,
    seat: Seat,
) -> Pin<Box<impl Future<Output = ()> + use<>>> {
    let (head, recv) = request.into_parts();
    let view = seat.worker.view();
    let settled = view.routing().map(|routing| read(&head, &recv, &seat, &view, routing, peer));
    let client = Asked { end: H2End::new(respond, Some(recv), None), seat };
    // Boxed here, as a task moves what it is made of several times before it runs.
    Box::pin(carry_out(client, view, settled))
}

async fn carry_out(mut client: Asked, view: Rc<View>, settled: Option<Result<Order, Refused>>) {
    let (Some(routing), Some(settled)) = (view.routing(), settled) else { return };
    match settled {
        Ok(order) => {
            run(&mut client, &order, routing).await;
            order.give_back(&client.seat.worker);
        }
        Err(Refused { refusal, reply, .. }) => {
            let mut ledger = Ledger::open(&routing.unrouted, &client.seat.worker.clock);
            refuse(&mut client, refusal, &reply, false, &mut ledger);
        }
    }
}

/// Reads a head as one of HTTP/1 is read, and settles what it asks for.
fn read(
    parts: &http::request::Parts,
    recv: &RecvStream,
    seat: &Seat,
    view: &Rc<View>,
    routing: &Routing,
    peer: &Peer,
) -> Result<Order, Refused> {
    let refused = |refusal| unread(&seat.worker, refusal);
    let mut cookies = Vec::new();
    let headers = fields(&parts.headers, &mut cookies).map_err(|malformed| refused(malformed.into()))?;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    // Only a path stands here; the authority and the scheme have places of their own (RFC 9113 §8.3.1).
    if !target.starts_with('/') && target != "*" && parts.method != http::Method::CONNECT {
        return Err(refused(Refusal::BadTarget));
    }
    // The library takes UTF-8, which HTTP/1 refuses and its origins read in several ways.
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused(Malformed::Target.into()));
    }
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let head = RequestHead { method: parts.method.as_str(), target, minor: Minor::One, headers: &headers };
    let hop = Hop::read(head.headers).map_err(|malformed| refused(malformed.into()))?;
    let asking = Asking { head, authority, hop, version: "2", length: length(&head, recv.is_end_stream()) };
    settle(&seat.worker, view, routing, &asking, peer)
}

/// How the body has to be framed for others. Where it ends its frames say, and the connection keeps to a length that is stated as well.
fn length(head: &RequestHead<'_>, is_end: bool) -> Result<Length, Malformed> {
    let stated = request_length(head)?;
    let is_stated = all(head.headers, "content-length").next().is_some();
    Ok(if is_end || is_stated { stated } else { Length::Chunked })
}

impl Asker for Asked {
    type End = H2End<SendResponse<Piece>>;

    fn parts(&mut self) -> (&mut Self::End, &Seat) {
        (&mut self.end, &self.seat)
    }

    fn say(&mut self, answer: &OwnAnswer, reply: &Reply, _may_persist: bool) -> bool {
        let is_end = reply.is_head || answer.body.is_empty();
        // Where it cannot be sent, nobody is there to read it.
        if let Ok(mut send) = self.end.role.send_response(answer.response(reply), is_end)
            && !is_end
        {
            _ = send.send_data(Piece::Shared(Bytes::clone(&answer.body)), true);
        }
        true
    }

    fn answered(&mut self, _is_uploaded: bool) {}

    fn cut(&mut self) {
        self.end.role.send_reset(Reason::INTERNAL_ERROR);
    }
}
