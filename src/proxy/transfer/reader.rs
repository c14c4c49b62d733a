//! A body as it comes in.

use std::{
    io,
    task::{Context, Poll, ready},
};

use http::HeaderMap;

use crate::proxy::{
    h1::{Chunked, EMPTY_HEADER, Length, MOST_TRAILERS, Malformed, read_trailers},
    headers::kept_trailers,
    io::{Buffer, Wire},
};

/// What is left of a body.
#[derive(Debug)]
pub(in crate::proxy) enum Reader {
    /// That many bytes.
    Exact(u64),
    /// Chunks.
    Chunked(Box<Chunked>),
    /// Whatever comes until the connection closes.
    UntilClose,
    /// Nothing.
    Done,
}

/// Why a body could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(in crate::proxy) enum Unread {
    /// The other side broke off.
    #[error("the connection broke off in the middle of a body")]
    Closed(#[source] Option<io::Error>),
    /// What came is not a body.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl Reader {
    pub(in crate::proxy) fn new(length: Length) -> Self {
        match length {
            Length::None => Self::Done,
            Length::Exact(bytes) => Self::Exact(bytes),
            Length::Chunked => Self::Chunked(Box::new(Chunked::new())),
            Length::UntilClose => Self::UntilClose,
        }
    }

    /// Whether all of it was read.
    pub(in crate::proxy) fn is_done(&self) -> bool {
        match self {
            Self::Done | Self::Exact(0) => true,
            Self::Chunked(chunked) => chunked.is_done(),
            Self::Exact(_) | Self::UntilClose => false,
        }
    }

    /// What came behind the last chunk and may be passed on.
    pub(in crate::proxy) fn trailers(&self) -> Result<Option<HeaderMap>, Malformed> {
        match self {
            Self::Chunked(chunked) if !chunked.trailers().is_empty() => {
                let mut room = [EMPTY_HEADER; MOST_TRAILERS];
                let trailers = read_trailers(chunked.trailers(), &mut room)?;
                Ok(Some(kept_trailers(trailers.iter().map(|header| (header.name, header.value)))))
            }
            _ => Ok(None),
        }
    }

    /// The next stretch of data, at most so many bytes; nothing at the end.
    pub(in crate::proxy) fn poll_next(
        &mut self,
        from: &mut Wire,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Buffer>, Unread>> {
        while !self.is_done() {
            if from.input().is_empty() {
                match ready!(from.poll_fill_up_to(most, cx)) {
                    Ok(0) if matches!(self, Self::UntilClose) => *self = Self::Done,
                    Ok(0) => return Poll::Ready(Err(Unread::Closed(None))),
                    Ok(_) => {}
                    Err(error) => return Poll::Ready(Err(Unread::Closed(Some(error)))),
                }
                continue;
            }
            let data = match self {
                Self::Exact(left) => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(from.input().len()).min(most);
                    *left -= here as u64;
                    from.take(here)
                }
                Self::Chunked(chunked) => from.take_unframed(|bytes| unchunk(chunked, bytes, most))?,
                Self::UntilClose | Self::Done => from.take(most),
            };
            if let Some(data) = data.filter(|data| !data.is_empty()) {
                return Poll::Ready(Ok(Some(data)));
            }
        }
        Poll::Ready(Ok(None))
    }
}

/// Moves the data of chunks in `bytes` to their front, at most so much. Says how much data there is and how many bytes were used up.
fn unchunk(chunked: &mut Chunked, bytes: &mut [u8], most: usize) -> Result<(usize, usize), Malformed> {
    let (mut kept, mut used) = (0, 0);
    while used < bytes.len() && kept < most && !chunked.is_done() {
        let end = bytes.len().min(used.saturating_add(most - kept));
        let piece = chunked.read(&bytes[used..end])?;
        let data = used + piece.data.start..used + piece.data.end;
        let length = data.len();
        bytes.copy_within(data, kept);
        kept += length;
        used += piece.used;
    }
    Ok((kept, used))
}
