//! Who comes in, and how that is known: PROXY headers, limits per client, client certificates, and hosts that need a connection of their own.

use http::Method;

use crate::scene::{Asker, Connection, House, Io, Tongue, eventually, get, house, house_with, request, wait};

/// What an origin was told of a request that was sent behind these bytes.
async fn told_behind(house: &House, first: &[u8], client: Tongue) -> String {
    let (address, tls) = house.door(client);
    let io = Io::open_saying(first, address, tls, Tongue::H1.host()).await.unwrap();
    let (_, whole) = Asker::over(io, client).await.get(request(Method::GET, Tongue::H1, "/tell")).await;
    String::from_utf8(whole.bytes).unwrap()
}

const VERSION_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\x7f\0\0\x01\0\x05\0\x50";

#[test]
fn a_proxy_header_says_whose_connection_it_is() {
    let house = house_with("[http]\nproxy_protocol = [\"127.0.0.0/8\"]\n");
    for client in Tongue::ALL {
        wait(client, async {
            for header in [&b"PROXY TCP4 198.51.100.7 127.0.0.1 5 80\r\n"[..], VERSION_2] {
                let told = told_behind(&house, header, client).await;
                assert!(told.contains("x-forwarded-for: 198.51.100.7\n"), "{client:?}: {told}");
            }
            for header in [&b"PROXY UNKNOWN\r\n"[..], b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"] {
                let told = told_behind(&house, header, client).await;
                assert!(told.contains("x-forwarded-for: 127.0.0.1\n"), "{client:?}: {told}");
            }
        });
    }
    let refused = r#"meridian_http_connections_refused_total{why="no-proxy-header"}"#;
    let before = house.node.metric(refused);
    let beginnings = ["GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 nobody\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
    for beginning in beginnings {
        let mut bare = Connection::open(house.node.http());
        bare.send(beginning.as_bytes()).unwrap();
        assert!(bare.is_closed(), "{beginning}");
    }
    house.node.metric_becomes(refused, before + 3);
    house.nothing_stays_open();
}

#[test]
fn a_proxy_header_that_nobody_asked_for_is_not_believed() {
    let house = house();
    let mut client = Connection::open(house.node.http());
    client.send(b"PROXY TCP4 198.51.100.7 127.0.0.1 5 80\r\nGET /tell HTTP/1.1\r\nHost: h1.shop.test\r\n\r\n").unwrap();
    assert_eq!(client.receive(false).unwrap().status, 505, "it is a request line without a version");
    assert!(client.is_closed());
}

#[test]
fn one_client_has_so_many_connections_and_others_have_theirs() {
    let house = house_with("[http]\nworkers = 1\nmax_connections_per_client = 2\nproxy_protocol = [\"127.0.0.0/8\"]\n");
    let ask = |client: &str| {
        let mut connection = Connection::open(house.node.http());
        let header = format!("PROXY TCP4 {client} 127.0.0.1 5 80\r\n");
        let answer = connection.ask((header + "GET / HTTP/1.1\r\nHost: h1.shop.test\r\n\r\n").as_bytes());
        answer.filter(|answer| answer.status == 200).map(|_| connection)
    };
    let held = [ask("198.51.100.1"), ask("198.51.100.1")];
    assert!(held.iter().all(Option::is_some));
    assert!(ask("198.51.100.1").is_none(), "a third is closed without a word");
    assert!(ask("198.51.100.2").is_some());
    house.node.metric_becomes(r#"meridian_http_connections_refused_total{why="too-many-of-one-client"}"#, 1);
    drop(held);
    eventually("there is room again", || ask("198.51.100.1").map(drop));
}

const FORGED: &str = "Hash=00;Subject=\"CN=admin\"";

#[test]
fn origins_are_told_who_a_client_is_by_its_certificate_and_by_nothing_else() {
    let house = house_with("[tls.client_certificates]\nmode = \"optional\"\nca = \"{ca}\"\n");
    let shown = house.authority.issue(&["client.test"]);
    for client in Tongue::ALL {
        let forged = || request(Method::GET, Tongue::H1, "/tell").header("x-forwarded-client-cert", FORGED);
        wait(client, async {
            let (_, whole) = house.open(client, Tongue::H1).await.get(forged()).await;
            let told = String::from_utf8(whole.bytes).unwrap();
            assert!(!told.contains("x-forwarded-client-cert"), "{client:?}: {told}");
            if client.is_tls() {
                let tls = house.authority.client(client.protocol(), Some(&shown));
                let mut asker = Asker::open(&house.node, client, &tls, Tongue::H1.host()).await;
                let (_, whole) = asker.get(forged()).await;
                let told = String::from_utf8(whole.bytes).unwrap();
                let lines: Vec<&str> =
                    told.lines().filter(|line| line.starts_with("x-forwarded-client-cert")).collect();
                let [line] = lines[..] else { panic!("{client:?}: {told}") };
                assert!(line.ends_with(";Subject=\"CN=client.test\";DNS=\"client.test\""), "{client:?}: {line}");
            }
        });
    }
}

#[test]
fn a_host_that_demands_more_needs_a_connection_of_its_own() {
    let demands = "[tls.hosts.\"h2.shop.test\".client_certificates]\nmode = \"required\"\nca = \"{ca}\"\n";
    let house = house_with(demands);
    let shown = house.authority.issue(&["client.test"]);
    for client in [Tongue::H1Tls, Tongue::H2Tls] {
        wait(client, async {
            let mut elsewhere = house.open(client, Tongue::H1).await;
            let (head, _) = elsewhere.get(request(Method::GET, Tongue::H2, "/")).await;
            assert_eq!(head.status, 421, "{client:?}");
            let tls = house.authority.client(client.protocol(), Some(&shown));
            let mut there = Asker::open(&house.node, client, &tls, Tongue::H2.host()).await;
            let (head, _) = there.get(request(Method::GET, Tongue::H2, "/")).await;
            assert_eq!(head.status, 200, "{client:?}");
            let mut other = house.open(client, Tongue::H1).await;
            let (head, _) = other.get(request(Method::GET, Tongue::H1Tls, "/")).await;
            assert_eq!(head.status, 200, "{client:?}: hosts that demand the same share connections");
        });
    }
}

#[test]
fn who_stayed_long_is_asked_to_come_again_and_loses_no_answer() {
    let house = house_with("[http]\nmax_connection_age = \"1s\"\n");
    let mut h1 = Connection::open(house.node.http());
    eventually("it is asked to come again", || {
        let answer = h1.ask(b"GET / HTTP/1.1\r\nHost: h1.shop.test\r\n\r\n").unwrap();
        assert_eq!(answer.text(), "here");
        (answer.header("connection") == Some("close")).then_some(())
    });
    assert!(h1.is_closed());
    wait("HTTP/2", async {
        let mut h2 = house.open(Tongue::H2, Tongue::H1).await;
        let mut answered = 0;
        while let Ok((_sink, awaited)) = h2.ask(request(Method::GET, Tongue::H1, "/").body(()).unwrap(), true).await {
            // What was sent before the word came may be refused, to be sent again; it is never half answered.
            let Ok(mut heard) = awaited.heard().await else { break };
            assert!(heard.body.rest().await.is_complete);
            answered += 1;
        }
        assert!(answered > 0);
    });
    assert_eq!(get(house.node.http(), "h1.shop.test", "/").unwrap().text(), "here");
}
