//! Every client with every origin: HTTP/1 and HTTP/2, in the clear and over TLS, through one running node.

use std::sync::Arc;

use http::{HeaderMap, Method};

use crate::scene::{Asker, Heard, House, Sink, Tongue, background, eventually, house, pairs, request, trailers, wait};

/// Does this for every pair, with a connection of its own each.
fn each<F: Future<Output = ()>>(house: &House, test: impl Fn(Asker, Tongue, Tongue) -> F) {
    for (client, origin) in pairs() {
        wait((client, origin), async {
            let asker = house.open(client, origin).await;
            test(asker, client, origin).await;
        });
    }
}

fn get(origin: Tongue, path: &str) -> http::request::Builder {
    request(Method::GET, origin, path)
}

fn post(origin: Tongue, path: &str) -> http::request::Builder {
    request(Method::POST, origin, path)
}

/// Bytes that nobody would make by accident.
fn noise(length: u32) -> Vec<u8> {
    (0..length).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

#[test]
fn a_get_and_a_head_are_answered() {
    let house = house();
    each(&house, async |mut asker, client, origin| {
        let (head, body) = asker.get(get(origin, "/")).await;
        assert_eq!((head.status.as_u16(), &body.bytes[..], body.is_complete), (200, &b"here"[..], true));
        assert_eq!(head.headers["content-length"], "4");
        let mut asker = house.open(client, origin).await;
        let (head, body) = asker.get(request(Method::HEAD, origin, "/")).await;
        assert_eq!((head.status.as_u16(), &body.bytes[..], body.is_complete), (200, &b""[..], true), "{client:?}");
        assert_eq!(head.headers["content-length"], "4", "{client:?} {origin:?}");
    });
    for origin in Tongue::ALL {
        assert_eq!(house.outcomes(origin, "answered"), 8, "{origin:?}");
    }
    house.nothing_stays_open();
}

#[test]
fn an_origin_learns_who_asks_and_how() {
    let house = house();
    each(&house, async |mut asker, client, origin| {
        let (_, body) = asker.get(get(origin, "/tell?a=b")).await;
        let told = String::from_utf8(body.bytes).unwrap();
        let scheme = if client.is_tls() { "https" } else { "http" };
        let host = if origin.is_h2() { ":authority" } else { "host" };
        for expected in [
            "GET /tell?a=b\n".to_owned(),
            format!("{host}: {}\n", origin.host()),
            format!("x-forwarded-proto: {scheme}\n"),
            "x-forwarded-for: 127.0.0.1\n".to_owned(),
            format!("x-forwarded-host: {}\n", origin.host()),
        ] {
            assert!(told.contains(&expected), "{client:?} {origin:?}: `{expected}` in {told}");
        }
        assert!(!told.contains("transfer-encoding"), "{told}");
    });
}

#[test]
fn answers_without_a_body_stay_so() {
    let house = house();
    for (path, status) in [("/204", 204), ("/304", 304)] {
        each(&house, async |mut asker, client, origin| {
            let (head, body) = asker.get(get(origin, path)).await;
            assert_eq!((head.status.as_u16(), body.bytes.len(), body.is_complete), (status, 0, true));
            assert!(!head.headers.contains_key("content-length"), "{client:?} {origin:?} {:?}", head.headers);
            assert!(!head.headers.contains_key("transfer-encoding"));
        });
    }
}

#[test]
fn a_body_passes_with_its_length_and_without() {
    let house = house();
    let body = noise(300_000);
    each(&house, async |mut asker, client, origin| {
        let (head, whole) = asker.post(post(origin, "/echo"), &body).await;
        assert!(whole.bytes == body && whole.is_complete, "{client:?} {origin:?}");
        assert_eq!(head.headers["content-length"], "300000");
        let mut asker = house.open(client, origin).await;
        let (sink, awaited) = asker.ask(post(origin, "/echo").body(()).unwrap(), false).await.unwrap();
        let mut sink = sink.unwrap();
        let sent = body.clone();
        let sending = background().spawn(async move {
            for piece in sent.chunks(7777) {
                sink.data(piece).await.unwrap();
            }
            sink.end(trailers(&[("x-sum", "7"), ("content-length", "9")])).await.unwrap();
            sink
        });
        let mut heard = awaited.heard().await.unwrap();
        let whole = heard.body.rest().await;
        assert!(whole.bytes == body && whole.is_complete, "{client:?} {origin:?}: {} bytes", whole.bytes.len());
        assert_eq!(whole.trailers, trailers(&[("x-sum", "7")]), "{client:?} {origin:?}");
        drop(sending.await);
    });
}

#[test]
fn an_empty_body_passes_however_it_is_framed() {
    let house = house();
    each(&house, async |mut asker, client, origin| {
        let (_, whole) = asker.post(post(origin, "/tell"), b"").await;
        let told = String::from_utf8(whole.bytes).unwrap();
        assert!(told.contains("bytes: 0\n") && told.contains("content-length: 0\n"), "{client:?} {origin:?}: {told}");
        let mut asker = house.open(client, origin).await;
        let (sink, awaited) = asker.ask(post(origin, "/tell").body(()).unwrap(), false).await.unwrap();
        let mut sink = sink.unwrap();
        sink.end(HeaderMap::new()).await.unwrap();
        let mut heard = awaited.heard().await.unwrap();
        let told = String::from_utf8(heard.body.rest().await.bytes).unwrap();
        assert!(told.contains("bytes: 0\n"), "{client:?} {origin:?}: {told}");
    });
}

#[test]
fn early_hints_come_before_their_answer() {
    let house = house();
    each(&house, async |mut asker, client, origin| {
        let (_sink, awaited) = asker.ask(get(origin, "/hints").body(()).unwrap(), true).await.unwrap();
        let Heard { interim, mut body, .. } = awaited.heard().await.unwrap();
        assert_eq!(interim.len(), 1, "{client:?} {origin:?}");
        assert_eq!((interim[0].status.as_u16(), &interim[0].headers["link"]), (103, &"</a.css>".parse().unwrap()));
        assert_eq!(body.rest().await.bytes, b"hinted");
    });
}

#[test]
fn events_pass_one_by_one() {
    let house = house();
    each(&house, async |mut asker, _, origin| {
        let (_sink, awaited) = asker.ask(get(origin, "/events").body(()).unwrap(), true).await.unwrap();
        let mut heard = awaited.heard().await.unwrap();
        // The second is not sent before the first was read.
        assert_eq!(heard.body.until("data: 1\n\n").await, "data: 1\n\n");
        house.server(origin).seen.let_on();
        assert_eq!(heard.body.until("data: 2\n\n").await, "data: 2\n\n");
        assert!(heard.body.rest().await.is_complete);
    });
}

#[test]
fn cookies_that_came_apart_reach_an_origin_as_one() {
    let house = house();
    each(&house, async |mut asker, client, origin| {
        if client.is_h2() {
            let apart = get(origin, "/tell").header("cookie", "a=1").header("cookie", "b=2");
            let (_, whole) = asker.get(apart).await;
            let told = String::from_utf8(whole.bytes).unwrap();
            assert!(told.contains("cookie: a=1; b=2\n"), "{client:?} {origin:?}: {told}");
        }
    });
}

#[test]
fn who_waits_to_continue_hears_the_origin() {
    let house = house();
    each(&house, async |mut asker, client, origin| {
        let patient = post(origin, "/continue").header("expect", "100-continue").header("content-length", 5);
        let (sink, mut awaited) = asker.ask(patient.body(()).unwrap(), false).await.unwrap();
        assert_eq!(awaited.interim().await.unwrap(), 100, "{client:?} {origin:?}");
        let mut sink = sink.unwrap();
        sink.data(b"hello").await.unwrap();
        sink.end(HeaderMap::new()).await.unwrap();
        let mut heard = awaited.heard().await.unwrap();
        assert_eq!(heard.body.rest().await.bytes, b"hello");
    });
}

#[test]
fn an_answer_before_the_end_of_its_request_arrives_whole() {
    let house = house();
    each(&house, async |mut asker, client, origin| {
        let large = post(origin, "/early").header("content-length", 10_000_000);
        let (sink, awaited) = asker.ask(large.body(()).unwrap(), false).await.unwrap();
        let mut sink = sink.unwrap();
        sink.data(b"the beginning").await.unwrap();
        let mut heard = awaited.heard().await.unwrap();
        assert_eq!(heard.head.status, 413, "{client:?} {origin:?}");
        let whole = heard.body.rest().await;
        assert_eq!((&whole.bytes[..], whole.is_complete), (&b"no"[..], true), "{client:?} {origin:?}");
    });
}

#[test]
fn bodies_move_both_ways_at_once_as_fast_as_they_are_read() {
    const BYTES: usize = 8 * 1024 * 1024;
    let house = house();
    each(&house, async |mut asker, client, origin| {
        let (sink, awaited) = asker.ask(post(origin, "/echo").body(()).unwrap(), false).await.unwrap();
        let mut sink = sink.unwrap();
        let sending = background().spawn(async move {
            for _ in 0..BYTES / 65_536 {
                sink.data(&vec![b'e'; 65_536]).await.unwrap();
            }
            sink.end(HeaderMap::new()).await.unwrap();
            sink
        });
        let mut heard = awaited.heard().await.unwrap();
        let whole = heard.body.rest().await;
        assert!(whole.is_complete && whole.bytes.len() == BYTES, "{client:?} {origin:?}: {}", whole.bytes.len());
        drop(sending.await);
    });
}

/// What a node may hold for those who do not read. How much the kernel holds for it is the kernel's business, and not bounded by less than
/// the bodies here are long.
const HELD: usize = 24 * 1024 * 1024;

#[test]
fn an_answer_that_nobody_reads_fills_no_memory() {
    let house = house();
    let empty = house.node.resident();
    for (client, origin) in pairs() {
        let seen = &house.server(origin).seen;
        let before = seen.moved();
        let mut heard = wait((client, origin), async {
            let mut asker = house.open(client, origin).await;
            let (_sink, awaited) = asker.ask(get(origin, "/flow").body(()).unwrap(), true).await.unwrap();
            (awaited.heard().await.unwrap(), asker)
        });
        settled(|| seen.moved() - before);
        let held = house.node.resident().saturating_sub(empty);
        assert!(held <= HELD, "{client:?} {origin:?}: {held} bytes are held, and nobody reads one");
        let whole = wait((client, origin), heard.0.body.rest());
        assert!(whole.is_complete && whole.bytes.len() == 32 * 1024 * 1024, "{client:?} {origin:?}");
    }
}

#[test]
fn a_body_that_nobody_reads_fills_no_memory() {
    const BYTES: usize = 32 * 1024 * 1024;
    let house = house();
    let empty = house.node.resident();
    for (client, origin) in pairs() {
        let sent = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let (awaited, sending, _asker) = wait((client, origin), async {
            let mut asker = house.open(client, origin).await;
            let (sink, awaited) = asker.ask(post(origin, "/deaf").body(()).unwrap(), false).await.unwrap();
            let mut sink = sink.unwrap();
            let sending = background().spawn(async move {
                for _ in 0..BYTES / 65_536 {
                    sink.data(&vec![b'd'; 65_536]).await.unwrap();
                    count.fetch_add(65_536, std::sync::atomic::Ordering::SeqCst);
                }
                sink.end(HeaderMap::new()).await.unwrap();
                sink
            });
            (awaited, sending, asker)
        });
        settled(|| sent.load(std::sync::atomic::Ordering::SeqCst));
        let held = house.node.resident().saturating_sub(empty);
        assert!(held <= HELD, "{client:?} {origin:?}: {held} bytes are held, and nobody reads one");
        house.server(origin).seen.let_on();
        let whole = wait((client, origin), async { awaited.heard().await.unwrap().body.rest().await });
        assert_eq!(String::from_utf8(whole.bytes).unwrap(), BYTES.to_string(), "{client:?} {origin:?}");
        drop(wait("the rest was sent", sending));
    }
}

/// A number that has begun to grow and grows no more.
pub(crate) fn settled(number: impl Fn() -> usize) -> usize {
    eventually("it comes to rest", || {
        let before = number();
        std::thread::park_timeout(std::time::Duration::from_millis(150));
        (before > 0 && number() == before).then_some(before)
    })
}

#[test]
fn a_client_that_gives_up_frees_its_origin() {
    let house = house();
    for (client, origin) in pairs() {
        let seen = &house.server(origin).seen;
        let before = seen.broken_off();
        wait((client, origin), async {
            let mut asker = house.open(client, origin).await;
            let (sink, awaited) = asker.ask(post(origin, "/hold").body(()).unwrap(), false).await.unwrap();
            let mut sink: Sink = sink.unwrap();
            let mut heard = awaited.heard().await.unwrap();
            heard.body.until("held").await;
            sink.reset(h2::Reason::CANCEL);
        });
        eventually("the origin is told", || (seen.broken_off() > before).then_some(()));
    }
    for origin in Tongue::ALL {
        eventually("counted", || (house.outcomes(origin, "client-left") == 4).then_some(()));
    }
    house.nothing_stays_open();
}

#[test]
fn a_request_that_breaks_off_is_not_taken_for_a_whole_one() {
    let house = house();
    for (client, origin) in pairs() {
        let seen = &house.server(origin).seen;
        let (before, asked) = (seen.broken_off(), seen.requests());
        wait((client, origin), async {
            let mut asker = house.open(client, origin).await;
            let (sink, _awaited) = asker.ask(post(origin, "/tell").body(()).unwrap(), false).await.unwrap();
            let mut sink = sink.unwrap();
            sink.data(b"half of").await.unwrap();
            while seen.requests() == asked {
                tokio::task::yield_now().await;
            }
            sink.reset(h2::Reason::CANCEL);
        });
        eventually("the origin learns that it is incomplete", || (seen.broken_off() > before).then_some(()));
    }
}

#[test]
fn grpc_passes_between_those_who_speak_it() {
    let house = house();
    each(&house, async |mut asker, client, origin| {
        let call = |path| post(origin, path).header("content-type", "application/grpc").header("te", "trailers");
        // One message each way.
        let (sink, awaited) = asker.ask(call("/unary").body(()).unwrap(), false).await.unwrap();
        let mut sink = sink.unwrap();
        sink.data(b"\0\0\0\0\x02hi").await.unwrap();
        sink.end(HeaderMap::new()).await.unwrap();
        let mut heard = awaited.heard().await.unwrap();
        let whole = heard.body.rest().await;
        assert_eq!(whole.bytes, b"\0\0\0\0\x02hi");
        assert_eq!(whole.trailers["grpc-status"], "0", "{client:?} {origin:?}");
        assert_eq!(whole.trailers["grpc-message"], "fine");
        // Messages back and forth before either side is done.
        let mut asker = house.open(client, origin).await;
        let (sink, awaited) = asker.ask(call("/echo").body(()).unwrap(), false).await.unwrap();
        let mut sink = sink.unwrap();
        let mut heard = awaited.heard().await.unwrap();
        for message in ["one", "two", "three"] {
            sink.data(message.as_bytes()).await.unwrap();
            assert_eq!(heard.body.until(message).await, message);
        }
        sink.end(trailers(&[("grpc-status", "0")])).await.unwrap();
        let whole = heard.body.rest().await;
        assert!(whole.is_complete && whole.trailers["grpc-status"] == "0", "{client:?} {origin:?}");
        // No message at all.
        let mut asker = house.open(client, origin).await;
        let (head, whole) = asker.get(call("/trailers-only")).await;
        assert_eq!((&head.headers["grpc-status"], whole.bytes.len()), (&"12".parse().unwrap(), 0));
    });
}

#[test]
fn a_client_that_gives_up_while_nobody_reads_its_body_frees_its_origin() {
    let house = house();
    for (client, origin) in pairs().filter(|(client, _)| client.is_h2()) {
        let seen = &house.server(origin).seen;
        let sent = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let asked = seen.requests();
        let (sending, _rest) = wait((client, origin), async {
            let mut asker = house.open(client, origin).await;
            let (sink, awaited) = asker.ask(post(origin, "/deaf").body(()).unwrap(), false).await.unwrap();
            let mut sink = sink.unwrap();
            let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
            background().spawn(async move {
                let piece = vec![b'd'; 65_536];
                loop {
                    tokio::select! {
                        taken = sink.data(&piece) => if taken.is_err() { return },
                        _ = &mut stopped => return sink.reset(h2::Reason::CANCEL),
                    }
                    count.fetch_add(65_536, std::sync::atomic::Ordering::SeqCst);
                }
            });
            (stop, (awaited, asker))
        });
        eventually("the origin is asked", || (seen.requests() > asked).then_some(()));
        settled(|| sent.load(std::sync::atomic::Ordering::SeqCst));
        let before = house.outcomes(origin, "client-left");
        sending.send(()).unwrap();
        // Much sooner than the origin's time for its answer is over.
        wait("it is noticed", async {
            while house.outcomes(origin, "client-left") == before {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        });
        seen.let_on();
    }
}

#[test]
fn a_stream_that_rests_keeps_no_window_from_others() {
    let house = house();
    for origin in [Tongue::H2, Tongue::H2Tls] {
        wait(origin, async {
            // To the client: an event stream, and an answer beside it.
            let mut asker = house.open(Tongue::H2, origin).await;
            let (_sink, awaited) = asker.ask(get(origin, "/events").body(()).unwrap(), true).await.unwrap();
            let mut events = awaited.heard().await.unwrap();
            events.body.until("data: 1\n\n").await;
            let (_, whole) = asker.get(get(origin, "/")).await;
            assert_eq!(whole.bytes, b"here");
            // To the origin: a body that pauses, and one beside it.
            let (sink, awaited) = asker.ask(post(origin, "/echo").body(()).unwrap(), false).await.unwrap();
            let mut pausing = (sink.unwrap(), awaited);
            pausing.0.data(b"so far").await.unwrap();
            let mut heard = pausing.1.heard().await.unwrap();
            heard.body.until("so far").await;
            let (_, whole) = asker.post(post(origin, "/echo"), &noise(200_000)).await;
            assert!(whole.bytes == noise(200_000));
            house.server(origin).seen.let_on();
        });
    }
}
