//! An answer that no origin gave.

use std::{borrow::Cow, io::Write};

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{
    date::date,
    exchange::Reply,
    headers::{Lines, persistence, read_lines},
    route::Edits,
};
use crate::clock;

/// Status, headers and body; what every answer of ours carries is added.
#[derive(Clone, Debug)]
pub(super) struct OwnAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(&'static str, Cow<'static, str>)>,
    pub(super) body: Bytes,
    /// More headers, as lines.
    pub(super) added: Vec<u8>,
}

impl OwnAnswer {
    /// Changed as a route changes answers; `lines` are what it adds.
    pub(super) fn changed(mut self, edits: &Edits, lines: Vec<u8>) -> Self {
        self.headers.retain(|(name, _)| !edits.drops(name));
        Self { added: lines, ..self }
    }

    /// For a client that speaks HTTP/1.
    pub(super) fn write(&self, reply: &Reply, persists: bool, out: &mut Vec<u8>) {
        let title = self.status.canonical_reason().unwrap_or_default();
        // A vector takes every write.
        _ = write!(out, "HTTP/1.1 {} {title}\r\n", self.status.as_u16());
        self.lines(reply, out);
        persistence(out, reply.minor, persists);
        out.extend_from_slice(b"\r\n");
        if !reply.is_head {
            out.extend_from_slice(&self.body);
        }
    }

    /// For a client that speaks HTTP/2; its body goes behind it, unless the client asked for the head alone.
    pub(super) fn response(&self, reply: &Reply) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = self.status;
        self.lines(reply, response.headers_mut());
        response
    }

    fn lines(&self, reply: &Reply, out: &mut impl Lines) {
        for (name, value) in &self.headers {
            out.line(name, value.as_bytes());
        }
        read_lines(&self.added).for_each(|(name, value)| out.line(name, value));
        if self.status != StatusCode::NO_CONTENT && self.status != StatusCode::NOT_MODIFIED {
            out.line("content-length", self.body.len().to_string().as_bytes());
        }
        out.line("date", date(clock::unix_time()).as_bytes());
        if let Some(hsts) = &reply.told.hsts {
            out.line("strict-transport-security", hsts.as_bytes());
        }
        if reply.told.id {
            out.line("x-request-id", reply.id.as_bytes());
        }
    }
}
