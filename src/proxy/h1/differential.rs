//! The same bytes through this codec and through hyper's: what is accepted here means the same there, and what only hyper accepts is known.

#[path = "../../../tests/http/corpus.rs"]
mod corpus;

use std::{cell::RefCell, collections::BTreeMap, convert::Infallible, mem::MaybeUninit, rc::Rc};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;

use super::{
    Chunked, EMPTY_HEADER, Length, MOST_TRAILERS, Malformed, RequestHead, Room, Scan, read_trailers, request_length,
};
use crate::{
    clock::{self, Random},
    proxy::{Refusal, headers::Hop, target::Target},
};

/// A request as somebody read it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Read {
    method: String,
    target: String,
    /// Names in lower case, in the order of names; those of one name as they came.
    headers: BTreeMap<String, Vec<Vec<u8>>>,
    body: Vec<u8>,
}

impl Read {
    fn new<'a>(method: &str, target: &str, headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        for (name, value) in headers {
            all.entry(name.to_ascii_lowercase()).or_default().push(value.to_vec());
        }
        Self { method: method.into(), target: target.into(), headers: all, body: Vec::new() }
    }
}

/// What became of bytes here.
#[derive(Debug)]
enum Here {
    Accepted(Read),
    Refused(Refusal),
    /// More would have to come.
    Incomplete,
}

/// Reads as the proxy does, in stretches of any length.
fn here(bytes: &[u8], random: &mut Random) -> Here {
    match read_here(bytes, random) {
        Ok(Some(read)) => Here::Accepted(read),
        Ok(None) => Here::Incomplete,
        Err(refusal) => Here::Refused(refusal),
    }
}

fn read_here(bytes: &[u8], random: &mut Random) -> Result<Option<Read>, Refusal> {
    let (mut scan, mut seen) = (Scan::default(), 0);
    let head = loop {
        if let Some(head) = scan.head(&bytes[..seen])? {
            break head;
        }
        if seen == bytes.len() {
            return Ok(None);
        }
        seen += random.usize(1..=bytes.len() - seen);
    };
    let rest = &bytes[head.end..];
    let mut room: Room<'_> = [const { MaybeUninit::uninit() }; _];
    let head = RequestHead::parse(&bytes[head], &mut room)?;
    Hop::read(head.headers)?;
    let length = request_length(&head)?;
    if head.method == "CONNECT" {
        return Err(Refusal::NoTunnels);
    }
    Target::read(&head, None)?;
    let headers = head.headers.iter().map(|header| (header.name, header.value));
    // Hyper shows targets with what it thinks is missing: a slash behind a host.
    let target = head.target.parse::<http::Uri>().map_or_else(|_| head.target.to_owned(), |uri| uri.to_string());
    let read = Read::new(head.method, &target, headers);
    let body = match length {
        Length::None => Some(Vec::new()),
        Length::Exact(length) => usize::try_from(length).ok().and_then(|length| rest.get(..length)).map(<[u8]>::to_vec),
        Length::Chunked => unchunked(rest, random)?,
        Length::UntilClose => unreachable!("no request ends with its connection"),
    };
    Ok(body.map(|body| Read { body, ..read }))
}

fn unchunked(bytes: &[u8], random: &mut Random) -> Result<Option<Vec<u8>>, Malformed> {
    let (mut chunked, mut data, mut at) = (Chunked::new(), Vec::new(), 0);
    while at < bytes.len() && !chunked.is_done() {
        let end = at + random.usize(1..=bytes.len() - at);
        while at < end && !chunked.is_done() {
            let piece = chunked.read(&bytes[at..end])?;
            data.extend_from_slice(&bytes[at..end][piece.data]);
            at += piece.used;
        }
    }
    if !chunked.trailers().is_empty() {
        read_trailers(chunked.trailers(), &mut [EMPTY_HEADER; MOST_TRAILERS])?;
    }
    Ok(chunked.is_done().then_some(data))
}

/// What hyper reads as the first request; nothing where it refuses or waits for more.
async fn there(bytes: &[u8], random: &mut Random) -> Option<Read> {
    let (mut ours, theirs) = tokio::io::duplex(1 << 20);
    let first = Rc::<RefCell<Option<Option<Read>>>>::default();
    let seen = Rc::clone(&first);
    let service = service_fn(move |request: Request<Incoming>| {
        let seen = Rc::clone(&seen);
        async move {
            let (head, body) = request.into_parts();
            let headers = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let read = Read::new(head.method.as_str(), &head.uri.to_string(), headers);
            let whole = body.collect().await.ok().map(|whole| Read { body: whole.to_bytes().into(), ..read });
            seen.borrow_mut().get_or_insert(whole);
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let serving =
        http1::Builder::new().half_close(true).max_headers(256).serve_connection(TokioIo::new(theirs), service);
    let sending = async {
        let mut at = 0;
        while at < bytes.len() {
            let end = at + random.usize(1..=bytes.len() - at);
            if ours.write_all(&bytes[at..end]).await.is_err() {
                break;
            }
            at = end;
            tokio::task::yield_now().await;
        }
        _ = ours.shutdown().await;
        // What it answers is of no interest, but has to go somewhere.
        let mut answers = Vec::new();
        _ = tokio::io::AsyncReadExt::read_to_end(&mut ours, &mut answers).await;
    };
    _ = tokio::join!(serving, sending);
    first.take().flatten()
}

/// A request that everybody should understand.
fn valid(random: &mut Random) -> Vec<u8> {
    const NAMES: [&str; 8] = ["X-A", "accept", "Cookie", "x_b", "User-Agent", "Via", "X-A", "If-None-Match"];
    const VALUES: [&str; 8] = ["1", "a, b", "\"q\"", "", "a=b; c=d", "x\ty", "caf\u{e9}", "*/*;q=0.1"];
    const TARGETS: [&str; 6] = ["/", "/a/b?c=d", "/%2e%2F?x=%00", "/a;b=c//d", "http://shop.example/x", "/*?"];
    let pick = |random: &mut Random, from: &[&str]| from[random.usize(..from.len())].to_owned();
    let method = pick(random, &["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "BREW"]);
    let version = if random.usize(..8) == 0 { "1.0" } else { "1.1" };
    let mut head = format!("{method} {} HTTP/{version}\r\nHost: shop.example\r\n", pick(random, &TARGETS));
    for _ in 0..random.usize(..5) {
        head +=
            &format!("{}:{}{}\r\n", pick(random, &NAMES), pick(random, &["", " ", "\t ", "  "]), pick(random, &VALUES));
    }
    let data: Vec<u8> = (0..random.usize(..60)).map(|_| random.u8(..)).collect();
    match random.usize(..3) {
        0 => (head + "\r\n").into_bytes(),
        1 => [format!("{head}Content-Length: {}\r\n\r\n", data.len()).as_bytes(), &data].concat(),
        _ => {
            let mut bytes = (head + "Transfer-Encoding: chunked\r\n\r\n").into_bytes();
            for chunk in data.chunks(random.usize(1..30)) {
                let extension = pick(random, &["", "", ";a", ";a=b", ";a=\"b c\""]);
                bytes.extend(format!("{:x}{extension}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(pick(random, &["0\r\n\r\n", "00\r\n\r\n", "0\r\nX-Sum: 7\r\n\r\n"]).bytes());
            bytes
        }
    }
}

/// Changes a few places.
fn mutated(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    const PIECES: [&str; 22] = [
        "\r",
        "\n",
        "\r\n",
        "\0",
        " ",
        "\t",
        ":",
        ",",
        ";",
        "0",
        "1",
        "f",
        "A",
        "\u{e9}",
        "\x7f",
        "\r\n ",
        "chunked",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Host: b\r\n",
        "HTTP/1.1",
        "\"",
    ];
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=bytes.len());
        let end = (at + random.usize(..4)).min(bytes.len());
        let piece = PIECES[random.usize(..PIECES.len())].as_bytes();
        match random.usize(..4) {
            0 => drop(bytes.splice(at..at, piece.iter().copied())),
            1 => drop(bytes.splice(at..end, piece.iter().copied())),
            2 => drop(bytes.drain(at..end)),
            // A line that stands there twice.
            _ => {
                let begin = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |more| at + more + 1);
                let line = bytes[begin..end].to_vec();
                drop(bytes.splice(begin..begin, line));
            }
        }
    }
    bytes
}

/// Why hyper may take what is refused here: each of these is a reader that is known to read otherwise.
fn is_stricter(refusal: Refusal, bytes: &[u8], there: &Read) -> bool {
    let has = |name: &str| there.headers.get(name).map_or(0, Vec::len);
    let first = bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    match refusal {
        Refusal::Malformed => {
            // LF alone ends a line there, and a line of LF or of CR may come first.
            let is_lf_alone = |at: usize| bytes[at] == b'\n' && (at == 0 || bytes[at - 1] != b'\r');
            // Bytes above ASCII stand in targets, and so does a fragment.
            let is_odd_target = first.iter().any(|byte| *byte >= 0x7f || *byte == b'#');
            (0..bytes.len()).any(is_lf_alone) || is_odd_target || has("connection") > 0
        }
        // The same length twice, a length beside chunks, codings before chunks, and zeros before a length.
        Refusal::AmbiguousLength => has("content-length") + has("transfer-encoding") > 0,
        // Space around sizes is taken there; trailers are not looked at alike.
        Refusal::BadBody => has("transfer-encoding") > 0,
        Refusal::HeadTooLarge => has("connection") > 0,
        // Which host is meant, and whether a target is one, is left to others there.
        Refusal::BadHost | Refusal::BadTarget | Refusal::NoTunnels => true,
        _ => false,
    }
}

async fn compare(bytes: &[u8], random: &mut Random, counts: &mut [usize; 4]) {
    let (here, there) = (here(bytes, random), there(bytes, random).await);
    let shown = || String::from_utf8_lossy(bytes).escape_debug().to_string();
    match (here, there) {
        (Here::Accepted(here), Some(there)) => {
            counts[0] += 1;
            assert_eq!(here, there, "{}", shown());
        }
        // Quotes and the like in a target, which browsers send; one that hyper cannot read cannot be sent over HTTP/2 either.
        (Here::Accepted(here), None) => {
            assert!(here.target.parse::<http::Uri>().is_err(), "hyper does not read {}, which is {here:?}", shown());
        }
        (Here::Refused(refusal), Some(there)) => {
            counts[1] += 1;
            assert!(is_stricter(refusal, bytes, &there), "{refusal:?} for {}, which is {there:?}", shown());
        }
        (Here::Incomplete, Some(there)) => panic!("more was awaited behind {}, which is {there:?}", shown()),
        (Here::Refused(_), None) => counts[2] += 1,
        (Here::Incomplete, None) => counts[3] += 1,
    }
}

#[test]
fn what_is_accepted_here_means_the_same_to_hyper() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut random, mut counts) = (clock::seeded(17), [0; 4]);
    let hostile = corpus::corpus();
    runtime.block_on(async {
        for round in 0..5_000 {
            let bytes = valid(&mut random);
            compare(&bytes, &mut random, &mut counts).await;
            let bytes = mutated(bytes, &mut random);
            compare(&bytes, &mut random, &mut counts).await;
            let corpus::Hostile { bytes, .. } = &hostile[round % hostile.len()];
            if bytes.len() < 2000 {
                let bytes = mutated(bytes.clone(), &mut random);
                compare(&bytes, &mut random, &mut counts).await;
            }
        }
    });
    let [both, only_there, neither, awaited] = counts;
    assert!(both > 5_000 && only_there > 100 && neither > 500 && awaited > 100, "{counts:?}");
}

#[test]
fn what_is_hostile_is_accepted_by_nobody_or_known_to_be_stricter() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut random = clock::seeded(18);
    for corpus::Hostile { what, bytes, status } in corpus::corpus() {
        // Limits of size and number are the config's.
        if status != 431 {
            let here = here(&bytes, &mut random);
            assert!(!matches!(here, Here::Accepted(_)), "{what}");
        }
        if bytes.len() < 2000 {
            runtime.block_on(compare(&bytes, &mut random, &mut [0; 4]));
        }
    }
}
