//! A request on its way to an origin.

use super::{Hop, Identity, Lines, all, hop::HOP_BY_HOP, is_called, line, read_lines};
use crate::proxy::{
    h1::{Header, Length, RequestHead, members},
    route::Changes,
};

/// A request as its origin sees it.
pub(in crate::proxy) struct Outgoing<'a> {
    pub(in crate::proxy) head: &'a RequestHead<'a>,
    pub(in crate::proxy) hop: &'a Hop<'a>,
    /// Path and query, in pieces.
    pub(in crate::proxy) target: [&'a str; 3],
    /// Host and port, as the client named them; empty where it named none.
    pub(in crate::proxy) authority: &'a str,
    /// Host and port that the origin is asked for.
    pub(in crate::proxy) host: &'a str,
    pub(in crate::proxy) length: Length,
    /// The protocol the client wants to change to.
    pub(in crate::proxy) upgrade: Option<&'a [u8]>,
    pub(in crate::proxy) identity: Identity<'a>,
    /// What the route changes.
    pub(in crate::proxy) changes: Changes<'a>,
}

impl Outgoing<'_> {
    /// For an origin that speaks HTTP/1.
    pub(in crate::proxy) fn write(&self, out: &mut Vec<u8>) {
        let [begin, middle, end] = self.target;
        for part in [self.head.method, " ", begin, middle, end, " HTTP/1.1\r\nhost: ", self.host, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        self.lines(self.head.headers, out);
        if self.length == Length::Chunked {
            line(out, "transfer-encoding", b"chunked");
        }
        if let Some(protocol) = self.upgrade {
            line(out, "connection", b"upgrade");
            line(out, "upgrade", protocol);
        } else if self.takes_trailers() {
            line(out, "connection", b"te");
            line(out, "te", b"trailers");
        }
        out.extend_from_slice(b"\r\n");
    }

    /// For an origin that speaks HTTP/2; nothing where it cannot be said in it.
    pub(in crate::proxy) fn request(&self, scheme: &str) -> Option<http::Request<()>> {
        let uri = http::Uri::builder().scheme(scheme).authority(self.host).path_and_query(self.target.concat()).build();
        let mut request = http::Request::builder().method(self.head.method).uri(uri.ok()?).body(()).ok()?;
        let headers = request.headers_mut();
        // Those of the client and a few of ours.
        headers.reserve(self.head.headers.len() + 6);
        self.lines(self.head.headers, headers);
        if self.takes_trailers() {
            headers.line("te", b"trailers");
        }
        Some(request)
    }

    /// What goes to the origin whatever it speaks.
    fn lines(&self, headers: &[Header<'_>], out: &mut impl Lines) {
        for header in headers {
            let is_ours = header.name.eq_ignore_ascii_case("host")
                || is_disguised(header.name)
                || self.identity.replaces(header.name);
            if !is_ours && !self.changes.edits.drops(header.name) && !self.hop.is_for(header.name) {
                out.line(header.name, header.value);
            }
        }
        self.identity.write(headers, self.authority, out);
        read_lines(self.changes.lines).for_each(|(name, value)| out.line(name, value));
    }

    fn takes_trailers(&self) -> bool {
        let mut codings = all(self.head.headers, "te").flat_map(|header| members(header.value));
        codings.any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
    }
}

/// Whether a header that frames is spelled with `_`: for us it frames nothing, and for some applications it does.
fn is_disguised(name: &str) -> bool {
    memchr::memchr(b'_', name.as_bytes()).is_some()
        && HOP_BY_HOP.iter().chain(&["content-length"]).any(|known| is_called(name, known))
}
