//! DNS over HTTPS by a route of the proxy (RFC 8484), in every tongue.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use data_encoding::BASE64URL_NOPAD;
use hickory_proto::{
    op::{Message, ResponseCode},
    rr::RData,
};
use http::{HeaderMap, Method, header, request, response};
use rustls::ClientConfig;

use crate::scene::{
    Asker, Connection, Io, Meridian, Tongue, Whole,
    certificates::{Authority, authority},
    eventually, meridian, request, wait,
};

const MESSAGE: &str = "application/dns-message";

/// A node that answers DNS at `/dns-query`, and who its clients trust.
struct House {
    node: Meridian,
    authority: Authority,
}

fn config(more: &str, address: &str, authority: &Authority) -> String {
    let shown = authority.issue(&["*.shop.test"]);
    let many: String = (0..100).map(|at| format!("\"192.0.2.{at}\", ")).collect();
    format!(
        "{more}\n[regions.here]\naddresses = [\"127.0.0.1\"]\n[[tls.certificates]]\nchain = \"{}\"\nkey = \"{}\"\n\
         [[routes]]\nname = \"dns\"\npath_exact = \"/dns-query\"\ndns = true\n\
         response_headers = {{ set = {{ x-from = \"{{client}}\" }}, remove = [\"x-gone\"] }}\n\
         [zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\nttl = \"1h\"\nnegative_ttl = \"30s\"\n\
         [zones.\"shop.example\".records.www]\nttl = \"5m\"\nA = [\"{address}\"]\n\
         [zones.\"shop.example\".records.short]\nttl = \"20s\"\nCNAME = \"www.shop.example\"\n\
         [zones.\"shop.example\".records.long]\nttl = \"2h\"\nCNAME = \"none.shop.example\"\n\
         [zones.\"shop.example\".records.big]\nA = [{many}]\n",
        shown.chain_file.display(),
        shown.key_file.display(),
    )
}

fn house(more: &str) -> House {
    let authority = authority();
    House { node: meridian(&config(more, "192.0.2.1", &authority)), authority }
}

impl House {
    fn tls(&self, client: Tongue) -> Arc<ClientConfig> {
        self.authority.client(client.protocol(), None)
    }

    async fn open(&self, client: Tongue) -> Asker {
        Asker::open(&self.node, client, &self.tls(client), Tongue::H1.host()).await
    }

    async fn get(&self, client: Tongue, method: Method, query: &str) -> (response::Parts, Whole) {
        let asked = request(method, Tongue::H1, &format!("/dns-query?{query}"));
        self.open(client).await.get(asked.header(header::ACCEPT, MESSAGE)).await
    }

    async fn post(&self, client: Tongue, message: &[u8]) -> (response::Parts, Whole) {
        self.open(client).await.post(post(), message).await
    }

    /// The same over DNS's own TCP.
    fn over_tcp(&self, message: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.node.dns()).unwrap();
        stream.write_all(&[&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()).unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut answer).unwrap();
        answer
    }
}

/// The counter of requests that ended so.
fn outcomes(outcome: &str) -> String {
    format!("meridian_http_requests_total{{route=\"dns\",pool=\"none\",outcome=\"{outcome}\"}}")
}

fn post() -> request::Builder {
    request(Method::POST, Tongue::H1, "/dns-query").header(header::CONTENT_TYPE, MESSAGE)
}

/// A query of a name under `shop.example`, for A, with the options of OPT where there are any.
fn query(name: &str, options: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(options.is_some())];
    bytes.push(u8::try_from(name.len()).unwrap());
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b"\x04shop\x07example\0\0\x01\0\x01");
    if let Some(options) = options {
        bytes.extend_from_slice(b"\0\0\x29\x04\xd0\0\0\0\0");
        bytes.extend_from_slice(&u16::try_from(options.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(options);
    }
    bytes
}

fn encoded(message: &[u8]) -> String {
    format!("dns={}", BASE64URL_NOPAD.encode(message))
}

fn max_age(head: &response::Parts) -> &str {
    head.headers[header::CACHE_CONTROL].to_str().unwrap()
}

fn refusal(whole: &Whole) -> String {
    let problem: serde_json::Value = serde_json::from_slice(&whole.bytes).unwrap_or_default();
    problem["refusal"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn get_and_post_say_what_dns_says_in_every_tongue() {
    let house = house("");
    for (asked, name) in (0..).zip(["www", "big"]) {
        let message = query(name, None);
        let expected = house.over_tcp(&message);
        for client in Tongue::ALL {
            wait(client, async {
                let got = house.get(client, Method::GET, &encoded(&message)).await;
                let posted = house.post(client, &message).await;
                for (head, whole) in [got, posted] {
                    assert_eq!((head.status.as_u16(), whole.is_complete), (200, true), "{client:?} {name}");
                    assert_eq!(head.headers[header::CONTENT_TYPE], MESSAGE);
                    assert_eq!(head.headers["x-from"], "127.0.0.1");
                    assert!(whole.bytes == expected, "{client:?} {name}: {:?}", Message::from_vec(&whole.bytes));
                }
                let (head, whole) = house.get(client, Method::HEAD, &encoded(&message)).await;
                let length = head.headers[header::CONTENT_LENGTH].to_str().unwrap();
                assert_eq!((length, whole.bytes.len()), (&*expected.len().to_string(), 0), "{client:?} {name}");
            });
        }
        house.node.metric_becomes(&outcomes("answered-here"), 12 * (asked + 1));
        let counted = |transport: &str| {
            format!(
                "meridian_dns_queries_total{{zone=\"shop.example\",type=\"a\",rcode=\"noerror\",transport=\"{transport}\"}}"
            )
        };
        house.node.metric_becomes(&counted("https"), 12 * (asked + 1));
        house.node.metric_becomes(&counted("tcp"), asked + 1);
    }
}

#[test]
fn answers_are_kept_no_longer_than_what_they_say_holds() {
    let house = house("");
    let cases = [
        ("www", ResponseCode::NoError, "private, max-age=300"),
        ("short", ResponseCode::NoError, "private, max-age=20"),
        ("none", ResponseCode::NXDomain, "private, max-age=30"),
        ("long", ResponseCode::NXDomain, "private, max-age=30"),
    ];
    let ask = |message: &[u8]| {
        let (head, whole) = wait("an answer", house.get(Tongue::H2Tls, Method::GET, &encoded(message)));
        (Message::from_vec(&whole.bytes).unwrap().metadata.response_code, max_age(&head).to_owned())
    };
    for (name, code, kept) in cases {
        assert_eq!(ask(&query(name, None)), (code, kept.to_owned()), "{name}");
    }
    let foreign = b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01";
    assert_eq!(ask(foreign), (ResponseCode::Refused, "private, max-age=0".to_owned()));
    // What cannot be read is answered, too: it is DNS that says so.
    assert_eq!(ask(&foreign[..15]), (ResponseCode::FormErr, "private, max-age=0".to_owned()));
}

#[test]
fn a_padded_query_gets_a_padded_answer() {
    let house = house("");
    let (_, whole) = wait("an answer", house.post(Tongue::H2Tls, &query("www", Some(b"\0\x0c\0\0"))));
    assert_eq!(whole.bytes.len(), 468);
    let answer = Message::from_vec(&whole.bytes).unwrap();
    assert!(matches!(answer.answers[0].data, RData::A(a) if a.0.to_string() == "192.0.2.1"), "{answer:?}");
}

#[test]
fn a_body_comes_in_whatever_pieces() {
    let house = house("");
    let message = query("www", None);
    let expected = house.over_tcp(&message);
    for client in Tongue::ALL {
        for stated in [true, false] {
            wait((client, stated), async {
                let asked = if stated { post().header(header::CONTENT_LENGTH, message.len()) } else { post() };
                let (sink, awaited) = house.open(client).await.ask(asked.body(()).unwrap(), false).await.unwrap();
                let mut sink = sink.unwrap();
                for byte in &message {
                    sink.data(&[*byte]).await.unwrap();
                }
                let mut trailers = HeaderMap::new();
                trailers.insert("x-sum", "1".parse().unwrap());
                sink.end(if stated { HeaderMap::new() } else { trailers }).await.unwrap();
                let mut heard = awaited.heard().await.unwrap();
                let whole = heard.body.rest().await;
                assert_eq!((heard.head.status.as_u16(), heard.interim.len()), (200, 0), "{client:?} {stated}");
                assert!(whole.bytes == expected, "{client:?} {stated}");
            });
        }
    }
}

#[test]
fn what_is_no_query_is_refused_and_the_next_request_is_answered() {
    let house = house("");
    let answer = house.over_tcp(&query("www", None));
    let get = |query: &str| (Method::GET, query.to_owned(), None, &b""[..]);
    let posted = |kind: &'static str, body: &'static [u8]| (Method::POST, String::new(), Some(kind), body);
    let cases = [
        (400, "bad-query", get("")),
        (400, "bad-query", get("dns=AAAB&dns=AAAB")),
        (400, "bad-query", get("dns=AA==")),
        (400, "bad-query", get(&encoded(b"short"))),
        (400, "bad-query", get(&encoded(&answer))),
        (400, "bad-query", posted(MESSAGE, b"")),
        (400, "bad-query", posted(MESSAGE, b"short")),
        (415, "not-dns", posted("text/plain", b"0123456789ab")),
        (405, "wrong-method", (Method::PUT, String::new(), Some(MESSAGE), &b""[..])),
    ];
    for client in Tongue::ALL {
        for (status, word, (method, query, kind, body)) in &cases {
            let mut asked = request(method.clone(), Tongue::H1, &format!("/dns-query?{query}"));
            if let Some(kind) = kind {
                asked = asked.header(header::CONTENT_TYPE, *kind);
            }
            let (head, whole) = wait((client, word), async {
                let mut asker = house.open(client).await;
                if kind.is_some() { asker.post(asked, body).await } else { asker.get(asked).await }
            });
            assert_eq!((head.status.as_u16(), &*refusal(&whole)), (*status, *word), "{client:?} {method} {query}");
            let allowed = head.headers.get(header::ALLOW).map(|allowed| allowed.to_str().unwrap());
            assert_eq!(allowed, (*status == 405).then_some("GET, HEAD, POST"));
        }
    }
    let mut client = Connection::open(house.node.http());
    let bad =
        "POST /dns-query HTTP/1.1\r\nHost: a\r\nContent-Type: application/dns-message\r\nContent-Length: 2\r\n\r\nno";
    assert_eq!(client.ask(bad.as_bytes()).unwrap().status, 400);
    let good = format!("GET /dns-query?{} HTTP/1.1\r\nHost: a\r\n\r\n", encoded(&query("www", None)));
    assert_eq!(client.ask(good.as_bytes()).unwrap().status, 200);
    assert!(house.node.metric(r#"meridian_dns_dropped_total{reason="response"}"#) >= 4);
}

#[test]
fn a_body_longer_than_a_message_is_refused_however_it_is_framed() {
    let house = house("");
    // The longest there may be: the query, and what stands behind it is nobody's.
    let mut longest = query("www", None);
    longest.resize(65_535, 0);
    let too_long = vec![0; 65_536];
    for client in Tongue::ALL {
        let (head, _) = wait(client, house.post(client, &longest));
        assert_eq!(head.status.as_u16(), 200, "{client:?}");
        let (head, whole) = wait(client, house.post(client, &too_long));
        assert_eq!((head.status.as_u16(), &*refusal(&whole)), (413, "body-too-large"), "{client:?}");
        wait(client, async {
            let (sink, awaited) = house.open(client).await.ask(post().body(()).unwrap(), false).await.unwrap();
            let mut sink = sink.unwrap();
            for piece in too_long.chunks(5000) {
                // It may be refused before the last of it.
                if sink.data(piece).await.is_err() {
                    break;
                }
            }
            let mut heard = awaited.heard().await.unwrap();
            assert_eq!(heard.head.status.as_u16(), 413, "{client:?}");
            assert_eq!(refusal(&heard.body.rest().await), "body-too-large", "{client:?}");
        });
    }
    let mut client = Connection::open(house.node.http());
    let head = "POST /dns-query HTTP/1.1\r\nHost: a\r\nContent-Type: application/dns-message\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = client.ask(format!("{head}3\r\nabc\r\nno chunk\r\n").as_bytes()).unwrap();
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("bad-body"), "{}", answer.text());
}

#[test]
fn a_client_that_waits_to_be_told_is_told_where_its_body_is_wanted() {
    let house = house("");
    let message = query("www", None);
    for client in Tongue::ALL {
        wait(client, async {
            let patient = post().header(header::EXPECT, "100-continue").header(header::CONTENT_LENGTH, message.len());
            let (sink, mut awaited) = house.open(client).await.ask(patient.body(()).unwrap(), false).await.unwrap();
            assert_eq!(awaited.interim().await.unwrap(), 100, "{client:?}");
            let mut sink = sink.unwrap();
            sink.data(&message).await.unwrap();
            sink.end(HeaderMap::new()).await.unwrap();
            assert_eq!(awaited.heard().await.unwrap().head.status.as_u16(), 200, "{client:?}");

            let refused = request(Method::POST, Tongue::H1, "/dns-query").header(header::EXPECT, "100-continue");
            let refused = refused.header(header::CONTENT_LENGTH, message.len()).body(()).unwrap();
            let (_sink, awaited) = house.open(client).await.ask(refused, false).await.unwrap();
            let heard = awaited.heard().await.unwrap();
            assert_eq!((heard.head.status.as_u16(), heard.interim.len()), (415, 0), "{client:?}");
        });
    }
}

#[test]
fn a_body_has_its_time_however_often_a_piece_of_it_comes() {
    let house = house("[http]\nbody_timeout = \"400ms\"\n");
    for client in Tongue::ALL {
        let heard = wait(client, async {
            let asked = post().header(header::CONTENT_LENGTH, 60_000).body(()).unwrap();
            let (sink, awaited) = house.open(client).await.ask(asked, false).await.unwrap();
            let mut sink = sink.unwrap();
            let dripping = async {
                while sink.data(b"x").await.is_ok() {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                heard = awaited.heard() => heard.unwrap(),
                () = dripping => unreachable!(),
            }
        });
        assert_eq!(heard.head.status.as_u16(), 408, "{client:?}");
    }
    house.node.metric_becomes(&outcomes("client-too-slow"), 4);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_query_is_counted_as_gone() {
    let house = house("");
    for client in Tongue::ALL {
        wait(client, async {
            let asked = post().header(header::EXPECT, "100-continue").header(header::CONTENT_LENGTH, 100);
            let asked = asked.body(()).unwrap();
            let (sink, mut awaited) = house.open(client).await.ask(asked, false).await.unwrap();
            // Its request is under way once it is told to go on.
            assert_eq!(awaited.interim().await.unwrap(), 100, "{client:?}");
            let mut sink = sink.unwrap();
            sink.data(b"half").await.unwrap();
            sink.reset(h2::Reason::CANCEL);
            drop((sink, awaited));
        });
    }
    house.node.metric_becomes(&outcomes("client-left"), 4);
}

#[test]
fn the_client_is_who_the_proxy_header_says_and_nobody_else() {
    let house =
        house("[http]\nproxy_protocol = [\"127.0.0.1\"]\ntrusted_proxies = [\"127.0.0.1\", \"192.0.2.0/24\"]\n");
    // A cookie is good for the address that it was given to (RFC 7873).
    let ask = |client: &str, forwarded: &str, cookie: &[u8]| {
        let options = [&b"\0\x0a\0"[..], &[u8::try_from(cookie.len()).unwrap()], cookie].concat();
        let first = format!("PROXY TCP4 {client} 127.0.0.1 5 80\r\n");
        let (head, whole) = wait(client, async {
            let tls = Some(house.tls(Tongue::H1Tls));
            let io = Io::open_saying(first.as_bytes(), house.node.https(), tls, Tongue::H1.host()).await.unwrap();
            let asked = post().header("x-forwarded-for", forwarded);
            Asker::over(io, Tongue::H1Tls).await.post(asked, &query("www", Some(&options))).await
        });
        assert_eq!(head.headers["x-from"], client);
        whole.bytes[whole.bytes.len() - 24..].to_vec()
    };
    let seen = |how: &str| house.node.metric(&format!("meridian_dns_cookies_total{{seen=\"{how}\"}}"));
    let cookie = ask("192.0.2.1", "198.51.100.1", b"12345678");
    assert_eq!((seen("new"), seen("valid"), seen("invalid")), (1, 0, 0));
    ask("192.0.2.1", "198.51.100.2", &cookie);
    assert_eq!((seen("new"), seen("valid"), seen("invalid")), (1, 1, 0));
    ask("192.0.2.2", "192.0.2.1", &cookie);
    assert_eq!((seen("new"), seen("valid"), seen("invalid")), (1, 1, 1));
}

#[test]
fn a_connection_that_stays_hears_of_zones_that_change() {
    let house = house("");
    let mut client = Connection::open(house.node.http());
    let asked = format!("GET /dns-query?{} HTTP/1.1\r\nHost: a\r\n\r\n", encoded(&query("www", None)));
    let mut ends_with = |address: [u8; 4]| client.ask(asked.as_bytes()).unwrap().body.ends_with(&address);
    assert!(ends_with([192, 0, 2, 1]));
    house.node.reload(&config("", "192.0.2.77", &house.authority));
    eventually("the new address is told", || ends_with([192, 0, 2, 77]).then_some(()));
}
