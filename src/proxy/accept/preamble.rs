//! The PROXY protocol, versions 1 and 2: a balancer in front of us says whose connection it passes on, before the first byte of it.
//!
//! Pure: bytes in, meaning out. Nothing beyond the header is ever read, as what follows belongs to TLS or HTTP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, CR LF included.
const MOST_LINE: usize = 107;
/// The part of version 2 that says how long the rest is.
const FIXED: usize = 16;
/// What may stand behind it: addresses and a few values; a certificate's names are the largest that anybody sends.
const MOST_REST: usize = 4096;
/// The value that holds a CRC-32C of the whole header.
const CHECKSUM: u8 = 3;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Whose connection it is.
    Client(SocketAddr),
    /// The balancer's own, to see whether we live; or it does not know.
    Nothing,
}

/// Where reading a header stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preamble {
    /// So many more bytes at least belong to it.
    Needs(usize),
    /// It is whole.
    Whole(Told),
    /// It is none.
    Malformed,
}

/// Looks at a header from its beginning.
pub(super) fn read(bytes: &[u8]) -> Preamble {
    let known = bytes.len().min(SIGNATURE.len());
    if known < 6 {
        // The shortest line of version 1 is longer.
        return Preamble::Needs(12 - known);
    }
    if bytes.starts_with(b"PROXY ") {
        return line(bytes);
    }
    if bytes[..known] != SIGNATURE[..known] {
        return Preamble::Malformed;
    }
    binary(bytes)
}

fn line(bytes: &[u8]) -> Preamble {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        // Byte by byte near its end: what stands behind it is not ours.
        return if bytes.len() < MOST_LINE { Preamble::Needs(1) } else { Preamble::Malformed };
    };
    let line = bytes[..end].strip_suffix(b"\r").filter(|_| end + 1 == bytes.len());
    let Some(Ok(line)) = line.map(std::str::from_utf8) else { return Preamble::Malformed };
    let mut words = line.split(' ');
    let (_, family) = (words.next(), words.next());
    if family == Some("UNKNOWN") {
        return Preamble::Whole(Told::Nothing);
    }
    let [source, destination, port, to] = std::array::from_fn(|_| words.next().unwrap_or_default());
    let is_whole = words.next().is_none() && number(to).is_some();
    let source = match family {
        Some("TCP4") => addresses::<Ipv4Addr>(source, destination),
        Some("TCP6") => addresses::<Ipv6Addr>(source, destination),
        _ => None,
    };
    match (source, number(port)) {
        (Some(source), Some(port)) if is_whole => Preamble::Whole(Told::Client(SocketAddr::new(source, port))),
        _ => Preamble::Malformed,
    }
}

/// Both have to be of the family, though only the first is of use.
fn addresses<A: std::str::FromStr + Into<IpAddr>>(source: &str, destination: &str) -> Option<IpAddr> {
    destination.parse::<A>().ok()?;
    Some(source.parse::<A>().ok()?.into())
}

/// Digits and nothing else.
fn number(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

fn binary(bytes: &[u8]) -> Preamble {
    if bytes.len() < FIXED {
        return Preamble::Needs(FIXED - bytes.len());
    }
    let length = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
    let is_known = matches!(bytes[12], 0x20 | 0x21) && length <= MOST_REST;
    if !is_known || bytes.len() > FIXED + length {
        return Preamble::Malformed;
    }
    if bytes.len() < FIXED + length {
        return Preamble::Needs(FIXED + length - bytes.len());
    }
    let rest = &bytes[FIXED..];
    let (source, values) = match (bytes[13] >> 4, rest) {
        (1, &[a, b, c, d, _, _, _, _, high, low, _, _, ref values @ ..]) => {
            (Some((IpAddr::from([a, b, c, d]), [high, low])), values)
        }
        (2, _) if rest.len() >= 36 => {
            let address: [u8; 16] = std::array::from_fn(|at| rest[at]);
            (Some((IpAddr::from(address).to_canonical(), [rest[32], rest[33]])), &rest[36..])
        }
        (1 | 2, _) => return Preamble::Malformed,
        // Sockets of one machine have addresses of 216 bytes; unknown families none that anybody could skip.
        (3, _) if rest.len() >= 216 => (None, &rest[216..]),
        _ => (None, &[][..]),
    };
    if !are_values(values, bytes) {
        return Preamble::Malformed;
    }
    // `LOCAL`, or something other than a stream: whatever is told is not to be used.
    let is_told = bytes[12] == 0x21 && bytes[13] & 15 == 1;
    match source.filter(|_| is_told) {
        Some((address, port)) => Preamble::Whole(Told::Client(SocketAddr::new(address, u16::from_be_bytes(port)))),
        None => Preamble::Whole(Told::Nothing),
    }
}

/// Whether the values behind the addresses are framed well, and a checksum among them is right.
fn are_values(mut values: &[u8], header: &[u8]) -> bool {
    while let [kind, high, low, rest @ ..] = values {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, next)) = rest.split_at_checked(length) else { return false };
        if *kind == CHECKSUM {
            let at = header.len() - rest.len();
            let Ok(stated) = <[u8; 4]>::try_from(value) else { return false };
            if u32::from_be_bytes(stated) != crc32c(header, at..at + 4) {
                return false;
            }
        }
        values = next;
    }
    values.is_empty()
}

/// The CRC-32C of some bytes, with those of its own place taken for zeros. A header is short: a table would be larger than it.
fn crc32c(bytes: &[u8], own: std::ops::Range<usize>) -> u32 {
    let mut crc = u32::MAX;
    for (at, byte) in bytes.iter().enumerate() {
        crc ^= u32::from(if own.contains(&at) { 0 } else { *byte });
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads as a connection does: never more than was asked for.
    fn told(bytes: &[u8]) -> Result<(Told, usize), ()> {
        let mut seen = 0;
        loop {
            match read(&bytes[..seen]) {
                Preamble::Needs(more) if seen + more <= bytes.len() => seen += more,
                Preamble::Needs(_) | Preamble::Malformed => return Err(()),
                Preamble::Whole(told) => return Ok((told, seen)),
            }
        }
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    fn client(text: &str) -> Told {
        Told::Client(text.parse().unwrap())
    }

    const V4: [u8; 12] = [192, 0, 2, 1, 10, 0, 0, 1, 0x1F, 0x90, 0, 80];

    #[test]
    fn a_line_says_whose_connection_it_is_and_what_follows_stays_unread() {
        for (line, expected) in [
            ("PROXY TCP4 192.0.2.1 10.0.0.1 8080 80\r\n", client("192.0.2.1:8080")),
            ("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", client("[2001:db8::1]:1")),
            ("PROXY UNKNOWN\r\n", Told::Nothing),
            ("PROXY UNKNOWN ffff:f...f:ffff whatever\r\n", Told::Nothing),
        ] {
            let bytes = format!("{line}GET / HTTP/1.1\r\n");
            assert_eq!(told(bytes.as_bytes()), Ok((expected, line.len())), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_not_quite_one_is_refused() {
        let long = format!("PROXY UNKNOWN {}\r\n", "a".repeat(100));
        for line in [
            "PROXY TCP4 192.0.2.1 10.0.0.1 8080\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 8080 80 1\r\n",
            "PROXY TCP4 192.0.2.1 ::1 8080 80\r\n",
            "PROXY TCP6 192.0.2.1 ::1 8080 80\r\n",
            "PROXY TCP4 192.0.2.1  10.0.0.1 8080 80\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 08080 80\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 +8080 80\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 80800 80\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 8080 80\n",
            "PROXY UDP4 192.0.2.1 10.0.0.1 8080 80\r\n",
            "proxy TCP4 192.0.2.1 10.0.0.1 8080 80\r\n",
            "GET / HTTP/1.1\r\n",
            &long,
        ] {
            assert_eq!(told(line.as_bytes()), Err(()), "{line}");
        }
    }

    #[test]
    fn version_2_says_the_same_in_bytes() {
        let mut v6 = [0; 36];
        v6[..16].copy_from_slice(&"2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        v6[32..34].copy_from_slice(&443_u16.to_be_bytes());
        let with_values = [&V4[..], &[4, 0, 2, 0, 0], &[0x20, 0, 0]].concat();
        for (bytes, expected) in [
            (version_2(0x21, 0x11, &V4), client("192.0.2.1:8080")),
            (version_2(0x21, 0x21, &v6), client("[2001:db8::1]:443")),
            (version_2(0x21, 0x11, &with_values), client("192.0.2.1:8080")),
            (version_2(0x20, 0x11, &V4), Told::Nothing),
            (version_2(0x20, 0, &[]), Told::Nothing),
            (version_2(0x21, 0x12, &V4), Told::Nothing),
            (version_2(0x21, 0x31, &[0; 216]), Told::Nothing),
        ] {
            assert_eq!(told(&[&bytes[..], b"GET /"].concat()), Ok((expected, bytes.len())), "{bytes:?}");
        }
    }

    #[test]
    fn a_checksum_has_to_be_right() {
        let mut bytes = version_2(0x21, 0x11, &[&V4[..], &[CHECKSUM, 0, 4, 0, 0, 0, 0]].concat());
        let own = bytes.len() - 4..bytes.len();
        assert_eq!(crc32c(b"123456789", 9..9), 0xE306_9283, "the check value of CRC-32C");
        let crc = crc32c(&bytes, own.clone());
        assert_eq!(told(&bytes), Err(()));
        bytes[own].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(told(&bytes), Ok((client("192.0.2.1:8080"), bytes.len())));
    }

    #[test]
    fn bytes_that_are_not_framed_well_are_refused() {
        for bytes in [
            version_2(0x11, 0x11, &V4),
            version_2(0x22, 0x11, &V4),
            version_2(0x21, 0x11, &V4[..11]),
            version_2(0x21, 0x21, &V4),
            version_2(0x21, 0x11, &[&V4[..], &[4, 0, 9, 0]].concat()),
            version_2(0x21, 0x11, &[&V4[..], &[4, 0]].concat()),
            version_2(0x21, 0x11, &[0; MOST_REST + 1]),
        ] {
            assert_eq!(told(&bytes), Err(()), "{bytes:?}");
        }
    }

    /// Whatever comes, nothing panics, and no more is asked for than a header may have.
    #[test]
    fn noise_is_read_or_refused() {
        let mut random = crate::clock::seeded(5);
        for _ in 0..50_000 {
            let mut noise: Vec<u8> = (0..random.usize(0..300)).map(|_| random.u8(..)).collect();
            match random.u8(0..3) {
                0 => noise.splice(0..0, SIGNATURE).for_each(drop),
                1 => noise.splice(0..0, *b"PROXY TCP4 ").for_each(drop),
                _ => {}
            }
            if let Preamble::Needs(more) = read(&noise) {
                assert!((1..=FIXED + MOST_REST).contains(&more));
            }
            _ = told(&noise);
        }
    }
}
