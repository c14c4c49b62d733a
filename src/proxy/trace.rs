//! `traceparent`: the trace that a request belongs to (W3C Trace Context).

use crate::{
    clock::Random,
    config::TraceMode,
    proxy::{h1::Header, headers::all},
};

const LENGTH: usize = 55;

/// A trace that begins here, with this request as its first span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Traceparent([u8; LENGTH]);

impl Traceparent {
    /// A new one, where one is wanted and the client's is not taken over.
    pub(super) fn of(headers: &[Header<'_>], mode: TraceMode, is_trusted: bool, random: &mut Random) -> Option<Self> {
        let may_keep = match mode {
            TraceMode::Keep => return None,
            TraceMode::Make => true,
            TraceMode::Restart => is_trusted,
        };
        let mut brought = all(headers, "traceparent");
        let is_kept =
            may_keep && brought.next().is_some_and(|header| is_valid(header.value)) && brought.next().is_none();
        (!is_kept).then(|| Self::new(random))
    }

    fn new(random: &mut Random) -> Self {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-01";
        // Neither may be zero.
        hex(&mut text[3..35], random.u128(1..));
        hex(&mut text[36..52], u128::from(random.u64(1..)));
        Self(text)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The last digits of a number.
fn hex(out: &mut [u8], mut number: u128) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

/// What may be passed on. A later version may have more behind it.
fn is_valid(value: &[u8]) -> bool {
    let is_hex = |part: &[u8]| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_zero = |part: &[u8]| part.iter().all(|byte| *byte == b'0');
    let [version @ .., _] = value.get(..3).unwrap_or_default() else { return false };
    let is_long_enough = value.len() == LENGTH || (value.len() > LENGTH && version != b"00" && value[LENGTH] == b'-');
    is_long_enough
        && (value[2], value[35], value[52]) == (b'-', b'-', b'-')
        && [version, &value[3..35], &value[36..52], &value[53..55]].into_iter().all(is_hex)
        && version != b"ff"
        && !is_zero(&value[3..35])
        && !is_zero(&value[36..52])
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(values: &[&[u8]], mode: TraceMode, is_trusted: bool) -> Option<Traceparent> {
        let headers: Vec<_> = values.iter().map(|value| Header { name: "Traceparent", value }).collect();
        Traceparent::of(&headers, mode, is_trusted, &mut crate::clock::seeded(3))
    }

    #[test]
    fn a_trace_is_kept_made_or_begun_anew() {
        assert_eq!(of(&[b"nonsense"], TraceMode::Keep, false), None);
        assert_eq!(of(&[GOOD], TraceMode::Make, false), None);
        assert_eq!(of(&[GOOD], TraceMode::Restart, true), None);
        for (values, mode) in [
            (&[][..], TraceMode::Make),
            (&[&b"nonsense"[..]], TraceMode::Make),
            (&[GOOD, GOOD], TraceMode::Make),
            (&[GOOD], TraceMode::Restart),
        ] {
            let made = of(values, mode, false).unwrap();
            assert!(is_valid(made.as_bytes()), "{made:?}");
        }
        let random = &mut crate::clock::seeded(3);
        assert_ne!(Traceparent::new(random), Traceparent::new(random));
    }

    #[test]
    fn what_is_no_trace_is_not_passed_on() {
        for bad in [
            &b""[..],
            b"00",
            b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            b"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        ] {
            assert!(!is_valid(bad), "{:?}", String::from_utf8_lossy(bad));
        }
        assert!(is_valid(b"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"));
    }
}
