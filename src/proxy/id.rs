//! The id that a request keeps on all its hops.

use std::fmt;

use super::{h1::Header, headers::all};
use crate::clock::Random;

/// Bytes that an id from outside may have.
const LONGEST: usize = 128;

/// One request's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RequestId {
    /// Made here: 128 random bits in hexadecimal.
    Own([u8; 32]),
    /// Brought along by somebody trusted.
    Brought(Box<[u8]>),
}

impl RequestId {
    /// The client's where it is trusted and what it brought is reasonable, else a new one.
    pub(super) fn of(headers: &[Header<'_>], is_trusted: bool, random: &mut Random) -> Self {
        let is_reasonable =
            |id: &&Header<'_>| (1..=LONGEST).contains(&id.value.len()) && id.value.iter().all(u8::is_ascii_graphic);
        match all(headers, "x-request-id").next().filter(is_reasonable) {
            Some(brought) if is_trusted => Self::Brought(brought.value.into()),
            _ => Self::new(random),
        }
    }

    /// A new one.
    pub(super) fn new(random: &mut Random) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let bits = random.u128(..);
        Self::Own(std::array::from_fn(|digit| DIGITS[(bits >> (124 - 4 * digit)) as usize & 15]))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Own(digits) => digits,
            Self::Brought(bytes) => bytes,
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both kinds are ASCII.
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_from_outside_counts_only_when_its_bringer_is_trusted_and_it_is_reasonable() {
        let random = &mut crate::clock::seeded(1);
        let header = |value| [Header { name: "X-Request-Id", value }];
        assert_eq!(RequestId::of(&header(b"abc"), true, random).to_string(), "abc");
        for (value, is_trusted) in [(&b"abc"[..], false), (b"", true), (b"a b", true), (&[b'a'; 129], true)] {
            let id = RequestId::of(&header(value), is_trusted, random).to_string();
            assert!(id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
        }
        assert_ne!(RequestId::new(random), RequestId::new(random));
    }
}
