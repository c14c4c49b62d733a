//! Heads on their way through: what is for this hop alone goes, who is asking is added, framing is ours.

use std::{io::Write, net::IpAddr};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    h1::{Header, Length, Malformed, Minor, RequestHead, ResponseHead, is_name, members},
    id::RequestId,
    route::Changes,
};

/// Meant for one hop, known by name (RFC 9110 §7.6.1), and what older software still sends.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];
/// Ours to write.
const IDENTITY: [&str; 4] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id"];
/// Ours where the client showed a certificate.
const CLIENT_CERTIFICATE: &str = "x-forwarded-client-cert";
/// Never this hop's alone, whatever `Connection` says.
const END_TO_END: [&[u8]; 2] = [b"host", b"content-length"];
/// What `Connection` may name besides `close`, `keep-alive` and `upgrade`.
const MOST_NAMED: usize = 8;

/// What a message's `Connection` says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hop<'b> {
    pub(super) closes: bool,
    pub(super) keeps_alive: bool,
    pub(super) upgrades: bool,
    named: [&'b [u8]; MOST_NAMED],
}

impl<'b> Hop<'b> {
    pub(super) fn read(headers: &[Header<'b>]) -> Result<Self, Malformed> {
        let (mut hop, mut named) = (Self::default(), 0);
        for member in all(headers, "connection").flat_map(|header| members(header.value)) {
            match member {
                _ if member.eq_ignore_ascii_case(b"close") => hop.closes = true,
                _ if member.eq_ignore_ascii_case(b"keep-alive") => hop.keeps_alive = true,
                _ if member.eq_ignore_ascii_case(b"upgrade") => hop.upgrades = true,
                _ if !is_name(member) => return Err(Malformed::Syntax),
                _ if END_TO_END.iter().any(|name| name.eq_ignore_ascii_case(member)) => {}
                _ => {
                    *hop.named.get_mut(named).ok_or(Malformed::TooManyHeaders)? = member;
                    named += 1;
                }
            }
        }
        Ok(hop)
    }

    /// Whether the connection may serve another message after this one.
    pub(super) fn persists(&self, minor: Minor) -> bool {
        !self.closes && (minor == Minor::One || self.keeps_alive)
    }

    fn is_for(&self, name: &str) -> bool {
        is_one_of(name, &HOP_BY_HOP) || self.named.iter().any(|named| named.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// Takes the lines of a head, in the form that a protocol has for them.
pub(super) trait Lines {
    /// One more line; it is well formed.
    fn line(&mut self, name: &str, value: &[u8]);
}

impl Lines for Vec<u8> {
    fn line(&mut self, name: &str, value: &[u8]) {
        line(self, name, value);
    }
}

impl Lines for HeaderMap {
    fn line(&mut self, name: &str, value: &[u8]) {
        // What was read as a header can be written as one, and there are far fewer of them than a map takes.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            _ = self.try_append(name, value);
        }
    }
}

/// Who is asking, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity<'a> {
    pub(super) client: IpAddr,
    /// `http` or `https`: what the client's connection is.
    pub(super) scheme: &'static str,
    /// Whether the client may speak for others.
    pub(super) is_trusted: bool,
    /// Who it is by its certificate.
    pub(super) certificate: Option<&'a str>,
    pub(super) id: &'a RequestId,
}

/// A request as its origin sees it.
pub(super) struct Outgoing<'a> {
    pub(super) head: &'a RequestHead<'a>,
    pub(super) hop: &'a Hop<'a>,
    /// Path and query, in pieces.
    pub(super) target: [&'a str; 3],
    /// Host and port, as the client named them; empty where it named none.
    pub(super) authority: &'a str,
    /// Host and port that the origin is asked for.
    pub(super) host: &'a str,
    pub(super) length: Length,
    /// The protocol the client wants to change to.
    pub(super) upgrade: Option<&'a [u8]>,
    pub(super) identity: Identity<'a>,
    /// What the route changes.
    pub(super) changes: Changes<'a>,
}

impl Outgoing<'_> {
    /// For an origin that speaks HTTP/1.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
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
    pub(super) fn request(&self, scheme: &str) -> Option<http::Request<()>> {
        let uri = http::Uri::builder().scheme(scheme).authority(self.host).path_and_query(self.target.concat()).build();
        let mut request = http::Request::builder().method(self.head.method).uri(uri.ok()?).body(()).ok()?;
        let headers = request.headers_mut();
        self.lines(self.head.headers, headers);
        if self.takes_trailers() {
            headers.line("te", b"trailers");
        }
        Some(request)
    }

    /// What goes to the origin whatever it speaks.
    fn lines(&self, headers: &[Header<'_>], out: &mut impl Lines) {
        for header in headers {
            let is_ours = header.name.eq_ignore_ascii_case("host") || self.is_replaced(header.name);
            if !is_ours && !self.changes.edits.drops(header.name) && !self.hop.is_for(header.name) {
                out.line(header.name, header.value);
            }
        }
        self.identity(out);
        read_lines(self.changes.lines).for_each(|(name, value)| out.line(name, value));
    }

    fn takes_trailers(&self) -> bool {
        let mut codings = all(self.head.headers, "te").flat_map(|header| members(header.value));
        codings.any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
    }

    /// Whether a header says who is asking, and we say it instead. Some applications take `_` for `-`, so that is the same name here.
    fn is_replaced(&self, name: &str) -> bool {
        const SAID_BY_OTHERS: [&str; 2] = ["forwarded", "x-real-ip"];
        if !matches!(name.as_bytes(), [b'x' | b'X' | b'f' | b'F', ..]) {
            return false;
        }
        let is = |known: &str| is_called(name, known);
        let is_said_by_anyone = || {
            SAID_BY_OTHERS.into_iter().any(is) || name.get(..12).is_some_and(|begin| is_called(begin, "x-forwarded-"))
        };
        let is_ours = IDENTITY.into_iter().any(is) || (self.identity.certificate.is_some() && is(CLIENT_CERTIFICATE));
        is_ours || (!self.identity.is_trusted && is_said_by_anyone())
    }

    /// What an untrusted client says about itself is replaced.
    fn identity(&self, out: &mut impl Lines) {
        let Identity { client, scheme, is_trusted, certificate, id } = self.identity;
        let said = |name| all(self.head.headers, name).filter(move |_| is_trusted).map(|header| header.value);
        let mut chain = Chain { short: [0; LONGEST_ADDRESS], length: 0, long: Vec::new() };
        for link in said("x-forwarded-for").filter(|chain| !chain.is_empty()) {
            chain.push(link);
        }
        chain.push_address(client);
        out.line("x-forwarded-for", chain.as_bytes());
        out.line("x-forwarded-proto", said("x-forwarded-proto").next().unwrap_or(scheme.as_bytes()));
        out.line("x-forwarded-host", said("x-forwarded-host").next().unwrap_or(self.authority.as_bytes()));
        if let Some(certificate) = certificate {
            out.line(CLIENT_CERTIFICATE, certificate.as_bytes());
        }
        out.line("x-request-id", id.as_bytes());
    }
}

/// A comma-separated list that needs no memory of its own while it is one address.
struct Chain {
    short: [u8; LONGEST_ADDRESS],
    length: usize,
    long: Vec<u8>,
}

/// An IPv6 address, written out.
const LONGEST_ADDRESS: usize = 39;

impl Chain {
    fn push(&mut self, link: &[u8]) {
        self.long.extend_from_slice(link);
        self.long.extend_from_slice(b", ");
    }

    fn push_address(&mut self, address: IpAddr) {
        let mut room = &mut self.short[..];
        // There is room for every address.
        _ = write!(room, "{address}");
        self.length = LONGEST_ADDRESS - room.len();
        if !self.long.is_empty() {
            self.long.extend_from_slice(&self.short[..self.length]);
        }
    }

    fn as_bytes(&self) -> &[u8] {
        if self.long.is_empty() { &self.short[..self.length] } else { &self.long }
    }
}

/// An answer as its client sees it.
pub(super) struct Incoming<'a> {
    pub(super) head: &'a ResponseHead<'a>,
    pub(super) hop: &'a Hop<'a>,
    /// How the body is framed on its way to the client.
    pub(super) length: Length,
    /// Whether it has no body though its status and its request would let it.
    pub(super) is_empty: bool,
    /// What the client speaks.
    pub(super) client: Minor,
    /// Whether the client's connection goes on.
    pub(super) persists: bool,
    pub(super) id: &'a RequestId,
    /// What the route changes; nothing in interim answers.
    pub(super) changes: Changes<'a>,
}

impl Incoming<'_> {
    /// For a client that speaks HTTP/1.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
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
    pub(super) fn response(&self) -> Option<http::Response<()>> {
        let mut response = http::Response::builder().status(self.head.status).body(()).ok()?;
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
            let is_ours = header.name.eq_ignore_ascii_case("x-request-id") || (has_no_body && is_length);
            let is_dropped = status >= 200 && self.changes.edits.drops(header.name);
            if !is_ours && !is_dropped && !self.hop.is_for(header.name) {
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
            out.line("x-request-id", self.id.as_bytes());
        }
    }
}

/// Says what becomes of the connection, where that is not what the version implies.
pub(super) fn persistence(out: &mut Vec<u8>, client: Minor, persists: bool) {
    match (client, persists) {
        (Minor::One, true) | (Minor::Zero, false) => {}
        (Minor::One, false) => line(out, "connection", b"close"),
        (Minor::Zero, true) => line(out, "connection", b"keep-alive"),
    }
}

/// Trailers that may be passed on: none that frame, route or identify a message (RFC 9110 §6.5.1). All are well formed.
pub(super) fn kept_trailers<'a>(trailers: impl Iterator<Item = (&'a str, &'a [u8])>) -> HeaderMap {
    const NEVER: [&str; 14] = [
        "authorization",
        "cache-control",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "host",
        "max-forwards",
        "proxy-authorization",
        "set-cookie",
        "trailer",
        "www-authenticate",
    ];
    let mut kept = HeaderMap::new();
    for (name, value) in trailers {
        if ![&NEVER[..], &HOP_BY_HOP, &IDENTITY].iter().any(|names| is_one_of(name, names)) {
            kept.line(name, value);
        }
    }
    kept
}

/// All headers of that name.
pub(super) fn all<'h, 'b>(headers: &'h [Header<'b>], name: &'static str) -> impl Iterator<Item = &'h Header<'b>> {
    headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name))
}

/// One header line.
pub(super) fn line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Lines that `line` wrote, taken apart again.
pub(super) fn read_lines(lines: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    lines.split_inclusive(|byte| *byte == b'\n').filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        let name = std::str::from_utf8(&line[..colon]).ok()?;
        Some((name, line[colon + 1..].trim_ascii()))
    })
}

/// The same name, with `_` for `-`.
pub(super) fn is_called(name: &str, known: &str) -> bool {
    let same = |(byte, known): (u8, u8)| byte.eq_ignore_ascii_case(&known) || (byte == b'_' && known == b'-');
    name.len() == known.len() && name.bytes().zip(known.bytes()).all(same)
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::route::Edits;

    const NONE: Identity<'_> = Identity {
        client: IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)),
        scheme: "http",
        is_trusted: false,
        certificate: None,
        id: &RequestId::Own([b'0'; 32]),
    };

    fn headers<'a>(lines: &[(&'a str, &'a str)]) -> Vec<Header<'a>> {
        lines.iter().map(|(name, value)| Header { name, value: value.as_bytes() }).collect()
    }

    fn sent(lines: &[(&str, &str)], length: Length, upgrade: Option<&[u8]>, identity: Identity<'_>) -> String {
        let headers = headers(lines);
        let head = RequestHead { method: "GET", target: "/", minor: Minor::One, headers: &headers };
        let hop = Hop::read(&headers).unwrap();
        let mut out = Vec::new();
        let authority = "shop.example:80";
        let (target, host) = (["/a", "", "?b"], authority);
        let changes = Changes { edits: &Edits::default(), lines: b"" };
        let outgoing = Outgoing { head: &head, hop: &hop, target, authority, host, length, upgrade, identity, changes };
        outgoing.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn passed_on(status: u16, lines: &[(&str, &str)], length: Length, client: Minor, persists: bool) -> String {
        let headers = headers(lines);
        let head = ResponseHead { status, reason: "Why", minor: Minor::One, headers: &headers };
        let hop = Hop::read(&headers).unwrap();
        let mut out = Vec::new();
        let changes = Changes { edits: &Edits::default(), lines: b"" };
        let incoming =
            Incoming { head: &head, hop: &hop, length, is_empty: false, client, persists, id: NONE.id, changes };
        incoming.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_for_this_hop_goes_and_the_rest_stays_as_it_was() {
        let lines = [
            ("HOST", "other.example"),
            ("Connection", "X-Private, host, Content-Length, keep-alive"),
            ("x-private", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Content-Length", "5"),
            ("TE", "gzip"),
            ("Upgrade", "websocket"),
            ("Proxy-Authorization", "Basic x"),
            ("aCcEpT", "*/*"),
        ];
        let sent = sent(&lines, Length::Exact(5), None, NONE);
        let expected = "GET /a?b HTTP/1.1\r\nhost: shop.example:80\r\nContent-Length: 5\r\naCcEpT: */*\r\n\
                        x-forwarded-for: 10.0.0.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: shop.example:80\r\n\
                        x-request-id: 00000000000000000000000000000000\r\n\r\n";
        assert_eq!(sent, expected);
    }

    #[test]
    fn framing_trailers_and_upgrades_are_said_anew() {
        let chunked = sent(&[("Transfer-Encoding", "Chunked"), ("TE", "Trailers")], Length::Chunked, None, NONE);
        assert!(
            chunked.contains("\r\ntransfer-encoding: chunked\r\nconnection: te\r\nte: trailers\r\n\r\n"),
            "{chunked}"
        );
        let lines = [("Connection", "Upgrade"), ("Upgrade", "websocket")];
        let upgrade = sent(&lines, Length::None, Some(b"websocket"), NONE);
        assert!(upgrade.ends_with("\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"), "{upgrade}");
    }

    #[test]
    fn only_a_trusted_client_speaks_for_others() {
        let lines = [
            ("X-Forwarded-For", "203.0.113.9"),
            ("X-Forwarded-For", "203.0.113.10"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "a.example"),
            ("x_forwarded_for", "203.0.113.11"),
            ("X-Forwarded-Prefix", "/203.0.113"),
            ("Forwarded", "for=203.0.113.12"),
            ("X-Real_IP", "203.0.113.13"),
        ];
        let from_anyone = sent(&lines, Length::None, None, NONE);
        assert!(
            !from_anyone.contains("203.0.113") && !from_anyone.contains("https") && !from_anyone.contains("a.example")
        );
        let from_trusted = sent(&lines, Length::None, None, Identity { is_trusted: true, ..NONE });
        let expected = "x-forwarded-for: 203.0.113.9, 203.0.113.10, 10.0.0.1\r\nx-forwarded-proto: https\r\nx-forwarded-host: a.example\r\n";
        assert!(from_trusted.contains(expected), "{from_trusted}");
        assert!(from_trusted.contains("Forwarded: for=203.0.113.12\r\n") && !from_trusted.contains("203.0.113.11"));
    }

    #[test]
    fn an_answer_says_what_becomes_of_the_connection() {
        let length =
            [("Content-Length", "0"), ("Connection", "close, x-hop"), ("X-Hop", "1"), ("X-Request-Id", "theirs")];
        let id = "x-request-id: 00000000000000000000000000000000\r\n";
        let say = |client, persists| passed_on(200, &length, Length::None, client, persists);
        let begin = format!("HTTP/1.1 200 Why\r\nContent-Length: 0\r\n{id}");
        assert_eq!(say(Minor::One, true), format!("{begin}\r\n"));
        assert_eq!(say(Minor::One, false), format!("{begin}connection: close\r\n\r\n"));
        assert_eq!(say(Minor::Zero, true), format!("{begin}connection: keep-alive\r\n\r\n"));
        assert_eq!(say(Minor::Zero, false), format!("{begin}\r\n"));
        let no_content = passed_on(204, &length, Length::None, Minor::One, true);
        assert_eq!(no_content, format!("HTTP/1.1 204 Why\r\n{id}\r\n"), "204 has no length (RFC 9110 §8.6)");
        let switching = [("Connection", "upgrade"), ("Upgrade", "websocket")];
        let switching = passed_on(101, &switching, Length::None, Minor::One, true);
        assert_eq!(switching, format!("HTTP/1.1 101 Why\r\nconnection: upgrade\r\nupgrade: websocket\r\n{id}\r\n"));
    }

    #[test]
    fn trailers_that_frame_or_identify_a_message_are_left_out() {
        let trailers = [("Content-Length", "5"), ("X-Sum", "1"), ("transfer-encoding", "x"), ("X-Forwarded-For", "1")];
        let kept = kept_trailers(trailers.iter().map(|(name, value)| (*name, value.as_bytes())));
        assert_eq!(kept.len(), 1);
        assert_eq!(kept["x-sum"], "1");
    }

    #[test]
    fn a_connection_header_has_bounds() {
        let many = (0..9).map(|at| format!("x-{at}")).collect::<Vec<_>>().join(",");
        for (value, expected) in
            [(many.as_str(), Malformed::TooManyHeaders), ("a b", Malformed::Syntax), ("@", Malformed::Syntax)]
        {
            assert_eq!(Hop::read(&headers(&[("connection", value)])).unwrap_err(), expected, "{value}");
        }
        let hop = Hop::read(&headers(&[("connection", " Close ,, UPGRADE")])).unwrap();
        assert!(hop.closes && hop.upgrades && !hop.keeps_alive && !hop.persists(Minor::One));
    }
}
