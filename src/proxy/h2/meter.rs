//! Counts the frames that a client sends, beneath the library that reads them: some are cheap to send and costly to take.
//!
//! What a sane client sends in ten seconds stays far below the limits; who goes beyond is told `ENHANCE_YOUR_CALM` and disconnected. Headers that never
//! end, streams beyond the limit and streams that make us reset them are watched by the library itself.

use std::{
    cell::Cell,
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    clock::Clock,
    config,
    proxy::io::{Buffer, Stream},
};

/// Bytes of a frame's head (RFC 9113 §4.1).
const HEAD: usize = 9;
/// The preface that a client sends before its first frame.
const PREFACE: usize = 24;
/// Over how long frames are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// Bytes that we send for every window update that a client may answer with.
const BYTES_PER_UPDATE: u64 = 64;

/// What a client sent too much of; its word is the metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flood {
    Resets,
    Control,
    Empty,
    Continuations,
}

impl Flood {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Resets => "resets",
            Self::Control => "control",
            Self::Empty => "empty",
            Self::Continuations => "continuations",
        }
    }
}

/// A stream whose frames are counted.
#[derive(Debug)]
pub(super) struct Metered {
    stream: Stream,
    /// What was read before it was known to be HTTP/2.
    ahead: Option<Buffer>,
    meter: Meter,
    clock: Clock,
    found: Rc<Cell<Option<Flood>>>,
}

/// The counts.
#[derive(Debug)]
struct Meter {
    limits: config::Http2,
    /// The part of a frame's head that was seen.
    head: [u8; HEAD],
    seen: usize,
    /// Bytes until the next frame.
    left: usize,
    began: Duration,
    resets: u32,
    control: u32,
    updates: u64,
    empty: u32,
    continuations: u32,
    written: u64,
}

impl Metered {
    /// What is found stands in `found`, whose connection then has to end.
    pub(super) fn new(
        stream: Stream,
        ahead: Option<Buffer>,
        limits: config::Http2,
        clock: Clock,
        found: Rc<Cell<Option<Flood>>>,
    ) -> Self {
        Self { stream, ahead, meter: Meter::new(limits), clock, found }
    }

    fn read_ahead(&mut self, room: &mut ReadBuf<'_>) -> bool {
        let Some(ahead) = &mut self.ahead else { return false };
        let here = ahead.len().min(room.remaining());
        room.put_slice(&ahead[..here]);
        ahead.advance(here);
        if ahead.is_empty() {
            self.ahead = None;
        }
        here > 0
    }
}

impl Meter {
    fn new(limits: config::Http2) -> Self {
        Self {
            limits,
            head: [0; HEAD],
            seen: 0,
            left: PREFACE,
            began: Duration::ZERO,
            resets: 0,
            control: 0,
            updates: 0,
            empty: 0,
            continuations: 0,
            written: 0,
        }
    }

    /// Looks through what came.
    fn read(&mut self, mut bytes: &[u8], now: Duration) -> Option<Flood> {
        if now.saturating_sub(self.began) >= WINDOW {
            (self.began, self.resets, self.control, self.updates, self.empty, self.written) = (now, 0, 0, 0, 0, 0);
        }
        let mut found = None;
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = &bytes[skipped..];
            let here = (HEAD - self.seen).min(bytes.len());
            self.head[self.seen..self.seen + here].copy_from_slice(&bytes[..here]);
            self.seen += here;
            bytes = &bytes[here..];
            if self.seen == HEAD {
                self.seen = 0;
                self.left =
                    usize::from(self.head[0]) << 16 | usize::from(self.head[1]) << 8 | usize::from(self.head[2]);
                found = found.or_else(|| self.frame());
            }
        }
        found
    }

    /// Counts one frame. Types and flags as in RFC 9113 §6.
    fn frame(&mut self) -> Option<Flood> {
        let [_, _, _, kind, flags, ..] = self.head;
        let (is_end_of_stream, is_ack) = (flags & 1 != 0, flags & 1 != 0);
        if kind != 9 {
            self.continuations = 0;
        }
        let limits = &self.limits;
        let (count, limit, flood) = match kind {
            0 if self.left == 0 && !is_end_of_stream => (&mut self.empty, limits.max_empty_frames, Flood::Empty),
            3 => (&mut self.resets, limits.max_resets, Flood::Resets),
            8 => {
                self.updates += 1;
                let is_too_many = self.updates > u64::from(limits.max_control_frames) + self.written / BYTES_PER_UPDATE;
                return is_too_many.then_some(Flood::Control);
            }
            9 => (&mut self.continuations, limits.max_continuations, Flood::Continuations),
            // SETTINGS, PING, PRIORITY, and what nobody knows.
            4 | 6 if is_ack => return None,
            2 | 4 | 6 | 10.. => (&mut self.control, limits.max_control_frames, Flood::Control),
            _ => return None,
        };
        *count += 1;
        (*count > limit).then_some(flood)
    }
}

impl AsyncRead for Metered {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = room.filled().len();
        if !this.read_ahead(room) {
            ready!(Pin::new(&mut this.stream).poll_read(cx, room))?;
        }
        if let Some(flood) = this.meter.read(&room.filled()[before..], this.clock.now()) {
            this.found.set(this.found.get().or(Some(flood)));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes))?;
        this.meter.written += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write_vectored(cx, parts))?;
        this.meter.written += written as u64;
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: config::Http2 = config::Http2 {
        max_streams: 100,
        stream_window: 65_535,
        connection_window: 65_535,
        max_resets: 3,
        max_control_frames: 3,
        max_empty_frames: 3,
        max_continuations: 3,
    };

    fn frame(kind: u8, flags: u8, payload: usize) -> Vec<u8> {
        let length = u8::try_from(payload).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, 1][..], &vec![0; payload]].concat()
    }

    fn metered(frames: &[Vec<u8>], step: usize) -> Option<Flood> {
        let mut meter = Meter::new(LIMITS);
        let bytes = [&[b'P'; PREFACE][..], &frames.concat()].concat();
        let mut found = None;
        for piece in bytes.chunks(step) {
            found = found.or_else(|| meter.read(piece, Duration::ZERO));
        }
        found
    }

    #[test]
    fn each_flood_is_found_however_it_is_cut_and_not_before_its_limit() {
        let kinds = [
            (frame(3, 0, 4), Flood::Resets),
            (frame(4, 0, 0), Flood::Control),
            (frame(6, 0, 8), Flood::Control),
            (frame(8, 0, 4), Flood::Control),
            (frame(0, 0, 0), Flood::Empty),
            (frame(9, 0, 5), Flood::Continuations),
        ];
        for (frame, flood) in kinds {
            for step in [1, 7, 1000] {
                assert_eq!(metered(&vec![frame.clone(); 3], step), None, "{flood:?}");
                assert_eq!(metered(&vec![frame.clone(); 4], step), Some(flood));
            }
        }
    }

    #[test]
    fn what_every_client_sends_is_no_flood() {
        // Data, headers, acknowledgements, the end of a stream.
        for frame in [frame(0, 0, 50), frame(1, 4, 20), frame(4, 1, 0), frame(6, 1, 8), frame(0, 1, 0)] {
            assert_eq!(metered(&vec![frame; 1000], 64), None);
        }
        let mut meter = Meter::new(LIMITS);
        meter.written = 1_000_000;
        meter.left = 0;
        let updates = vec![frame(8, 0, 4); 1000].concat();
        assert_eq!(meter.read(&updates, Duration::ZERO), None, "a window update now and then is for what we sent");
    }

    #[test]
    fn counts_begin_anew_after_a_while() {
        let mut meter = Meter::new(LIMITS);
        meter.left = 0;
        for second in 0..20 {
            assert_eq!(meter.read(&vec![frame(3, 0, 4); 3].concat(), WINDOW * second), None);
        }
    }
}
