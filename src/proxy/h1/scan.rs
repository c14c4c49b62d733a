//! Where a head ends: looked for in new bytes only, so that a head that arrives byte by byte costs no more than one that arrives whole.

use std::ops::Range;

use memchr::memchr_iter;

use super::Malformed;

/// How far a head was looked through.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::proxy) struct Scan {
    /// Bytes that were looked at.
    seen: usize,
    /// Where the current line begins.
    line: usize,
    /// Where the head begins: after the empty lines that may stand before it.
    begin: usize,
}

impl Scan {
    /// Where the head stands in `bytes`, its empty line included, once all of it is there. `bytes` are those of the last call and more.
    pub(in crate::proxy) fn head(&mut self, bytes: &[u8]) -> Result<Option<Range<usize>>, Malformed> {
        for newline in memchr_iter(b'\n', &bytes[self.seen..]) {
            let end = self.seen + newline;
            if end == self.line || bytes[end - 1] != b'\r' {
                return Err(Malformed::LineEnd);
            }
            let is_empty = end == self.line + 1;
            if is_empty && self.line > self.begin {
                return Ok(Some(self.begin..end + 1));
            }
            self.line = end + 1;
            if is_empty {
                // An empty line before a request is passed over (RFC 9112 §2.2).
                self.begin = self.line;
            }
        }
        self.seen = bytes.len();
        match bytes.get(self.begin) {
            // What is not a token's beginning will not become HTTP by waiting: TLS on a plain port, mostly.
            Some(first) if !is_token(*first) && *first != b'\r' => Err(Malformed::Syntax),
            _ => Ok(None),
        }
    }
}

/// Whether a byte may stand in a method or a header's name (RFC 9110 §5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
