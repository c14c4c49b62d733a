//! Origins that break off, anywhere and in any way: the client always learns that its answer is incomplete, and every count is right afterwards.

use std::io;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::scene::{Asker, House, Io, Tongue, eventually, house, pairs, request, wait};

/// Sends it, and hears the head, if one comes.
async fn ask(asker: &mut Asker, origin: Tongue, path: &str) -> Option<crate::scene::Heard> {
    let request = request(Method::POST, origin, path).header("content-length", 0).body(()).unwrap();
    let (_, awaited) = asker.ask(request, true).await.unwrap();
    awaited.heard().await.ok()
}

/// Places and manners that an origin of this tongue can break off in.
fn cuts(origin: Tongue) -> impl Iterator<Item = (&'static str, &'static str)> {
    let (places, manners): (&[_], &[_]) = if origin.is_h2() {
        (&["before", "length", "chunks"], &["close", "half-close", "reset", "stream"])
    } else {
        (&["before", "head", "length", "chunk", "chunks"], &["close", "half-close", "reset"])
    };
    places.iter().flat_map(move |place| manners.iter().map(move |manner| (*place, *manner)))
}

/// Only what is kept for further requests may be open: one connection of each worker at most, which lost a stream and nothing else.
fn origins_are_closed(house: &House, origin: Tongue) {
    let pool = origin.host().trim_end_matches(".shop.test");
    let workers = std::thread::available_parallelism().map_or(1, |cores| i64::try_from(cores.get()).unwrap());
    let count = |what: &str| house.node.metric(&format!("meridian_origin_connections_{what}_total{{pool=\"{pool}\"}}"));
    eventually("the broken connections are counted as closed", || {
        let open = count("opened") - count("closed");
        assert!(open >= 0, "more were closed than opened");
        (open <= workers).then_some(())
    });
}

#[test]
fn an_answer_that_breaks_off_is_never_taken_for_a_whole_one() {
    let house = house();
    let mut asked = [0; 4];
    for (client, origin) in pairs() {
        for (place, manner) in cuts(origin) {
            let path = format!("/cut/{place}/{manner}");
            asked[Tongue::ALL.iter().position(|known| *known == origin).unwrap()] += 1;
            wait((client, origin, &path), async {
                let mut asker = house.open(client, origin).await;
                let mut heard = ask(&mut asker, origin, &path).await.unwrap();
                if matches!(place, "before" | "head") {
                    assert_eq!(heard.head.status, 502, "{client:?} {origin:?} {path}");
                    let whole = heard.body.rest().await;
                    assert!(whole.is_complete && String::from_utf8(whole.bytes).unwrap().contains("bad-response"));
                    return;
                }
                assert_eq!(heard.head.status, 200, "{client:?} {origin:?} {path}");
                heard.body.until("only").await;
                house.server(origin).seen.let_on();
                assert!(!heard.body.rest().await.is_complete, "{client:?} {origin:?} {path} seemed whole");
            });
        }
    }
    for (origin, asked) in Tongue::ALL.into_iter().zip(asked) {
        let refused = house.outcomes(origin, "bad-response");
        let truncated = house.outcomes(origin, "origin-truncated");
        assert_eq!(refused + truncated, asked, "{origin:?}: {refused} refused, {truncated} truncated");
        origins_are_closed(&house, origin);
    }
    house.nothing_stays_open();
}

#[test]
fn a_stream_that_breaks_off_takes_no_other_with_it() {
    let house = house();
    for origin in [Tongue::H2, Tongue::H2Tls] {
        wait(origin, async {
            let mut asker = house.open(Tongue::H2, origin).await;
            let (_sink, awaited) =
                asker.ask(request(Method::GET, origin, "/events").body(()).unwrap(), true).await.unwrap();
            let mut other = awaited.heard().await.unwrap();
            other.body.until("data: 1\n\n").await;
            let mut heard = ask(&mut asker, origin, "/cut/chunks/stream").await.unwrap();
            heard.body.until("only").await;
            // Which of both is let on first does not matter.
            house.server(origin).seen.let_on();
            house.server(origin).seen.let_on();
            assert!(!heard.body.rest().await.is_complete);
            assert_eq!(other.body.until("data: 2\n\n").await, "data: 2\n\n");
            assert!(other.body.rest().await.is_complete);
        });
    }
}

/// Everything that a client of HTTP/1.0 gets, and how it ends.
async fn old_client(house: &House, client: Tongue, origin: Tongue, path: &str) -> (String, io::Result<usize>) {
    let (address, tls) = house.door(client);
    let mut io = Io::open(address, tls, origin.host()).await.unwrap();
    io.write_all(format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", origin.host()).as_bytes()).await.unwrap();
    io.flush().await.unwrap();
    let mut all = Vec::new();
    while !String::from_utf8_lossy(&all).contains("only") && !String::from_utf8_lossy(&all).contains("data: 1") {
        if io.read_buf(&mut all).await.unwrap() == 0 {
            break;
        }
    }
    house.server(origin).seen.let_on();
    let ended = io.read_to_end(&mut all).await;
    (String::from_utf8(all).unwrap(), ended)
}

#[test]
fn where_only_the_end_of_a_connection_says_so_it_says_the_truth() {
    let house = house();
    for client in [Tongue::H1, Tongue::H1Tls] {
        for origin in Tongue::ALL {
            wait((client, origin), async {
                let (all, ended) = old_client(&house, client, origin, "/events").await;
                assert!(all.ends_with("\r\n\r\ndata: 1\n\ndata: 2\n\n"), "{client:?} {origin:?}: {all}");
                assert!(ended.is_ok(), "{client:?} {origin:?}: a whole answer ended with {ended:?}");
                let (all, ended) = old_client(&house, client, origin, "/cut/chunks/close").await;
                assert!(all.contains("only"), "{client:?} {origin:?}: {all}");
                assert!(ended.is_err(), "{client:?} {origin:?}: half an answer ended as if it were whole");
            });
        }
    }
}
