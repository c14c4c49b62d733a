//! Heads on their way through: what is for this hop alone goes, who is asking is added, framing is ours.

mod hop;
mod identity;
mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;
mod trailers;

use http::{HeaderMap, HeaderName, HeaderValue};

pub(super) use hop::Hop;
pub(super) use identity::Identity;
pub(super) use incoming::{Incoming, persistence};
pub(super) use outgoing::Outgoing;
pub(super) use trailers::kept_trailers;

use super::h1::Header;

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
        if let (Ok(name), Ok(mut value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            // What is never said twice has no place in a table of what was said before (RFC 7541 §7.1.3); making room there costs both sides.
            value.set_sensitive(matches!(name.as_str(), "x-request-id" | "traceparent"));
            _ = self.try_append(name, value);
        }
    }
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
