//! Who is asking, as origins are told.
//!
//! What an untrusted client says about itself and others is replaced or dropped, in every spelling that an application might take for it.

use std::{io::Write, net::IpAddr};

use super::{Lines, all, is_called};
use crate::{
    config::HttpIdentity,
    proxy::{h1::Header, id::RequestId, looped::Mark, trace::Traceparent},
};

/// Ours to write wherever they stand.
const IDENTITY: [&str; 4] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id"];
/// Ours where the client showed a certificate.
const CLIENT_CERTIFICATE: &str = "x-forwarded-client-cert";
/// What clients may say for others only where they are trusted; everything that begins with `x-forwarded-` besides.
const SAID_FOR_OTHERS: [&str; 2] = ["forwarded", "x-real-ip"];

/// Who is asking, and how.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct Identity<'a> {
    pub(in crate::proxy) client: IpAddr,
    /// `http` or `https`: what the client's connection is.
    pub(in crate::proxy) scheme: &'static str,
    /// `1.0`, `1.1` or `2`: what the client speaks.
    pub(in crate::proxy) version: &'static str,
    /// Whether the client may speak for others.
    pub(in crate::proxy) is_trusted: bool,
    /// Who it is by its certificate.
    pub(in crate::proxy) certificate: Option<&'a str>,
    pub(in crate::proxy) id: &'a RequestId,
    /// The trace that begins here; nothing where the client's goes on, or none is made.
    pub(in crate::proxy) trace: Option<&'a Traceparent>,
    /// What is added to those a request came through, where it may go to another region.
    pub(in crate::proxy) mark: Option<&'a Mark>,
    /// What is told at all.
    pub(in crate::proxy) told: HttpIdentity,
}

impl Identity<'_> {
    /// Whether a header says who is asking, and we say it instead. Some applications take `_` for `-`, so that is the same name here.
    pub(super) fn replaces(&self, name: &str) -> bool {
        let is = |known: &str| is_called(name, known);
        match name.as_bytes() {
            [b'x' | b'X', ..] if is("x-request-id") => self.told.request_id,
            [b'x' | b'X', ..] if IDENTITY.into_iter().any(is) => self.told.x_forwarded || !self.is_trusted,
            [b'x' | b'X', ..] if is(CLIENT_CERTIFICATE) => self.certificate.is_some() || !self.is_trusted,
            [b'x' | b'X' | b'f' | b'F', ..] => {
                let is_for_others = SAID_FOR_OTHERS.into_iter().any(is)
                    || name.get(..12).is_some_and(|begin| is_called(begin, "x-forwarded-"));
                (is_for_others && !self.is_trusted) || (self.told.forwarded && is("forwarded"))
            }
            [b'v' | b'V', ..] => self.told.via && is("via"),
            [b'c' | b'C', ..] => self.mark.is_some() && is("cdn-loop"),
            [b't' | b'T', ..] => self.trace.is_some() && (is("traceparent") || is("tracestate")),
            _ => false,
        }
    }

    /// Says it. `authority` is what the client asked for.
    pub(super) fn write(&self, headers: &[Header<'_>], authority: &str, out: &mut impl Lines) {
        let said = |name| all(headers, name).filter(move |_| self.is_trusted).map(|header| header.value);
        if self.told.x_forwarded {
            let mut chain = Chain::default();
            said("x-forwarded-for").for_each(|link| chain.push(link));
            chain.end(format_args!("{}", self.client));
            out.line("x-forwarded-for", chain.as_bytes());
            out.line("x-forwarded-proto", said("x-forwarded-proto").next().unwrap_or(self.scheme.as_bytes()));
            out.line("x-forwarded-host", said("x-forwarded-host").next().unwrap_or(authority.as_bytes()));
        }
        if self.told.forwarded {
            let mut chain = Chain::default();
            said("forwarded").for_each(|link| chain.push(link));
            match self.client {
                IpAddr::V4(client) => {
                    chain.end(format_args!("for={client};host=\"{authority}\";proto={}", self.scheme));
                }
                IpAddr::V6(client) => {
                    chain.end(format_args!("for=\"[{client}]\";host=\"{authority}\";proto={}", self.scheme));
                }
            }
            out.line("forwarded", chain.as_bytes());
        }
        if self.told.via {
            via(self.version, headers, out);
        }
        if let Some(mark) = self.mark {
            let mut chain = Chain::default();
            all(headers, "cdn-loop").for_each(|link| chain.push(link.value));
            chain.end(format_args!("{}", mark.as_str()));
            out.line("cdn-loop", chain.as_bytes());
        }
        if let Some(certificate) = self.certificate {
            out.line(CLIENT_CERTIFICATE, certificate.as_bytes());
        }
        if let Some(trace) = self.trace {
            out.line("traceparent", trace.as_bytes());
        }
        if self.told.request_id {
            out.line("x-request-id", self.id.as_bytes());
        }
    }
}

/// Whether a name says who is asking, whoever says it.
pub(super) fn is_about_who_asks(name: &str) -> bool {
    const WAYS: [&str; 4] = ["via", "cdn-loop", "traceparent", "tracestate"];
    let is = |known: &str| is_called(name, known);
    IDENTITY.into_iter().chain(SAID_FOR_OTHERS).chain(WAYS).any(is)
        || name.get(..12).is_some_and(|begin| is_called(begin, "x-forwarded-"))
}

/// Adds us to those a message came by (RFC 9110 §7.6.3). `version` is what it came in.
pub(super) fn via(version: &str, headers: &[Header<'_>], out: &mut impl Lines) {
    let mut chain = Chain::default();
    all(headers, "via").for_each(|link| chain.push(link.value));
    chain.end(format_args!("{version} meridian"));
    out.line("via", chain.as_bytes());
}

/// A comma-separated list that needs no memory of its own while it is one short thing.
struct Chain {
    short: [u8; SHORT],
    length: usize,
    long: Vec<u8>,
}

/// An IPv6 address, written out, and more than that.
const SHORT: usize = 48;

impl Default for Chain {
    fn default() -> Self {
        Self { short: [0; SHORT], length: 0, long: Vec::new() }
    }
}

impl Chain {
    fn push(&mut self, link: &[u8]) {
        if !link.is_empty() {
            self.long.extend_from_slice(link);
            self.long.extend_from_slice(b", ");
        }
    }

    fn end(&mut self, link: std::fmt::Arguments<'_>) {
        let mut room = &mut self.short[..];
        if self.long.is_empty() && room.write_fmt(link).is_ok() {
            self.length = SHORT - room.len();
        } else {
            // A vector takes every write.
            _ = self.long.write_fmt(link);
        }
    }

    fn as_bytes(&self) -> &[u8] {
        if self.long.is_empty() { &self.short[..self.length] } else { &self.long }
    }
}
