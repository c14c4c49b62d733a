//! One direction of an exchange.

use std::{
    io,
    task::{Context, Poll, ready},
};

use http::HeaderMap;

use super::{End, Kept, Unread, writer::is_misframed};
use crate::proxy::route::Edits;

/// Moves a body from one side to the other.
#[derive(Debug)]
pub(in crate::proxy) struct Pump {
    /// Bytes of data that were read.
    moved: u64,
    /// Bytes that there may be.
    most: u64,
    waits_for: Side,
    is_ended: bool,
}

/// Which end of a pump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Side {
    /// Where the body comes from.
    Source,
    /// Where it goes.
    Sink,
}

/// Why a body did not come through.
#[derive(Debug, thiserror::Error)]
pub(in crate::proxy) enum Broken {
    /// It could not be read.
    #[error(transparent)]
    Source(#[from] Unread),
    /// It could not be written.
    #[error("the connection broke off while a body was sent")]
    Sink(#[source] io::Error),
    /// There is more of it than there may be.
    #[error("a body is larger than allowed")]
    TooLarge,
}

impl Broken {
    /// What a side does not take: because it is gone, or because what it was given is not what was announced.
    fn given(error: io::Error) -> Self {
        if is_misframed(&error) { Self::Source(Unread::Closed(Some(error))) } else { Self::Sink(error) }
    }
}

impl Pump {
    /// Moves any body.
    pub(in crate::proxy) fn new() -> Self {
        Self::up_to(u64::MAX)
    }

    /// Moves a body of at most so many bytes.
    pub(in crate::proxy) fn up_to(most: u64) -> Self {
        Self { moved: 0, most, waits_for: Side::Sink, is_ended: false }
    }

    /// Which side has to move before this can go on.
    pub(in crate::proxy) fn waits_for(&self) -> Side {
        self.waits_for
    }

    /// Moves as much as both sides take. Ready when the whole body was written. What is `kept` goes first, and what comes is kept. What `edits`
    /// drop of headers they drop of trailers, too.
    pub(in crate::proxy) fn poll(
        &mut self,
        mut kept: Option<&mut Kept>,
        edits: &Edits,
        source: &mut impl End,
        sink: &mut impl End,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        loop {
            self.waits_for = Side::Sink;
            if self.is_ended {
                return sink.poll_flush(cx).map_err(Broken::Sink);
            }
            let has_kept = kept.as_ref().is_some_and(|kept| kept.has_more());
            let room = ready!(sink.poll_room(source.is_at_end() && !has_kept, cx)).map_err(Broken::Sink)?;
            if let Some(again) = kept.as_mut().and_then(|kept| kept.next(room)) {
                self.moved += again.len() as u64;
                sink.give(again).map_err(Broken::given)?;
                continue;
            }
            self.waits_for = Side::Source;
            match source.poll_next(room, cx)? {
                Poll::Ready(Some(data)) => {
                    self.moved += data.len() as u64;
                    if self.moved > self.most {
                        return Poll::Ready(Err(Broken::TooLarge));
                    }
                    if let Some(kept) = &mut kept {
                        kept.keep(&data);
                    }
                    sink.give(data).map_err(Broken::given)?;
                }
                Poll::Ready(None) => {
                    let trailers = source.trailers().map_err(Unread::Malformed)?;
                    let trailers = trailers.map(|trailers| edited(trailers, edits));
                    sink.finish(trailers).map_err(Broken::given)?;
                    self.is_ended = true;
                }
                Poll::Pending => {
                    self.flush_meanwhile(sink, cx)?;
                    return Poll::Pending;
                }
            }
        }
    }

    /// Nothing more came: what came before goes out now.
    fn flush_meanwhile(&mut self, sink: &mut impl End, cx: &mut Context<'_>) -> Result<(), Broken> {
        match sink.poll_flush(cx) {
            Poll::Ready(flushed) => flushed.map_err(Broken::Sink),
            Poll::Pending => {
                self.waits_for = Side::Sink;
                Ok(())
            }
        }
    }
}

fn edited(mut trailers: HeaderMap, edits: &Edits) -> HeaderMap {
    let dropped: Vec<_> = trailers.keys().filter(|name| edits.drops(name.as_str())).cloned().collect();
    for name in dropped {
        trailers.remove(name);
    }
    trailers
}
