//! What an exchange asks of its two sides beyond moving bodies, whatever they speak.

use std::{
    mem::MaybeUninit,
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use h2::{Reason, SendStream, client::ResponseFuture, server::SendResponse};

use crate::proxy::{
    Refusal,
    h1::{Length, Malformed, Minor, ResponseHead, Room, Scan, response_length},
    h2::fields,
    headers::Incoming,
    io::Piece,
    transfer::{End, H1End, H2End, Reader, Writer},
};

/// Bytes that an answer's head may take.
const MOST_HEAD: usize = 64 * 1024;

/// The side that asked.
pub(in crate::proxy) trait ClientEnd: End {
    /// Takes a head: of an interim answer, or of the answer itself.
    fn answer(&mut self, incoming: &Incoming<'_>) -> Result<(), Malformed>;

    /// Whether the client has left, where it has nothing more to send.
    fn has_left(&mut self, cx: &mut Context<'_>) -> bool;

    /// Whether it took its request back, where that is known without reading on.
    fn has_reset(&mut self, _cx: &mut Context<'_>) -> bool {
        false
    }
}

/// The side that answers.
pub(in crate::proxy) trait OriginEnd: End {
    /// Ready when a head is there.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>>;

    /// Shows that head and how long the body behind it is, and goes on behind it.
    fn head<R>(
        &mut self,
        to_head_request: bool,
        show: impl FnOnce(&ResponseHead<'_>, Length) -> Result<R, Malformed>,
    ) -> Result<R, Malformed>;

    /// Whether nothing at all came.
    fn is_silent(&self) -> bool;

    /// Whether the request certainly was not acted upon.
    fn is_unaware(&self) -> bool;
}

impl ClientEnd for H1End<()> {
    fn answer(&mut self, incoming: &Incoming<'_>) -> Result<(), Malformed> {
        incoming.write(self.wire.outbox.head());
        self.writer = Writer::new(incoming.length);
        Ok(())
    }

    fn has_left(&mut self, cx: &mut Context<'_>) -> bool {
        // What comes now is the next request, or the end: a client that closes its half has left.
        self.wire.input().is_empty() && matches!(self.wire.poll_fill(cx), Poll::Ready(Ok(0) | Err(_)))
    }
}

/// Where in an origin's input its answer stands.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Listening {
    scan: Scan,
    head: Range<usize>,
    /// What the connection had written for others.
    written_before: u64,
}

impl H1End<Listening> {
    /// Asks: gives the request's head, which says how long its body is.
    pub(super) fn ask(&mut self, head: &[u8], length: Length) {
        self.role = Listening { scan: Scan::default(), head: 0..0, written_before: self.wire.written() };
        self.expect(Length::None, length);
        self.wire.outbox.head().extend_from_slice(head);
    }
}

impl OriginEnd for H1End<Listening> {
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        loop {
            if !self.wire.input().is_empty() {
                match self.role.scan.head(self.wire.input()) {
                    Ok(Some(head)) if head.end <= MOST_HEAD => {
                        self.role.head = head;
                        return Poll::Ready(Ok(()));
                    }
                    Ok(None) if self.wire.input().len() < MOST_HEAD => {}
                    Ok(_) | Err(_) => return Poll::Ready(Err(Refusal::BadResponse)),
                }
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Poll::Ready(Err(Refusal::BadResponse)),
            }
        }
    }

    fn head<R>(
        &mut self,
        to_head_request: bool,
        show: impl FnOnce(&ResponseHead<'_>, Length) -> Result<R, Malformed>,
    ) -> Result<R, Malformed> {
        let mut room: Room<'_> = [const { MaybeUninit::uninit() }; _];
        let end = self.role.head.end;
        let head = ResponseHead::parse(&self.wire.input()[self.role.head.clone()], &mut room)?;
        let length = response_length(&head, to_head_request)?;
        let shown = show(&head, length)?;
        self.reader = Reader::new(length);
        self.wire.consume(end);
        self.role.scan = Scan::default();
        Ok(shown)
    }

    fn is_silent(&self) -> bool {
        self.wire.input().is_empty()
    }

    fn is_unaware(&self) -> bool {
        self.wire.written() == self.role.written_before
    }
}

impl ClientEnd for H2End<SendResponse<Piece>> {
    fn answer(&mut self, incoming: &Incoming<'_>) -> Result<(), Malformed> {
        let response = incoming.response().ok_or(Malformed::Syntax)?;
        if response.status().is_informational() {
            return self.role.send_informational(response).map_err(|_| Malformed::Syntax);
        }
        let is_end = incoming.length == Length::None;
        let send = self.role.send_response(response, is_end).map_err(|_| Malformed::Syntax)?;
        self.send(send, is_end);
        Ok(())
    }

    fn has_left(&mut self, cx: &mut Context<'_>) -> bool {
        self.has_reset(cx)
    }

    fn has_reset(&mut self, cx: &mut Context<'_>) -> bool {
        // Whether a stream was reset is asked of whatever sends on it at the moment.
        self.was_reset(cx).unwrap_or_else(|| self.role.poll_reset(cx).is_ready())
    }
}

/// What an HTTP/2 origin will answer with.
#[derive(Debug)]
pub(in crate::proxy) struct Awaiting {
    response: ResponseFuture,
    head: Option<http::response::Parts>,
    is_silent: bool,
    is_unaware: bool,
}

impl H2End<Awaiting> {
    /// An origin that was sent a request's head.
    pub(in crate::proxy) fn asked(response: ResponseFuture, send: Option<SendStream<Piece>>) -> Self {
        Self::new(Awaiting { response, head: None, is_silent: true, is_unaware: false }, None, send)
    }

    fn failed(&mut self, error: &h2::Error) -> Refusal {
        tracing::debug!(%error, "an HTTP/2 origin did not answer");
        // RFC 9113 §8.7: refused, or left out by a GOAWAY, means not looked at.
        self.role.is_unaware =
            error.is_remote() && (error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM));
        Refusal::BadResponse
    }
}

impl OriginEnd for H2End<Awaiting> {
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        let came = match self.role.response.poll_informational(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(interim)) => interim.map(|interim| interim.into_parts().0),
            Poll::Ready(None) => match ready!(Pin::new(&mut self.role.response).poll(cx)) {
                Ok(response) => {
                    let (head, recv) = response.into_parts();
                    self.receive(recv);
                    Ok(head)
                }
                Err(error) => Err(error),
            },
        };
        Poll::Ready(match came {
            Ok(head) => {
                self.role.is_silent = false;
                self.role.head = Some(head);
                Ok(())
            }
            Err(error) => Err(self.failed(&error)),
        })
    }

    fn head<R>(
        &mut self,
        to_head_request: bool,
        show: impl FnOnce(&ResponseHead<'_>, Length) -> Result<R, Malformed>,
    ) -> Result<R, Malformed> {
        let head = self.role.head.take().ok_or(Malformed::Syntax)?;
        let mut cookies = Vec::new();
        let headers = fields(&head.headers, &mut cookies)?;
        let reason = head.status.canonical_reason().unwrap_or_default();
        let head = ResponseHead { status: head.status.as_u16(), reason, minor: Minor::One, headers: &headers };
        let stated = response_length(&head, to_head_request)?;
        // Frames say where the body ends; a length that is stated as well is kept to by the connection.
        let length = match stated {
            _ if self.has_ended() => Length::None,
            Length::UntilClose => Length::Chunked,
            stated => stated,
        };
        show(&head, length)
    }

    fn is_silent(&self) -> bool {
        self.role.is_silent
    }

    fn is_unaware(&self) -> bool {
        self.role.is_unaware
    }
}
