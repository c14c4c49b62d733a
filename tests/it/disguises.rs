//! Requests in disguise: names that one reader takes for another's, and what stands where nobody looks.

use std::sync::Arc;

use http::{HeaderMap, Method, Request, Uri, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::scene::{House, Io, Tongue, Whole, house, house_with, pairs, request, trailers, wait};

/// A request for a host that has no origin of its own.
fn to(host: &str, method: Method, target: &str) -> request::Builder {
    let uri = Uri::builder().scheme("http").authority(host).path_and_query(target).build().unwrap();
    Request::builder().method(method).uri(uri)
}

const SECURE: &str = r#"
[tls.hosts."*.secure.example".client_certificates]
mode = "required"
ca = "{ca}"
[[routes]]
pool = "h1"
host = "*.secure.example"
[[routes]]
pool = "h1"
path = "/any"
"#;

#[test]
fn a_host_spelled_otherwise_is_no_way_around_client_certificates() {
    let house = house_with(SECURE);
    let long = "a".repeat(64) + ".secure.example";
    let hosts = [
        (400, "_.secure.example"),
        (400, "_.secure.example."),
        (400, "_.Secure.Example:443"),
        (400, "a._.secure.example"),
        (400, "a..secure.example"),
        (400, ".secure.example"),
        (400, "x.secure.example.."),
        (400, &long),
        (421, "x.secure.example"),
        (421, "X.SECURE.example"),
        (421, "x.secure.example."),
        (421, "x.secure.example:8443"),
        (421, "_x.secure.example"),
        (421, "-x.secure.example"),
        (421, "a.b.secure.example"),
    ];
    let seen = &house.server(Tongue::H1).seen;
    for client in [Tongue::H1Tls, Tongue::H2Tls] {
        for (status, host) in hosts {
            let (head, whole) = wait((client, host), async {
                let mut elsewhere = house.open(client, Tongue::H1).await;
                elsewhere.get(to(host, Method::GET, "/any")).await
            });
            let told = String::from_utf8_lossy(&whole.bytes);
            assert_eq!(head.status.as_u16(), status, "{client:?} {host}: {told}");
        }
    }
    assert_eq!(seen.requests(), 0, "none of them reaches an origin");
}

const EDITED: &str = r#"
[[routes]]
pool = "h1"
host = "h1.edited.example"
request_headers = { set = { x-tenant = "blue" }, remove = ["x-debug"] }
response_headers = { set = { x-mood = "fine" }, remove = ["x-internal"] }
[[routes]]
pool = "h1tls"
host = "h1tls.edited.example"
request_headers = { set = { x-tenant = "blue" }, remove = ["x-debug"] }
response_headers = { set = { x-mood = "fine" }, remove = ["x-internal"] }
[[routes]]
pool = "h2"
host = "h2.edited.example"
request_headers = { set = { x-tenant = "blue" }, remove = ["x-debug"] }
response_headers = { set = { x-mood = "fine" }, remove = ["x-internal"] }
[[routes]]
pool = "h2tls"
host = "h2tls.edited.example"
request_headers = { set = { x-tenant = "blue" }, remove = ["x-debug"] }
response_headers = { set = { x-mood = "fine" }, remove = ["x-internal"] }
"#;

/// Names that a route changes, names that say who is asking, and names that frame; each in some spelling.
const FORGED: [(&str, &str); 16] = [
    ("x-tenant", "forged"),
    ("x_tenant", "forged"),
    ("x-debug", "forged"),
    ("x_debug", "forged"),
    ("x-forwarded-client-cert", "forged"),
    ("x_forwarded_client_cert", "forged"),
    ("x-forwarded-for", "forged"),
    ("x_forwarded_for", "forged"),
    ("x-forwarded-proto", "forged"),
    ("x-forwarded-port", "forged"),
    ("x-request-id", "forged"),
    ("x-real-ip", "forged"),
    ("x_real_ip", "forged"),
    ("forwarded", "for=forged"),
    ("transfer_encoding", "forged"),
    ("content_length", "forged"),
];

/// What comes back for a request whose body ends with these.
async fn answered(house: &House, client: Tongue, origin: Tongue, path: &str, ends: HeaderMap) -> Whole {
    let host = origin.host().replace("shop.test", "edited.example");
    let mut asker = house.open(client, origin).await;
    let (sink, awaited) = asker.ask(to(&host, Method::POST, path).body(()).unwrap(), false).await.unwrap();
    let mut sink = sink.unwrap();
    sink.data(b"body").await.unwrap();
    sink.end(ends).await.unwrap();
    let mut heard = awaited.heard().await.unwrap();
    heard.body.rest().await
}

#[test]
fn trailers_say_nothing_that_headers_may_not() {
    let house = house_with(EDITED);
    let mut ends = trailers(&FORGED);
    ends.extend(trailers(&[("x-sum", "7")]));
    for (client, origin) in pairs() {
        let whole = wait((client, origin), answered(&house, client, origin, "/tell", ends.clone()));
        let told = format!("{client:?} {origin:?}: {}", String::from_utf8(whole.bytes).unwrap());
        assert!(told.contains("bytes: 4\n") && told.contains("x-tenant: blue\n"), "{told}");
        assert!(told.contains("trailer x-sum: 7\n"), "{told}");
        assert!(!told.contains("forged"), "{told}");
    }
}

#[test]
fn trailers_of_answers_are_edited_as_headers_are() {
    let house = house_with(EDITED);
    let ends =
        trailers(&[("x-internal", "1"), ("x_internal", "1"), ("x-mood", "bad"), ("x_mood", "bad"), ("x-sum", "7")]);
    for (client, origin) in pairs() {
        let whole = wait((client, origin), answered(&house, client, origin, "/echo", ends.clone()));
        assert!(whole.is_complete, "{client:?} {origin:?}");
        assert_eq!(whole.trailers, trailers(&[("x-sum", "7")]), "{client:?} {origin:?}");
    }
}

#[test]
fn a_header_that_frames_in_another_spelling_reaches_no_origin() {
    let house = house();
    let spellings = [
        ("Transfer_Encoding", "chunked"),
        ("transfer_encoding", "chunked"),
        ("content_length", "5"),
        ("Content_Length", "5"),
        ("proxy_connection", "close"),
        ("keep_alive", "5"),
    ];
    for (client, origin) in pairs() {
        for (name, value) in spellings {
            let told = wait((client, origin, name), async {
                let asked = request(Method::GET, origin, "/tell").header(name, value).header("x_harmless", "1");
                let (_, whole) = house.open(client, origin).await.get(asked).await;
                String::from_utf8(whole.bytes).unwrap()
            });
            let told = format!("{client:?} {origin:?} {name}: {told}");
            assert!(told.contains("x_harmless: 1\n"), "{told}");
            assert!(!told.contains(&format!("\n{}: ", name.to_ascii_lowercase())), "{told}");
        }
    }
}

/// The preface of HTTP/2, and SETTINGS that change nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[test]
fn a_handshake_that_did_not_agree_on_http_2_is_followed_by_none() {
    let house = house();
    let agreed = house.tls(Tongue::H1Tls);
    let mut silent = (*agreed).clone();
    silent.alpn_protocols.clear();
    for tls in [agreed, Arc::new(silent)] {
        let all = wait("an end", async {
            let mut io = Io::open(house.node.https(), Some(tls), "h1.shop.test").await.unwrap();
            io.write_all(PREFACE).await.unwrap();
            io.flush().await.unwrap();
            let mut all = Vec::new();
            // However it ends: what counts is what was said before.
            _ = io.read_to_end(&mut all).await;
            all
        });
        let told = String::from_utf8_lossy(&all);
        assert!(told.starts_with("HTTP/1.1 505 "), "{told:?}");
    }
    house.nothing_stays_open();
}

#[test]
fn only_options_are_asked_of_a_whole_host() {
    let house = house();
    for (client, origin) in pairs() {
        let seen = &house.server(origin).seen;
        wait((client, origin), async {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
                let before = seen.requests();
                let (head, _) = house.open(client, origin).await.get(to(origin.host(), method.clone(), "*")).await;
                assert_eq!(head.status, 400, "{client:?} {origin:?} {method}");
                assert_eq!(seen.requests(), before, "{client:?} {origin:?} {method} is heard by an origin");
            }
            let (head, whole) = house.open(client, origin).await.get(to(origin.host(), Method::OPTIONS, "*")).await;
            let told = String::from_utf8(whole.bytes).unwrap();
            assert_eq!(head.status, 200, "{client:?} {origin:?}: {told}");
            assert!(told.starts_with("OPTIONS *\n"), "{client:?} {origin:?}: {told}");
        });
    }
}

#[test]
fn answers_of_our_own_say_when_they_were_made() {
    let house = house_with("[[routes]]\nhost = \"moved.example\"\nredirect = { host = \"shop.example\" }\n");
    for client in Tongue::ALL {
        for (status, host) in [(308, "moved.example"), (404, "nowhere.example"), (400, "a..b")] {
            let (head, _) = wait((client, host), async {
                house.open(client, Tongue::H1).await.get(to(host, Method::GET, "/")).await
            });
            assert_eq!(head.status.as_u16(), status, "{client:?} {host}");
            let date = head.headers.get("date").unwrap_or_else(|| panic!("{client:?} {host}: {:?}", head.headers));
            let date = date.to_str().unwrap();
            assert!(date.len() == 29 && date.ends_with(" GMT"), "{client:?} {host}: {date}");
        }
    }
}
