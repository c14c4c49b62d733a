//! One direction of an exchange.

use std::{
    io,
    task::{Context, Poll, ready},
};

use super::{Reader, Unread, Writer};
use crate::proxy::io::Wire;

/// Moves a body from one wire to another.
#[derive(Debug)]
pub(in crate::proxy) struct Pump {
    reader: Reader,
    writer: Writer,
    /// Whether data was read.
    has_read: bool,
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
}

impl Pump {
    pub(in crate::proxy) fn new(reader: Reader, writer: Writer) -> Self {
        Self { reader, writer, has_read: false, waits_for: Side::Sink, is_ended: false }
    }

    /// Whether nothing of the body was read, so that another may read it from its beginning.
    pub(in crate::proxy) fn is_untouched(&self) -> bool {
        !self.has_read && self.reader.is_fresh()
    }

    /// Which side has to move before this can go on.
    pub(in crate::proxy) fn waits_for(&self) -> Side {
        self.waits_for
    }

    /// Moves as much as both sides take. Ready when the whole body was written.
    pub(in crate::proxy) fn poll(
        &mut self,
        source: &mut Wire,
        sink: &mut Wire,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        loop {
            if self.is_ended || !sink.outbox.takes_data() {
                self.waits_for = Side::Sink;
                ready!(sink.poll_flush(cx)).map_err(Broken::Sink)?;
                if self.is_ended {
                    return Poll::Ready(Ok(()));
                }
            }
            self.waits_for = Side::Source;
            match self.reader.poll_next(source, cx)? {
                Poll::Ready(Some(data)) => {
                    self.has_read = true;
                    self.writer.data(&mut sink.outbox, data);
                }
                Poll::Ready(None) if sink.outbox.takes_data() => {
                    let trailers = self.reader.trailers().map_err(Unread::Malformed)?;
                    self.writer.end(&mut sink.outbox, &trailers);
                    self.is_ended = true;
                }
                Poll::Ready(None) => {}
                Poll::Pending => {
                    self.flush_meanwhile(sink, cx)?;
                    return Poll::Pending;
                }
            }
        }
    }

    /// Nothing more came: what came before goes out now.
    fn flush_meanwhile(&mut self, sink: &mut Wire, cx: &mut Context<'_>) -> Result<(), Broken> {
        match sink.poll_flush(cx) {
            Poll::Ready(flushed) => flushed.map_err(Broken::Sink),
            Poll::Pending => {
                self.waits_for = Side::Sink;
                Ok(())
            }
        }
    }
}
