//! Bodies on their way through: streamed, with their progress watched, and accounted for when they end.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::{
    connections::Lent,
    observe::{Ledger, Outcome},
};
use crate::{balance::InFlight, clock::Clock};

/// A request's body on its way to an origin.
#[derive(Debug)]
pub(super) struct Upload {
    body: Option<Incoming>,
    progress: Rc<Progress>,
}

/// How far an upload has come; looked at by whoever waits for the answer.
#[derive(Debug)]
pub(super) struct Progress {
    clock: Clock,
    moved_at: Cell<Duration>,
    state: Cell<UploadState>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UploadState {
    /// The client's: more is to come.
    Sending,
    /// The origin's: all was sent.
    Done,
    /// Nobody's: the client broke off.
    Broken,
}

impl Upload {
    pub(super) fn new(body: Incoming, clock: &Clock) -> Self {
        let is_empty = body.is_end_stream();
        let state = if is_empty { UploadState::Done } else { UploadState::Sending };
        let progress = Progress { clock: clock.clone(), moved_at: Cell::new(clock.now()), state: Cell::new(state) };
        Self { body: (!is_empty).then_some(body), progress: Rc::new(progress) }
    }

    /// A body of nothing that reports to the same progress; for sending a bodyless request again.
    pub(super) fn empty(progress: &Rc<Progress>) -> Self {
        Self { body: None, progress: Rc::clone(progress) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.body.is_none()
    }

    pub(super) fn progress(&self) -> Rc<Progress> {
        Rc::clone(&self.progress)
    }
}

impl Progress {
    /// When something last moved.
    pub(super) fn moved_at(&self) -> Duration {
        self.moved_at.get()
    }

    pub(super) fn state(&self) -> UploadState {
        self.state.get()
    }

    /// A new try begins now.
    pub(super) fn restart(&self) {
        self.moved_at.set(self.clock.now());
    }

    fn moved(&self, state: UploadState) {
        self.moved_at.set(self.clock.now());
        self.state.set(state);
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        let state = match &frame {
            Some(Err(_)) => UploadState::Broken,
            Some(Ok(_)) if !body.is_end_stream() => UploadState::Sending,
            Some(Ok(_)) | None => UploadState::Done,
        };
        self.progress.moved(state);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// An answer's body on its way to the client.
#[derive(Debug)]
pub(super) enum Download {
    /// Our own words.
    Text(Full<Bytes>),
    /// An origin's.
    Stream(Box<Stream>),
}

/// An origin's answer while it streams, with everything that ends when it ends.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) body: Incoming,
    pub(super) ledger: Ledger,
    pub(super) connection: Option<Lent>,
    pub(super) in_flight: Option<InFlight>,
    /// Longest silence between two pieces.
    pub(super) between_bytes: Duration,
    /// Runs while the origin is silent.
    pub(super) silence: Option<Pin<Box<Sleep>>>,
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// The origin broke off.
    #[error("the origin broke off its answer")]
    Origin(#[source] hyper::Error),
    /// The origin fell silent.
    #[error("the origin fell silent in the middle of its answer")]
    Silent,
}

impl Download {
    /// Settles an answer that has no body at once: nobody will poll it.
    pub(super) fn stream(mut stream: Stream) -> Self {
        if stream.body.is_end_stream() {
            stream.finish();
        }
        Self::Stream(Box::new(stream))
    }
}

impl Stream {
    /// The answer is complete: its connection may take another request.
    fn finish(&mut self) {
        self.ledger.settle(Outcome::Answered);
        self.in_flight = None;
        if let Some(connection) = self.connection.take() {
            connection.give_back();
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => {
                let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(self.between_bytes)));
                ready!(silence.as_mut().poll(cx));
                self.ledger.settle(Outcome::OriginTruncated);
                Poll::Ready(Some(Err(BodyError::Silent)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.ledger.settle(Outcome::OriginTruncated);
                Poll::Ready(Some(Err(BodyError::Origin(error))))
            }
            Poll::Ready(frame) => {
                self.silence = None;
                // hyper may drop a body after its last frame without asking for the end.
                if frame.is_none() || self.body.is_end_stream() {
                    self.finish();
                }
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Origin)))
            }
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Text(text) => Pin::new(text).poll_frame(cx).map_err(|never| match never {}),
            Self::Stream(stream) => stream.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Text(text) => text.is_end_stream(),
            Self::Stream(stream) => stream.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Text(text) => text.size_hint(),
            Self::Stream(stream) => stream.body.size_hint(),
        }
    }
}
