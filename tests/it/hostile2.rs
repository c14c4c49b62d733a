//! HTTP/2 frames that nobody should send, byte by byte: `tests/http/hostile2.txt` says which heads, and the floods stand here.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::{
    proxy::one_pool,
    scene::{Meridian, Origin, eventually, get, meridian, origin},
};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const FLOW_CONTROL_ERROR: u32 = 3;
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals that no table remembers (RFC 7541 §6.2.2).
fn block(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let string = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()][..], bytes].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], string(name), string(value)].concat()).collect()
}

fn fields(method: &str, path: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let all = [(":method", method), (":scheme", "http"), (":authority", "shop.example"), (":path", path)];
    all.map(|(name, value)| (name.into(), value.into())).into()
}

/// A request without a body.
pub(crate) fn asks(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&fields("GET", path)))
}

/// The head of a request with one.
fn begins(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(&fields("POST", path)))
}

pub(crate) fn error(kind: u8, stream: u32, code: u32) -> Vec<u8> {
    frame(kind, 0, stream, &code.to_be_bytes())
}

/// A client of raw frames.
pub(crate) struct Client(TcpStream);

/// What comes back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Answer(u32, u16),
    Data(u32, Vec<u8>, bool),
    Reset(u32, u32),
    GoAway(u32),
    Pong,
    Other,
    /// The connection is closed.
    End,
}

impl Client {
    /// Begins with these settings.
    pub(crate) fn open(address: SocketAddr, settings: &[u8]) -> Self {
        Self::over(TcpStream::connect(address).unwrap(), settings)
    }

    /// The same over a connection that is there.
    pub(crate) fn over(stream: TcpStream, settings: &[u8]) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        let mut client = Self(stream);
        client.send(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, settings)].concat());
        client
    }

    /// Hears all that the node has to say, as it is asked twice to answer at once. Nothing where it lets the client go meanwhile.
    pub(crate) fn hear_out(&mut self) -> Option<()> {
        for round in [1; 2] {
            self.send(&frame(PING, 0, 0, &[round; 8]));
            loop {
                match self.next() {
                    Frame::Pong => break,
                    Frame::GoAway(_) | Frame::End => return None,
                    _ => {}
                }
            }
        }
        Some(())
    }

    /// The node may have closed by then.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        _ = self.0.write_all(bytes);
    }

    pub(crate) fn next(&mut self) -> Frame {
        let mut head = [0; 9];
        if let Err(error) = self.0.read_exact(&mut head) {
            assert!(error.kind() != std::io::ErrorKind::WouldBlock, "nothing came");
            return Frame::End;
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let mut payload = vec![0; number(&head[..3]) as usize];
        if self.0.read_exact(&mut payload).is_err() {
            return Frame::End;
        }
        let stream = number(&head[5..]);
        match head[3] {
            HEADERS => Frame::Answer(stream, status(&payload)),
            DATA => Frame::Data(stream, payload, head[4] & END_STREAM != 0),
            RST_STREAM => Frame::Reset(stream, number(&payload)),
            GOAWAY => Frame::GoAway(number(&payload[4..8])),
            PING if head[4] & ACK != 0 => Frame::Pong,
            _ => Frame::Other,
        }
    }

    /// What is said about a stream first, or about the whole connection.
    fn verdict(&mut self, stream: u32) -> Frame {
        loop {
            match self.next() {
                Frame::Answer(of, status) if of == stream => return Frame::Answer(of, status),
                Frame::Reset(of, code) if of == stream => return Frame::Reset(of, code),
                end @ (Frame::GoAway(_) | Frame::End) => return end,
                _ => {}
            }
        }
    }

    /// The code of the last word, whatever comes before it; 0 where the connection ends without one.
    fn last_word(&mut self) -> u32 {
        loop {
            match self.next() {
                Frame::GoAway(0) => {}
                Frame::GoAway(code) => return code,
                Frame::End => return 0,
                _ => {}
            }
        }
    }
}

/// Of an answer's head: the first field, from the static table or written out behind an index into it (RFC 7541 §6, appendix A).
fn status(block: &[u8]) -> u16 {
    const KNOWN: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    // A change of the table's size may stand first.
    let block = if block[0] & 0xe0 == 0x20 { &block[1..] } else { block };
    if block[0] & 0x80 != 0 {
        return KNOWN[usize::from(block[0] & 0x7f) - 8];
    }
    let value = &block[2..2 + usize::from(block[1] & 0x7f)];
    if block[1] & 0x80 == 0 {
        return std::str::from_utf8(value).unwrap().parse().unwrap();
    }
    // Huffman: digits are five bits (0, 1, 2) or six (3 to 9).
    let bits: String = value.iter().map(|byte| format!("{byte:08b}")).collect();
    let (mut at, mut status) = (0, 0);
    while status < 100 {
        let five = u16::from_str_radix(&bits[at..at + 5], 2).unwrap();
        let is_short = five < 3;
        let digit = if is_short { five } else { u16::from_str_radix(&bits[at..at + 6], 2).unwrap() - 25 + 3 };
        at += if is_short { 5 } else { 6 };
        status = status * 10 + digit;
    }
    status
}

struct Hostile {
    outcome: String,
    what: String,
    bytes: Vec<u8>,
}

fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes: Vec<u8> = parts.next().unwrap_or_default().into();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

/// As the corpus's first lines say.
fn corpus() -> Vec<Hostile> {
    let text = std::fs::read_to_string("tests/http/hostile2.txt").unwrap();
    let corpus: Vec<Hostile> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let parts: Vec<&str> = line.splitn(4, " | ").collect();
            let mut all = Vec::new();
            for field in parts[2].split(" ; ") {
                match field {
                    "{GET}" => all.extend(fields("GET", "/smuggled")),
                    "{POST}" => all.extend(fields("POST", "/smuggled")),
                    field => {
                        let colon =
                            field.rfind(": ").or_else(|| field.rfind(":\\x20")).unwrap_or_else(|| panic!("{line}"));
                        let colon = field[1..].find(": ").map_or(colon, |at| at + 1);
                        let value = field[colon + 1..].strip_prefix([' ']).unwrap_or(&field[colon + 1..]);
                        let value = if value == "\\x20" { Vec::new() } else { unescape(value) };
                        all.push((unescape(&field[..colon]), value));
                    }
                }
            }
            let flags = if parts.len() == 4 { END_HEADERS } else { END_HEADERS | END_STREAM };
            let mut bytes = frame(HEADERS, flags, 1, &block(&all));
            let pieces: Vec<&str> = parts.get(3).map(|body| body.split('\\').collect()).unwrap_or_default();
            for (at, piece) in pieces.iter().enumerate() {
                let is_last = u8::from(at + 1 == pieces.len());
                bytes.extend(frame(DATA, is_last, 1, piece.as_bytes()));
            }
            Hostile { outcome: parts[0].into(), what: parts[1].into(), bytes }
        })
        .collect();
    assert!(corpus.len() > 45, "the corpus was read");
    corpus
}

#[test]
fn a_hostile_head_ends_its_stream_or_its_connection_and_reaches_no_origin() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let (mut wrong, mut good) = (Vec::new(), 0);
    for Hostile { outcome, what, bytes } in corpus() {
        let mut client = Client::open(node.http(), b"");
        client.send(&bytes);
        let verdict = match client.verdict(1) {
            Frame::Answer(_, status) => status.to_string(),
            Frame::Reset(..) => "reset".to_owned(),
            _ => "goaway".to_owned(),
        };
        if verdict != outcome {
            wrong.push(format!("{what}: {verdict} instead of {outcome}"));
        }
        good += usize::from(verdict == "200");
        if verdict != "goaway" {
            // The connection goes on.
            client.send(&asks(3, "/"));
            match client.verdict(3) {
                Frame::Answer(3, 200) => good += 1,
                other => wrong.push(format!("{what}: then came {other:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(a.requests(), good, "requests that the origin heard");
    assert_eq!(get(node.http(), "shop.example", "/").unwrap().text(), "a");
}

/// Sends a flood; the node has to be calm about it, and to say so.
fn is_a_flood(node: &Meridian, kind: &str, frames: &[u8]) {
    let counter = format!("meridian_http2_floods_total{{kind=\"{kind}\"}}");
    let before = node.metric(&counter);
    let mut client = Client::open(node.http(), b"");
    client.send(frames);
    assert_eq!(client.last_word(), ENHANCE_YOUR_CALM, "{kind}");
    node.metric_becomes(&counter, before + 1);
    assert_eq!(get(node.http(), "shop.example", "/").unwrap().text(), "a", "others are served meanwhile");
}

pub(crate) fn many(count: u32, frames: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    (0..count).flat_map(|at| frames(2 * at + 1)).collect()
}

#[test]
fn floods_are_cut_off_and_counted_while_others_are_served() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let cancel = |stream| error(RST_STREAM, stream, 8);
    is_a_flood(&node, "resets", &many(300, |stream| [asks(stream, "/stall"), cancel(stream)].concat()));
    is_a_flood(&node, "control", &many(1500, |_| frame(SETTINGS, 0, 0, b"")));
    is_a_flood(&node, "control", &many(1500, |_| frame(PING, 0, 0, b"12345678")));
    is_a_flood(&node, "control", &many(1500, |_| frame(PRIORITY, 0, 1, b"\0\0\0\0\0")));
    is_a_flood(&node, "control", &many(1500, |_| frame(200, 0, 0, b"unknown")));
    is_a_flood(&node, "control", &many(3000, |_| error(WINDOW_UPDATE, 0, 1)));
    is_a_flood(&node, "empty", &[begins(1, "/echo"), many(300, |_| frame(DATA, 0, 1, b""))].concat());
    let endless = [frame(HEADERS, 0, 1, &block(&fields("GET", "/"))), many(100, |_| frame(CONTINUATION, 0, 1, b""))];
    is_a_flood(&node, "continuations", &endless.concat());
    // Made you reset: each of these updates is too large, and makes us reset its stream.
    let provoked = |stream| [asks(stream, "/stall"), error(WINDOW_UPDATE, stream, (1 << 31) - 1)].concat();
    is_a_flood(&node, "streams", &many(300, provoked));
}

#[test]
fn windows_cannot_be_made_to_overflow() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let most = (1 << 31) - 1;
    let mut client = Client::open(node.http(), b"");
    client.send(&error(WINDOW_UPDATE, 0, most));
    assert_eq!(client.last_word(), FLOW_CONTROL_ERROR);
    let mut client = Client::open(node.http(), b"");
    client.send(&[asks(1, "/stall"), error(WINDOW_UPDATE, 1, most)].concat());
    assert_eq!(client.verdict(1), Frame::Reset(1, FLOW_CONTROL_ERROR));
    client.send(&asks(3, "/"));
    assert_eq!(client.verdict(3), Frame::Answer(3, 200), "other streams go on");
    // More than the window of a body that nobody reads.
    let mut client = Client::open(node.http(), b"");
    let piece = frame(DATA, 0, 1, &[0; 16_384]);
    client.send(&[begins(1, "/stall"), piece.repeat(200)].concat());
    assert!(matches!(
        client.verdict(1),
        Frame::Reset(1, FLOW_CONTROL_ERROR) | Frame::GoAway(_) | Frame::Answer(1, 504)
    ));
}

/// A node with little patience for clients.
fn impatient(a: &Origin) -> Meridian {
    meridian(&format!(
        "[http]\nhead_timeout = \"300ms\"\nbody_timeout = \"300ms\"\nidle_timeout = \"600ms\"\n\
         [regions.here]\naddresses = [\"127.0.0.1\"]\n\
         [[pools.shop.origins]]\naddress = \"{}\"\n[[routes]]\npool = \"shop\"\nhost = \"shop.example\"\n",
        a.address
    ))
}

#[test]
fn streams_that_never_open_their_window_are_cut_off_in_time() {
    const STREAMS: u32 = 50;
    let a = origin("a");
    let node = impatient(&a);
    // SETTINGS_INITIAL_WINDOW_SIZE of 0.
    let mut client = Client::open(node.http(), &[0, 4, 0, 0, 0, 0]);
    client.send(&many(STREAMS, |stream| asks(stream, "/")));
    let (mut answered, mut reset) = (0, 0);
    while reset < STREAMS {
        match client.next() {
            Frame::Answer(_, 200) => answered += 1,
            Frame::Reset(..) => reset += 1,
            Frame::Other => {}
            other => panic!("{other:?} after {answered} heads and {reset} resets"),
        }
    }
    assert_eq!(answered, STREAMS, "heads need no window");
    let left = r#"meridian_http_requests_total{route="shop.example/",pool="shop",outcome="client-left"}"#;
    node.metric_becomes(left, i64::from(STREAMS));
    assert_eq!(client.last_word(), 0, "a connection without requests idles, and ends");
}

#[test]
fn who_stops_in_the_middle_is_told_and_let_go() {
    let a = origin("a");
    let node = impatient(&a);
    let mut client = Client::open(node.http(), b"");
    client.send(&[begins(1, "/echo"), frame(DATA, 0, 1, b"half")].concat());
    assert_eq!(client.verdict(1), Frame::Answer(1, 408), "the body stopped");
    // A head that never ends.
    let mut client = Client::open(node.http(), b"");
    client.send(&frame(HEADERS, 0, 1, &block(&fields("GET", "/"))));
    assert_eq!(client.last_word(), 0);
    // A preface and nothing more, or less than that.
    for beginning in ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nS", "PRI * HT"] {
        let mut stream = TcpStream::connect(node.http()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        stream.write_all(beginning.as_bytes()).unwrap();
        let ended = stream.read_to_end(&mut Vec::new());
        assert!(
            ended.is_ok() || ended.is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock),
            "{beginning}"
        );
    }
    eventually("all are closed", || {
        let count = |what: &str| node.metric(&format!("meridian_http_connections_{what}_total"));
        (count("opened") == count("closed")).then_some(())
    });
}

#[test]
fn fields_that_grow_when_they_are_read_are_refused() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let mut client = Client::open(node.http(), b"");
    // One field of 100 bytes that the table remembers, then 5,000 references to it, which is the 62nd.
    let remembered = [&[0x40, 1, b'x', 100][..], &[b'a'; 100]].concat();
    let bomb = [block(&fields("GET", "/smuggled")), remembered, vec![0xbe; 5000]].concat();
    client.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb));
    assert!(matches!(client.verdict(1), Frame::Answer(1, 431) | Frame::Reset(1, _) | Frame::GoAway(_)));
    assert_eq!(a.requests(), 0);
    assert_eq!(get(node.http(), "shop.example", "/").unwrap().text(), "a");
}

#[test]
fn more_streams_than_allowed_are_refused_and_the_others_go_on() {
    let a = origin("a");
    let node = one_pool(&[&a]);
    let mut client = Client::open(node.http(), b"");
    client.send(&many(140, |stream| begins(stream, "/echo")));
    // Ends them all, but for those that were refused.
    client.send(&many(128, |stream| frame(DATA, END_STREAM, stream, b"x")));
    let (mut answered, mut refused) = (0, 0);
    while answered + refused < 140 {
        match client.next() {
            Frame::Answer(_, 200) => answered += 1,
            Frame::Reset(_, 7) => refused += 1,
            Frame::Data(..) | Frame::Other => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((answered, refused), (128, 12));
}
