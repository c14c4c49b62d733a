//! An answer on its way to a client.

use std::io::Write;

use super::{Hop, Lines, all, identity::via, line, read_lines};
use crate::proxy::{
    exchange::Told,
    h1::{Length, Minor, ResponseHead},
    id::RequestId,
    route::Changes,
};

/// An answer as its client sees it.
pub(in crate::proxy) struct Incoming<'a> {
    pub(in crate::proxy) head: &'a ResponseHead<'a>,
    pub(in crate::proxy) hop: &'a Hop<'a>,
    /// How the body is framed on its way to the client.
    pub(in crate::proxy) length: Length,
    /// Whether it has no body though its status and its request would let it.
    pub(in crate::proxy) is_empty: bool,
    /// What the client speaks.
    pub(in crate::proxy) client: Minor,
    /// Whether the client's connection goes on.
    pub(in crate::proxy) persists: bool,
    pub(in crate::proxy) id: &'a RequestId,
    pub(in crate::proxy) told: &'a Told,
    /// `1.0`, `1.1` or `2`: what the origin speaks.
    pub(in crate::proxy) version: &'static str,
    /// What the route changes; nothing in interim answers.
    pub(in crate::proxy) changes: Changes<'a>,
    /// A header of the origin that is for us alone.
    pub(in crate::proxy) hidden: Option<&'a str>,
    /// The cookie that brings the client back to the same origin.
    pub(in crate::proxy) cookie: Option<&'a str>,
}

impl Incoming<'_> {
    /// For a client that speaks HTTP/1.
    pub(in crate::proxy) fn write(&self, out: &mut Vec<u8>) {
        let ResponseHead { status, reason, .. } = *self.head;
        // A vector takes every write.
        _ = write!(out, "HTTP/1.1 {status} {reason}\r\n");
        if status == 101 {
            line(out, "connection", b"upgrade");
            all(self.head.headers, "upgrade").for_each(|header| line(out, "upgrade", header.value));
        }
        self.lines(out);
        if self.length == Length::Chunked {
            line(out, "transfer-encoding", b"chunked");
        }
        if status >= 200 {
            persistence(out, self.client, self.persists);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// For a client that speaks HTTP/2; nothing where it cannot be said in it.
    pub(in crate::proxy) fn response(&self) -> Option<http::Response<()>> {
        let mut response = http::Response::builder().status(self.head.status).body(()).ok()?;
        // Those of the origin and a few of ours.
        response.headers_mut().reserve(self.head.headers.len() + 4);
        self.lines(response.headers_mut());
        Some(response)
    }

    /// What goes to the client whatever it speaks.
    fn lines(&self, out: &mut impl Lines) {
        let ResponseHead { status, headers, .. } = *self.head;
        let has_no_body = matches!(status, 100..200 | 204);
        let mut says_length = false;
        for header in headers {
            let is_length = header.name.eq_ignore_ascii_case("content-length");
            says_length |= is_length;
            let is_ours = self.replaces(header.name) || (has_no_body && is_length);
            let is_hidden = self.hidden.is_some_and(|hidden| header.name.eq_ignore_ascii_case(hidden));
            let is_dropped = status >= 200 && self.changes.edits.drops(header.name);
            if !is_ours && !is_hidden && !is_dropped && !self.hop.is_for(header.name) {
                out.line(header.name, header.value);
            }
        }
        if status >= 200 {
            read_lines(self.changes.lines).for_each(|(name, value)| out.line(name, value));
        }
        // HTTP/2 need not say that there is no body; HTTP/1 must.
        if self.is_empty && !says_length && !has_no_body && status != 304 {
            out.line("content-length", b"0");
        }
        if status >= 200 || status == 101 {
            self.tell(out);
        }
    }

    fn replaces(&self, name: &str) -> bool {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.as_bytes() {
            [b'x' | b'X', ..] => self.told.id && is("x-request-id"),
            [b's' | b'S', ..] => self.told.hsts.is_some() && is("strict-transport-security"),
            [b'v' | b'V', ..] => self.told.via && is("via"),
            _ => false,
        }
    }

    fn tell(&self, out: &mut impl Lines) {
        if let Some(cookie) = self.cookie {
            out.line("set-cookie", cookie.as_bytes());
        }
        if let Some(hsts) = &self.told.hsts {
            out.line("strict-transport-security", hsts.as_bytes());
        }
        if self.told.via {
            via(self.version, self.head.headers, out);
        }
        if self.told.id {
            out.line("x-request-id", self.id.as_bytes());
        }
    }
}

/// Says what becomes of the connection, where that is not what the version implies.
pub(in crate::proxy) fn persistence(out: &mut Vec<u8>, client: Minor, persists: bool) {
    match (client, persists) {
        (Minor::One, true) | (Minor::Zero, false) => {}
        (Minor::One, false) => line(out, "connection", b"close"),
        (Minor::Zero, true) => line(out, "connection", b"keep-alive"),
    }
}
