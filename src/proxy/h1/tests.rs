use std::mem::MaybeUninit;

use super::{
    Chunked, Header, Length, MOST_TRAILERS, Malformed, Minor, RequestHead, ResponseHead, Room, Scan, chunked::Piece,
    read_trailers, request_length, response_length,
};
use crate::clock;

fn request(bytes: &str) -> Result<(String, String, Minor, Length), Malformed> {
    let mut room: Room<'_> = [const { MaybeUninit::uninit() }; _];
    let head = RequestHead::parse(bytes.as_bytes(), &mut room)?;
    Ok((head.method.into(), head.target.into(), head.minor, request_length(&head)?))
}

fn framed(lines: &str) -> Result<Length, Malformed> {
    request(&format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")).map(|(.., length)| length)
}

fn answered(status: &str, lines: &str, to_head: bool) -> Result<Length, Malformed> {
    let bytes = format!("HTTP/1.1 {status}\r\n{lines}\r\n");
    let mut room: Room<'_> = [const { MaybeUninit::uninit() }; _];
    response_length(&ResponseHead::parse(bytes.as_bytes(), &mut room)?, to_head)
}

/// The data, the trailers and the bytes used.
type Unchunked = (Vec<u8>, Vec<u8>, usize);

/// Reads in stretches that `cut` chooses; nothing where the end is missing.
fn unchunk(bytes: &[u8], mut cut: impl FnMut(usize) -> usize) -> Result<Option<Unchunked>, Malformed> {
    let (mut chunked, mut data, mut at) = (Chunked::new(), Vec::new(), 0);
    while at < bytes.len() && !chunked.is_done() {
        let end = at + cut(bytes.len() - at);
        while at < end && !chunked.is_done() {
            let Piece { used, data: here } = chunked.read(&bytes[at..end])?;
            data.extend_from_slice(&bytes[at..end][here]);
            at += used;
        }
    }
    Ok(chunked.is_done().then(|| (data, chunked.trailers().to_vec(), at)))
}

#[test]
fn a_head_is_found_however_it_arrives() {
    let bytes = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
    let whole = 2..bytes.len() - 4;
    assert_eq!(Scan::default().head(bytes), Ok(Some(whole.clone())));
    let mut scan = Scan::default();
    for length in 0..whole.end {
        assert_eq!(scan.head(&bytes[..length]), Ok(None), "{length}");
    }
    assert_eq!(scan.head(&bytes[..whole.end]), Ok(Some(whole)));
}

#[test]
fn what_will_never_be_a_head_is_refused_at_once() {
    let bad: [&[u8]; 6] =
        [b"GET / HTTP/1.1\n", b"\n", b"GET / HTTP/1.1\r\nA: b\n\r\n", b"\x16\x03\x01", b"\0", b"\r\n\r\n PRI"];
    for bytes in bad {
        assert!(Scan::default().head(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_request_line_is_read_or_refused() {
    let good = request("GET /a?b HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(good, ("GET".into(), "/a?b".into(), Minor::Zero, Length::None));
    for (line, expected) in [
        ("GET / HTTP/1.2", Malformed::Version),
        ("GET / HTTP/2.0", Malformed::Version),
        ("GET /", Malformed::Syntax),
        ("GET / http/1.1", Malformed::Version),
        ("GET  / HTTP/1.1", Malformed::Syntax),
        ("GET /  HTTP/1.1", Malformed::Version),
        ("GET\t/ HTTP/1.1", Malformed::Syntax),
        ("G@T / HTTP/1.1", Malformed::Syntax),
        ("GET /a#b HTTP/1.1", Malformed::Target),
        ("GET /é HTTP/1.1", Malformed::Target),
        ("GET /\u{7f} HTTP/1.1", Malformed::Syntax),
    ] {
        assert_eq!(request(&format!("{line}\r\nHost: a\r\n\r\n")).unwrap_err(), expected, "{line}");
    }
}

#[test]
fn a_header_line_is_read_or_refused() {
    assert_eq!(framed("X-Empty:\r\nX-Space: \t a b \t\r\n"), Ok(Length::None));
    for line in ["X : a", " X: a", "X: a\r\n b", "X\0: a", "X: a\0b", ": a", "X", "X: a\rb", "X\u{e9}: a", "X: a\u{1}b"]
    {
        assert!(framed(&format!("{line}\r\n")).is_err(), "{line:?}");
    }
    let many: String = (0..300).map(|at| format!("X-{at}: 1\r\n")).collect();
    assert_eq!(framed(&many), Err(Malformed::TooManyHeaders));
}

#[test]
fn a_request_has_exactly_one_length() {
    for (lines, expected) in [
        ("", Ok(Length::None)),
        ("Content-Length: 0\r\n", Ok(Length::None)),
        ("Content-Length: 5\r\n", Ok(Length::Exact(5))),
        ("content-length: \t5 \r\n", Ok(Length::Exact(5))),
        ("Transfer-Encoding: Chunked\r\n", Ok(Length::Chunked)),
        ("Content-Length: 999999999999999999\r\n", Ok(Length::Exact(999_999_999_999_999_999))),
        ("Content-Length: 1000000000000000000\r\n", Err(Malformed::ContentLength)),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", Err(Malformed::ContentLength)),
        ("Content-Length: 5, 5\r\n", Err(Malformed::ContentLength)),
        ("Content-Length: +5\r\n", Err(Malformed::ContentLength)),
        ("Content-Length: -5\r\n", Err(Malformed::ContentLength)),
        ("Content-Length: 0x5\r\n", Err(Malformed::ContentLength)),
        ("Content-Length: 05\r\n", Err(Malformed::ContentLength)),
        ("Content-Length: 5 5\r\n", Err(Malformed::ContentLength)),
        ("Content-Length:\r\n", Err(Malformed::ContentLength)),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Err(Malformed::LengthAndChunks)),
        ("Transfer-Encoding: gzip, chunked\r\n", Err(Malformed::TransferEncoding)),
        ("Transfer-Encoding: chunked, gzip\r\n", Err(Malformed::TransferEncoding)),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Err(Malformed::TransferEncoding)),
        ("Transfer-Encoding: xchunked\r\n", Err(Malformed::TransferEncoding)),
        ("Transfer-Encoding: \"chunked\"\r\n", Err(Malformed::TransferEncoding)),
        ("Transfer-Encoding: identity\r\n", Err(Malformed::TransferEncoding)),
        ("Transfer-Encoding:\r\n", Err(Malformed::TransferEncoding)),
        ("Transfer-Encoding: \x0bchunked\r\n", Err(Malformed::Syntax)),
    ] {
        assert_eq!(framed(lines), expected, "{lines:?}");
    }
    let old = request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(old.unwrap_err(), Malformed::TransferEncoding);
}

#[test]
fn an_answer_has_the_length_that_its_request_and_status_give() {
    let length = "Content-Length: 5\r\n";
    assert_eq!(answered("200 OK", length, false), Ok(Length::Exact(5)));
    assert_eq!(answered("200", "", false), Ok(Length::UntilClose));
    for status in ["100 Continue", "204 No Content", "304 Not Modified"] {
        assert_eq!(answered(status, length, false), Ok(Length::None), "{status}");
    }
    assert_eq!(answered("200 OK", length, true), Ok(Length::None));
    assert_eq!(answered("099 Low", "", false), Err(Malformed::Syntax));
    let both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
    assert_eq!(answered("304 Not Modified", both, false), Err(Malformed::LengthAndChunks), "refused even where unused");
}

#[test]
fn chunks_are_read_however_they_arrive() {
    let body = b"5;a=\"b\"\r\nhello\r\n06\r\n world\r\n0\r\nX-Sum: 1\r\n\r\nGET /";
    let expected = (b"hello world".to_vec(), b"X-Sum: 1\r\n\r\n".to_vec(), body.len() - 5);
    let mut random = clock::seeded(7);
    for _ in 0..1000 {
        let read = unchunk(body, |left| random.usize(1..=left)).unwrap();
        assert_eq!(read.as_ref(), Some(&expected));
    }
    assert_eq!(unchunk(b"0\r\n\r\n", |left| left).unwrap().unwrap().1, b"", "no trailers are no lines");
    for length in 0..body.len() - 5 {
        assert_eq!(unchunk(&body[..length], |left| left), Ok(None), "{length}");
    }
}

#[test]
fn chunks_that_two_readers_could_read_differently_are_refused() {
    let extension = format!("1;{}\r\na\r\n0\r\n\r\n", "e".repeat(5000));
    for body in [
        "\r\n",
        "g\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x1\r\n",
        " 1\r\n",
        "1 \r\n",
        "1\n",
        "1\r\r\n",
        "1;a\n",
        "1;\0\r\n",
        ";a\r\n",
        "1\r\nab\r\n",
        "1\r\na\n",
        "1\r\na\r\r",
        "1234567890abcdef\r\n",
        "1\r\na0\r\n",
        "0\r\nX: 1\n",
        "0\r\nX\r1",
        "0\r\n\n",
        &extension,
    ] {
        assert!(unchunk(body.as_bytes(), |left| left).is_err(), "{body:.40?}");
    }
    let trailers = format!("0\r\nX: {}\r\n\r\n", "a".repeat(20_000));
    assert_eq!(unchunk(trailers.as_bytes(), |left| left), Err(Malformed::Trailers));
}

#[test]
fn trailers_are_headers() {
    let mut room = [httparse::EMPTY_HEADER; MOST_TRAILERS];
    let read = read_trailers(b"X-Sum: 1\r\nY:\r\n\r\n", &mut room).unwrap();
    assert_eq!(read, [Header { name: "X-Sum", value: b"1" }, Header { name: "Y", value: b"" }]);
    for bad in [&b"X : 1\r\n\r\n"[..], b"X\r\n\r\n", b"X: 1\r\n"] {
        let mut room = [httparse::EMPTY_HEADER; MOST_TRAILERS];
        assert_eq!(read_trailers(bad, &mut room), Err(Malformed::Trailers));
    }
}

/// Whatever comes, nothing panics, and what is read does not depend on how it was cut.
#[test]
fn noise_is_read_alike_however_it_is_cut() {
    const BYTES: &[u8] = b"GETHP/1.0 :;abc\r\n\r\n\r\n0123456789abf\t\0\xff,chunkedContent-Length: Transfer-Encoding: ";
    let mut random = clock::seeded(11);
    for _ in 0..20_000 {
        let noise: Vec<u8> = (0..random.usize(0..120)).map(|_| BYTES[random.usize(..BYTES.len())]).collect();
        let whole = unchunk(&noise, |left| left);
        let cut = unchunk(&noise, |left| random.usize(1..=left));
        assert_eq!(whole, cut, "{noise:?}");
        let (mut scan, mut found) = (Scan::default(), Ok(None));
        for length in 0..=noise.len() {
            found = scan.head(&noise[..length]);
            if found != Ok(None) {
                break;
            }
        }
        if let Ok(Some(head)) = found {
            assert_eq!(Scan::default().head(&noise), Ok(Some(head.clone())), "{noise:?}");
            let mut room: Room<'_> = [const { MaybeUninit::uninit() }; _];
            _ = RequestHead::parse(&noise[head], &mut room).map(|head| request_length(&head));
        }
    }
}
