//! The entries for fuzzing: any bytes as what clients send first, and as what they send last.

use std::mem::MaybeUninit;

use super::{
    accept::read_preamble,
    h1::{Chunked, EMPTY_HEADER, MOST_TRAILERS, Minor, RequestHead, Room, Scan, read_trailers, request_length},
    headers::Hop,
    target::Target,
};

/// Reads anything as a request's head. For fuzzing.
///
/// # Panics
/// Where an invariant of this module does not hold: never, whatever the bytes are.
pub fn fuzz_head(bytes: &[u8]) {
    let Ok(Some(head)) = Scan::default().head(bytes) else { return };
    assert!(bytes[head.clone()].ends_with(b"\r\n\r\n"), "a head that does not end as one");
    let mut room: Room<'_> = [const { MaybeUninit::uninit() }; _];
    let Ok(head) = RequestHead::parse(&bytes[head], &mut room) else { return };
    if request_length(&head).is_ok()
        && Hop::read(head.headers).is_ok()
        && let Ok(target) = Target::read(&head, None)
    {
        let is_named = !target.host().is_empty() || head.minor == Minor::Zero;
        assert!(is_named && !target.path().is_empty(), "a request for nothing: {head:?}");
    }
}

/// Reads anything as a chunked body. For fuzzing.
///
/// # Panics
/// As [`fuzz_head`].
pub fn fuzz_chunked(bytes: &[u8]) {
    let (mut chunked, mut at, mut data) = (Chunked::new(), 0, 0);
    while at < bytes.len() && !chunked.is_done() {
        let Ok(piece) = chunked.read(&bytes[at..]) else { return };
        assert!(
            piece.used > 0 && piece.data.end <= piece.used,
            "a reader that stands still, or reads what is not there"
        );
        data += piece.data.len();
        at += piece.used;
    }
    assert!(data <= at && at <= bytes.len());
    _ = read_trailers(chunked.trailers(), &mut [EMPTY_HEADER; MOST_TRAILERS]);
}

/// Reads anything as a PROXY header. For fuzzing.
///
/// # Panics
/// As [`fuzz_head`].
pub fn fuzz_preamble(bytes: &[u8]) {
    let mut seen = 0;
    while let Some(more) = read_preamble(&bytes[..seen]) {
        assert!(more > 0, "a reader that waits for nothing");
        if bytes.len() - seen < more {
            return;
        }
        seen += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn nothing_that_comes_breaks_a_reader() {
        const SEEDS: [&[u8]; 5] = [
            b"GET /a?b HTTP/1.1\r\nHost: shop.example\r\nConnection: close, x\r\nContent-Length: 3\r\n\r\nabc",
            b"POST http://[::1]:80/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"3;a=b\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: 7\r\n\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x04\xd2\x01\xbb",
        ];
        let mut random = clock::seeded(23);
        for round in 0..40_000 {
            let mut bytes = SEEDS[round % SEEDS.len()].to_vec();
            for _ in 0..random.usize(..4) {
                let at = random.usize(..bytes.len());
                match random.usize(..3) {
                    0 => bytes[at] = random.u8(..),
                    1 => bytes.insert(at, bytes[random.usize(..bytes.len())]),
                    _ => bytes.truncate(at + 1),
                }
            }
            fuzz_head(&bytes);
            fuzz_chunked(&bytes);
            fuzz_preamble(&bytes);
        }
    }
}
