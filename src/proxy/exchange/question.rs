//! A DNS query that came as an HTTP request (RFC 8484): found in its target or collected from its body, and answered here.
//!
//! A query is short, so all of its body has as long as others may pause between two pieces, and there is a bound to what is kept of it. No
//! other route's requests pass by here.
//!
//! Not here: what the answer is. `dns` says so, through [`fleet::AnswerDns`](crate::fleet::AnswerDns).

use std::{
    future::poll_fn,
    net::IpAddr,
    task::{Context, Poll, ready},
    time::Duration,
};

use data_encoding::BASE64URL_NOPAD;
use http::StatusCode;

use super::{
    order::{Order, Reply},
    run::{Asker, refuse},
    sides::ClientEnd,
};
use crate::proxy::{
    Refusal,
    answer::OwnAnswer,
    h1::{Header, Length, Minor, RequestHead, ResponseHead},
    headers::{Hop, Incoming, all},
    observe::{Ledger, Outcome},
    route::{Changes, Edits, Routing},
    transfer::{End, Unread},
};

const MEDIA_TYPE: &str = "application/dns-message";
/// The longest DNS message: elsewhere its length has 16 bits.
const LONGEST: usize = 65_535;
/// Room for most answers.
const USUAL: usize = 512;

/// A query, as far as the request's head says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question {
    from: IpAddr,
    message: Message,
}

/// Where the query is.
#[derive(Debug, PartialEq, Eq)]
enum Message {
    Here(Vec<u8>),
    /// It is the body. The client may wait for a word before it sends it.
    Comes {
        is_awaited: bool,
    },
}

impl Question {
    /// Looks for it. `query` is what stands behind the path's `?`, `length` how long the body is.
    pub(super) fn read(
        head: &RequestHead<'_>,
        query: Option<&str>,
        length: Length,
        from: IpAddr,
    ) -> Result<Self, Refusal> {
        let message = match head.method {
            "GET" | "HEAD" => Message::Here(parameter(query).ok_or(Refusal::BadQuery)?),
            "POST" if !is_message(head.headers) => return Err(Refusal::NotDns),
            "POST" if matches!(length, Length::Exact(bytes) if bytes > LONGEST as u64) => {
                return Err(Refusal::BodyTooLarge);
            }
            "POST" => {
                let can_be_told = head.minor == Minor::One && length != Length::None;
                Message::Comes { is_awaited: can_be_told && awaits(head.headers) }
            }
            _ => return Err(Refusal::WrongMethod),
        };
        Ok(Self { from, message })
    }
}

/// The one that is called `dns`.
fn parameter(query: Option<&str>) -> Option<Vec<u8>> {
    let mut named = query?.split('&').filter_map(|parameter| parameter.strip_prefix("dns="));
    let message = named.next().filter(|_| named.next().is_none())?;
    BASE64URL_NOPAD.decode(message.as_bytes()).ok().filter(|message| message.len() <= LONGEST)
}

/// Whether the body is said to be a DNS message, and nothing was done to it.
fn is_message(headers: &[Header<'_>]) -> bool {
    let mut types = all(headers, "content-type").map(|header| header.value);
    let is_named = |value: &[u8]| {
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(MEDIA_TYPE.as_bytes())
    };
    let is_plain = all(headers, "content-encoding").all(|header| header.value.eq_ignore_ascii_case(b"identity"));
    types.next().is_some_and(is_named) && types.next().is_none() && is_plain
}

fn awaits(headers: &[Header<'_>]) -> bool {
    all(headers, "expect").any(|header| header.value.eq_ignore_ascii_case(b"100-continue"))
}

/// Answers it, or says why not. Says whether the client's connection may serve another request.
pub(super) async fn resolve(
    client: &mut impl Asker,
    order: &Order,
    question: &Question,
    routing: &Routing,
    ledger: &mut Ledger,
) -> bool {
    let received;
    let (message, is_read) = match &question.message {
        Message::Here(message) => (message, order.length == Length::None),
        Message::Comes { is_awaited } => {
            if *is_awaited {
                ask_for_body(client.parts().0, &order.reply);
            }
            match receive(client, routing.settings.body_timeout).await {
                Ok(body) => received = body,
                Err(Some(refusal)) => return refuse(client, refusal, &order.reply, false, ledger),
                // Nobody is there to be told.
                Err(None) => return false,
            }
            (&received, true)
        }
    };
    let mut answer = Vec::with_capacity(USUAL);
    let worker = &client.parts().1.worker;
    let Some(seconds) = worker.answer_dns(message, question.from, &mut answer) else {
        return refuse(client, Refusal::BadQuery, &order.reply, is_read, ledger);
    };
    let headers =
        vec![("content-type", MEDIA_TYPE.into()), ("cache-control", format!("private, max-age={seconds}").into())];
    let answer = OwnAnswer { status: StatusCode::OK, headers, body: answer.into(), added: Vec::new() };
    let edits = &routing.route(order.route).response_headers;
    ledger.settle(Outcome::AnsweredHere);
    client.say(&answer.changed(edits, order.response_lines.clone()), &order.reply, is_read)
}

/// Tells a client that waits for it that its body is wanted.
fn ask_for_body(end: &mut impl ClientEnd, reply: &Reply) {
    let head = ResponseHead { status: 100, reason: "Continue", minor: Minor::One, headers: &[] };
    let incoming = Incoming {
        head: &head,
        hop: &Hop::default(),
        length: Length::None,
        is_empty: false,
        client: reply.minor,
        persists: true,
        id: &reply.id,
        told: &reply.told,
        version: "1.1",
        changes: Changes { edits: &Edits::default(), lines: &[] },
        hidden: None,
        cookie: None,
    };
    // Who cannot be told has left, and reading finds that out.
    _ = end.answer(&incoming);
}

/// The whole body, or why there is none: nothing where the client is gone.
async fn receive(client: &mut impl Asker, patience: Duration) -> Result<Vec<u8>, Option<Refusal>> {
    let (end, seat) = client.parts();
    let mut body = Vec::new();
    seat.deadline.set(patience);
    let received = poll_fn(|cx| match poll_body(end, &mut body, cx) {
        Poll::Pending => {
            let is_gone = matches!(end.poll_flush(cx), Poll::Ready(Err(_)));
            end.rest();
            if is_gone {
                return Poll::Ready(Err(None));
            }
            if seat.deadline.is_over(cx) { Poll::Ready(Err(Some(Refusal::ClientTooSlow))) } else { Poll::Pending }
        }
        Poll::Ready(received) => Poll::Ready(received),
    });
    received.await?;
    Ok(body)
}

fn poll_body(end: &mut impl End, body: &mut Vec<u8>, cx: &mut Context<'_>) -> Poll<Result<(), Option<Refusal>>> {
    let broken = |unread: Unread| match unread {
        Unread::Malformed(_) => Some(Refusal::BadBody),
        Unread::Closed(_) => None,
    };
    // One byte more than there may be shows that there is more.
    while let Some(piece) = ready!(end.poll_next(LONGEST + 1 - body.len(), cx)).map_err(broken)? {
        if body.len() + piece.len() > LONGEST {
            return Poll::Ready(Err(Some(Refusal::BodyTooLarge)));
        }
        body.extend_from_slice(&piece);
    }
    // Nobody gets the trailers, but they have to be some.
    Poll::Ready(end.trailers().map(drop).map_err(|_| Some(Refusal::BadBody)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn read(method: &str, query: Option<&str>, headers: &[(&str, &str)], length: Length) -> Result<Message, Refusal> {
        let headers: Vec<_> = headers.iter().map(|(name, value)| Header { name, value: value.as_bytes() }).collect();
        let head = RequestHead { method, target: "/", minor: Minor::One, headers: &headers };
        Question::read(&head, query, length, CLIENT).map(|question| question.message)
    }

    #[test]
    fn a_query_in_the_target_is_one_parameter_in_base64url_without_padding() {
        let get = |query: &str| read("GET", Some(query), &[], Length::None);
        assert_eq!(get("dns=-_8"), Ok(Message::Here(vec![0xfb, 0xff])));
        assert_eq!(get("a=b&dns=AAAB&c"), Ok(Message::Here(vec![0, 0, 1])));
        assert_eq!(read("HEAD", Some("dns=AAAB"), &[], Length::None), Ok(Message::Here(vec![0, 0, 1])));
        let long = |bytes: usize| format!("dns={}", BASE64URL_NOPAD.encode(&vec![0; bytes]));
        assert!(get(&long(LONGEST)).is_ok());
        let wrong = [
            "",
            "dns",
            "DNS=AAAB",
            "dns=AAAB&dns=AAAB",
            "dns=AA==",
            "dns=+/8",
            "dns=A",
            "dns=-_9",
            "dns=%41AAB",
            "dns=AA AB",
        ];
        for query in wrong.map(str::to_owned).into_iter().chain([long(LONGEST + 1)]) {
            assert_eq!(get(&query), Err(Refusal::BadQuery), "{query:.20}");
        }
        assert_eq!(read("GET", None, &[], Length::None), Err(Refusal::BadQuery));
    }

    #[test]
    fn a_body_has_to_be_said_to_be_a_message_as_it_is() {
        let post = |headers: &[(&str, &str)]| read("POST", None, headers, Length::Chunked);
        let comes = |is_awaited| Ok(Message::Comes { is_awaited });
        assert_eq!(post(&[("Content-Type", "application/dns-message")]), comes(false));
        assert_eq!(
            post(&[("content-type", "Application/DNS-Message ; a=b"), ("content-encoding", "identity")]),
            comes(false)
        );
        let awaited = [("content-type", MEDIA_TYPE), ("Expect", "100-Continue")];
        assert_eq!(post(&awaited), comes(true));
        let wrong: [&[(&str, &str)]; 5] = [
            &[],
            &[("content-type", "application/dns-json")],
            &[("content-type", "application/dns-message-not")],
            &[("content-type", MEDIA_TYPE), ("content-type", MEDIA_TYPE)],
            &[("content-type", MEDIA_TYPE), ("content-encoding", "gzip")],
        ];
        for headers in wrong {
            assert_eq!(post(headers), Err(Refusal::NotDns), "{headers:?}");
        }
    }

    #[test]
    fn other_methods_and_bodies_longer_than_a_message_are_refused_by_the_head_alone() {
        let post = |bytes| read("POST", None, &[("content-type", MEDIA_TYPE)], Length::Exact(bytes));
        assert_eq!((post(65_535).is_ok(), post(65_536)), (true, Err(Refusal::BodyTooLarge)));
        for method in ["PUT", "OPTIONS", "get", "DELETE"] {
            assert_eq!(read(method, Some("dns=AAAB"), &[], Length::None), Err(Refusal::WrongMethod), "{method}");
        }
    }
}
