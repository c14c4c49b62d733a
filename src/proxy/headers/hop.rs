//! What is meant for one hop alone.

use super::{all, is_one_of};
use crate::proxy::h1::{Header, Malformed, Minor, is_name, members};

/// Meant for one hop, known by name (RFC 9110 §7.6.1), and what older software still sends.
pub(super) const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];
/// Never this hop's alone, whatever `Connection` says.
const END_TO_END: [&[u8]; 2] = [b"host", b"content-length"];
/// What `Connection` may name besides `close`, `keep-alive` and `upgrade`.
const MOST_NAMED: usize = 8;

/// What a message's `Connection` says.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::proxy) struct Hop<'b> {
    pub(in crate::proxy) closes: bool,
    pub(in crate::proxy) keeps_alive: bool,
    pub(in crate::proxy) upgrades: bool,
    named: [&'b [u8]; MOST_NAMED],
}

impl<'b> Hop<'b> {
    pub(in crate::proxy) fn read(headers: &[Header<'b>]) -> Result<Self, Malformed> {
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
    pub(in crate::proxy) fn persists(&self, minor: Minor) -> bool {
        !self.closes && (minor == Minor::One || self.keeps_alive)
    }

    pub(super) fn is_for(&self, name: &str) -> bool {
        is_one_of(name, &HOP_BY_HOP) || self.named.iter().any(|named| named.eq_ignore_ascii_case(name.as_bytes()))
    }
}
