//! Clients, well behaved and not.

use std::net::SocketAddr;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use h2::client::SendRequest;
use http::{Method, Request, Response};
use rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{ServerName, UnixTime},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;

/// `www.shop.example A`, with an id.
fn query(id: u8) -> Vec<u8> {
    let mut bytes = vec![0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    bytes.extend_from_slice(b"\x03www\x04shop\x07example\0\0\x01\0\x01");
    bytes
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

async fn connect(scene: &Scene, address: SocketAddr, protocol: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("ns1.shop.example").unwrap();
    TlsConnector::from(scene.client(protocol)).connect(name, stream).await
}

/// The next answer; nothing at the end.
async fn answer(stream: &mut TlsStream<TcpStream>) -> Option<Vec<u8>> {
    let length = stream.read_u16().await.ok()?;
    let mut message = vec![0; length.into()];
    stream.read_exact(&mut message).await.ok()?;
    Some(message)
}

#[test]
fn a_stream_takes_many_queries_in_a_row() {
    let scene = scene(|_| {});
    play(async {
        let mut stream = connect(&scene, scene.tls, b"dot").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"dot"[..]));
        let all: Vec<u8> = (0..100).flat_map(|id| framed(&query(id))).collect();
        stream.write_all(&all).await.unwrap();
        for id in 0..100 {
            let answer = answer(&mut stream).await.unwrap();
            // Its id, and one record.
            assert_eq!((answer[1], answer[7]), (id, 1));
        }
    });
}

#[test]
fn what_cannot_be_read_is_told_so_and_what_is_no_query_ends_a_stream() {
    let scene = scene(|_| {});
    play(async {
        let mut stream = connect(&scene, scene.tls, b"dot").await.unwrap();
        let mut cut = query(3);
        cut.pop();
        stream.write_all(&framed(&cut)).await.unwrap();
        let told = answer(&mut stream).await.unwrap();
        assert_eq!((told[1], told[3] & 15), (3, 1), "FORMERR");
        let mut response = query(4);
        response[2] |= 0x80;
        stream.write_all(&framed(&response)).await.unwrap();
        assert_eq!(answer(&mut stream).await, None);
    });
}

#[test]
fn another_protocol_is_refused_in_the_handshake() {
    let scene = scene(|_| {});
    play(async {
        assert!(connect(&scene, scene.tls, b"h2").await.is_err());
        assert!(connect(&scene, scene.https, b"http/1.1").await.is_err());
    });
}

#[test]
fn who_names_no_host_gets_the_first_certificate_and_who_names_a_strange_one_none() {
    let scene = scene(|_| {});
    play(async {
        for (name, is_served) in [("127.0.0.1", true), ("ns2.shop.example", false)] {
            let stream = TcpStream::connect(scene.tls).await.unwrap();
            let mut client = scene.client(b"dot").as_ref().clone();
            // An address is not said in the handshake.
            client.dangerous().set_certificate_verifier(Arc::new(Anybody));
            let name = ServerName::try_from(name).unwrap();
            let shaken = TlsConnector::from(Arc::new(client)).connect(name, stream).await;
            assert_eq!(shaken.is_ok(), is_served);
        }
    });
}

/// Believes whatever it is shown.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[test]
fn silence_ends_a_stream_in_and_after_the_handshake() {
    let scene = scene(|config| {
        config.dns.tcp_idle_timeout = Duration::from_millis(100);
        config.tls.handshake_timeout = Duration::from_millis(100);
    });
    play(async {
        let mut mute = TcpStream::connect(scene.tls).await.unwrap();
        assert_eq!(mute.read(&mut [0; 9]).await.unwrap(), 0);
        let mut silent = connect(&scene, scene.tls, b"dot").await.unwrap();
        assert_eq!(answer(&mut silent).await, None);
        // Bytes that make no message are as good as silence.
        let mut slow = connect(&scene, scene.tls, b"dot").await.unwrap();
        slow.write_all(&[0]).await.unwrap();
        assert_eq!(answer(&mut slow).await, None);
    });
}

#[test]
fn connections_are_bounded_for_each_client_and_in_all() {
    for (all, of_one_client) in [(100, 2), (2, 100)] {
        let scene = scene(|config| {
            config.dns.max_tcp_connections = all;
            config.dns.max_tcp_connections_per_client = of_one_client;
        });
        play(async {
            let mut first = connect(&scene, scene.tls, b"dot").await.unwrap();
            let second = connect(&scene, scene.tls, b"dot").await.unwrap();
            assert!(connect(&scene, scene.tls, b"dot").await.is_err());
            // The other listener has places of its own.
            assert!(connect(&scene, scene.https, b"h2").await.is_ok());
            first.write_all(&framed(&query(1))).await.unwrap();
            assert!(answer(&mut first).await.is_some());
            drop(second);
            while connect(&scene, scene.tls, b"dot").await.is_err() {
                tokio::task::yield_now().await;
            }
        });
    }
}

#[test]
fn a_new_certificate_is_shown_without_a_new_listener() {
    let mut scene = scene(|_| {});
    play(async { connect(&scene, scene.tls, b"dot").await.map(drop) }).unwrap();
    let before = scene.certificate.clone();
    scene.certificate = certify(scene.folder.path());
    scene.publish(2);
    play(async { connect(&scene, scene.tls, b"dot").await.map(drop) }).unwrap();
    scene.certificate = before;
    assert!(play(async { connect(&scene, scene.tls, b"dot").await.map(drop) }).is_err());
}

#[test]
fn what_was_asked_before_the_end_is_answered() {
    let mut scene = scene(|_| {});
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut stream = runtime.block_on(connect(&scene, scene.tls, b"dot")).unwrap();
    let mut asking = runtime.block_on(http(&scene));
    runtime.block_on(async {
        stream.write_all(&framed(&query(1))).await.unwrap();
        assert!(answer(&mut stream).await.is_some());
        stream.write_all(&framed(&query(2))).await.unwrap();
    });
    let (head, _) = runtime.block_on(ask(&mut asking, post(), &query(3)));
    assert_eq!(head.status(), 200);
    scene.stop();
    runtime.block_on(async {
        // The second may have come too late to be read; then the stream has just ended.
        let last = answer(&mut stream).await;
        assert!(last.is_none_or(|answer| answer[1] == 2));
        assert!(asking.ready().await.is_err());
        assert!(TcpStream::connect(scene.tls).await.is_err());
    });
}

async fn http(scene: &Scene) -> SendRequest<Bytes> {
    let stream = connect(scene, scene.https, b"h2").await.unwrap();
    let (asking, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    asking
}

fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(format!("https://ns1.shop.example{path}"))
}

fn post() -> Request<()> {
    request(Method::POST, "/dns-query").header("content-type", "application/dns-message").body(()).unwrap()
}

fn get(message: &[u8]) -> Request<()> {
    request(Method::GET, &format!("/dns-query?ct&dns={}", BASE64URL_NOPAD.encode(message))).body(()).unwrap()
}

/// Sends a request with a body and hears the whole answer.
async fn ask(asking: &mut SendRequest<Bytes>, request: Request<()>, body: &[u8]) -> (Response<()>, Vec<u8>) {
    let (response, mut sending) = asking.send_request(request, body.is_empty()).unwrap();
    if !body.is_empty() {
        sending.send_data(Bytes::copy_from_slice(body), true).unwrap();
    }
    let (head, mut body) = response.await.unwrap().into_parts();
    let mut whole = Vec::new();
    while let Some(data) = body.data().await {
        whole.extend_from_slice(&data.unwrap());
    }
    (Response::from_parts(head, ()), whole)
}

#[test]
fn queries_come_by_get_and_post_and_answers_may_be_kept_as_long_as_their_records() {
    let scene = scene(|_| {});
    play(async {
        let mut asking = http(&scene).await;
        for (number, (request, body)) in [(post(), query(1)), (get(&query(2)), Vec::new())].into_iter().enumerate() {
            let (head, answer) = ask(&mut asking, request, &body).await;
            assert_eq!((head.status().as_u16(), usize::from(answer[1]), answer[7]), (200, number + 1, 1));
            assert_eq!(head.headers()["content-type"], "application/dns-message");
            assert_eq!(head.headers()["content-length"], answer.len().to_string());
            let ttl = hickory_proto::op::Message::from_vec(&answer).unwrap().answers[0].ttl;
            assert!(ttl > 0);
            assert_eq!(head.headers()["cache-control"], format!("private, max-age={ttl}"));
        }
    });
}

#[test]
fn many_requests_on_one_connection_are_each_answered() {
    let scene = scene(|_| {});
    play(async {
        let mut asking = http(&scene).await;
        for _ in 0..5 {
            let mut under_way = Vec::new();
            for id in 0..50 {
                asking = asking.ready().await.unwrap();
                under_way.push(asking.send_request(get(&query(id)), true).unwrap().0);
            }
            for (id, response) in (0..).zip(under_way) {
                let data = response.await.unwrap().into_body().data().await.unwrap().unwrap();
                assert_eq!(data[1], id);
            }
        }
    });
}

#[test]
fn what_is_no_query_gets_a_status_that_says_why() {
    let scene = scene(|_| {});
    let long = vec![0; 5000];
    let typed = |kind: &str| request(Method::POST, "/dns-query").header("content-type", kind).body(()).unwrap();
    let mut response = query(1);
    response[2] |= 0x80;
    let cases = [
        (request(Method::GET, "/").body(()).unwrap(), &[][..], 404),
        (request(Method::GET, "/dns-query").body(()).unwrap(), &[], 400),
        (request(Method::GET, "/dns-query?dns=a$b").body(()).unwrap(), &[], 400),
        (request(Method::GET, &format!("/dns-query?dns={}", "A".repeat(8000))).body(()).unwrap(), &[], 414),
        (request(Method::PUT, "/dns-query").body(()).unwrap(), &[], 405),
        (typed("text/plain"), b"hello", 415),
        (typed("application/dns-message"), &long, 413),
        (typed("application/dns-message"), b"hello", 400),
        (typed("application/dns-message"), &response, 400),
    ];
    play(async {
        let mut asking = http(&scene).await;
        for (request, body, status) in cases {
            let shown = format!("{request:?}");
            let (head, _) = ask(&mut asking, request, body).await;
            assert_eq!(head.status(), status, "{shown}");
        }
        // Nor does any of it end the connection.
        assert_eq!(ask(&mut asking, get(&query(1)), &[]).await.0.status(), 200);
    });
}
