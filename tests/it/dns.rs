//! DNS over real sockets: batches, streams, floods, idleness.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket},
    time::Duration,
};

use hickory_proto::{op::ResponseCode, rr::RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::scene::{Io, Meridian, ask, ask_over_tcp, background, certificates::authority, eventually, meridian, wait};

const TCP: &str = r#"{transport="tcp"}"#;
const ZONE: &str = r#"
    [zones."shop.example"]
    nameservers = ["ns.elsewhere.example"]
    [zones."shop.example".records.www]
    A = ["192.0.2.1"]
"#;

fn node() -> Meridian {
    let many: String = (0..100).map(|at| format!("\"192.0.2.{at}\", ")).collect();
    meridian(&format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n[dns]\ntcp_idle_timeout = \"1s\"\nmax_tcp_connections = 4\nthreads = 1\n\
         [zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\n\
         [zones.\"shop.example\".records.www]\nA = [\"192.0.2.1\"]\n\
         [zones.\"shop.example\".records.big]\nA = [{many}]\n"
    ))
}

/// `www.shop.example A`, with an id.
fn query(id: u8) -> Vec<u8> {
    let mut bytes = vec![0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    bytes.extend_from_slice(b"\x03www\x04shop\x07example\0\0\x01\0\x01");
    bytes
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

fn open(node: &Meridian) -> TcpStream {
    let stream = TcpStream::connect(node.dns()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn answer(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

#[test]
fn what_is_truncated_over_udp_is_whole_over_tcp() {
    let node = node();
    let over_udp = ask(node.dns(), "big.shop.example.", RecordType::A);
    assert!(over_udp.message.metadata.truncation && over_udp.addresses().is_empty());
    assert_eq!(ask_over_tcp(node.dns(), "big.shop.example.", RecordType::A).addresses().len(), 100);
}

#[test]
fn a_stream_takes_many_queries_in_a_row_in_any_pieces() {
    let node = node();
    let mut stream = open(&node);
    let all: Vec<u8> = (0..200).flat_map(|id| framed(&query(id))).collect();
    for piece in all.chunks(37) {
        stream.write_all(piece).unwrap();
    }
    for id in 0..200 {
        let answer = answer(&mut stream).unwrap();
        assert_eq!((answer[1], answer[7]), (id, 1));
    }
}

#[test]
fn a_client_that_stops_sending_still_gets_its_answers() {
    let node = node();
    let mut stream = open(&node);
    stream.write_all(&framed(&query(9))).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(answer(&mut stream).unwrap()[1], 9);
    assert_eq!(answer(&mut stream), None);
}

#[test]
fn a_silent_stream_is_closed_and_so_is_one_that_talks_nonsense() {
    let node = node();
    let mut silent = open(&node);
    assert_eq!(answer(&mut silent), None, "closed by the idle timeout");
    let mut nonsense = open(&node);
    nonsense.write_all(&framed(b"hello")).unwrap();
    assert_eq!(answer(&mut nonsense), None);
    eventually("all are closed", || {
        let count = |what: &str| node.metric(&format!("meridian_dns_connections_{what}_total{TCP}"));
        (count("opened") == count("closed")).then_some(())
    });
}

#[test]
fn streams_are_bounded_and_the_others_go_on() {
    let node = node();
    let mut held: Vec<TcpStream> = (0..4).map(|_| open(&node)).collect();
    eventually("four are open", || {
        (node.metric(&format!("meridian_dns_connections_opened_total{TCP}")) == 4).then_some(())
    });
    let mut fifth = open(&node);
    assert_eq!(answer(&mut fifth), None);
    held[0].write_all(&framed(&query(1))).unwrap();
    assert!(answer(&mut held[0]).is_some());
    node.metric_becomes(r#"meridian_dns_connections_refused_total{transport="tcp",reason="full"}"#, 1);
}

#[test]
fn a_client_that_breaks_off_takes_nobody_else_along() {
    let node = node_with("");
    for _ in 0..5 {
        let mut rude = open(&node);
        rude.write_all(&framed(&query(1))).unwrap();
        socket2::SockRef::from(&rude).set_linger(Some(Duration::ZERO)).unwrap();
        drop(rude);
    }
    for id in 0..5 {
        let mut polite = open(&node);
        polite.write_all(&framed(&query(id))).unwrap();
        assert_eq!(answer(&mut polite).map(|answer| answer[1]), Some(id));
    }
}

#[test]
fn garbage_is_dropped_or_refused_and_the_next_query_is_answered() {
    let node = node();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for length in 0..500_usize {
        let garbage: Vec<u8> = (0..length).map(|at| u8::try_from((at * 31 + length * 7) % 256).unwrap()).collect();
        socket.send_to(&garbage, node.dns()).unwrap();
    }
    assert_eq!(ask(node.dns(), "www.shop.example.", RecordType::A).addresses().len(), 1);
    assert_eq!(ask(node.dns(), "x.elsewhere.example.", RecordType::A).code(), ResponseCode::Refused);
    assert!(node.metric(r#"meridian_dns_dropped_total{reason="short"}"#) >= 12);
}

#[test]
fn a_client_that_asks_without_reading_stops_nobody_else() {
    let node = node();
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&node.dns().into()).unwrap();
    let mut deaf = TcpStream::from(socket);
    deaf.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut big = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    big.extend_from_slice(b"\x03big\x04shop\x07example\0\0\x01\0\x01");
    let many = framed(&big).repeat(1000);
    for _ in 0..100 {
        if deaf.write_all(&many).is_err() {
            break;
        }
        assert_eq!(ask(node.dns(), "www.shop.example.", RecordType::A).addresses().len(), 1);
    }
    for _ in 0..10 {
        assert_eq!(ask(node.dns(), "www.shop.example.", RecordType::A).addresses().len(), 1);
    }
    // Nor does it keep its place.
    node.metric_becomes(&format!("meridian_dns_connections_closed_total{TCP}"), 1);
}

/// A node with one zone, and these settings on top.
fn node_with(settings: &str) -> Meridian {
    meridian(&format!("{settings}\n[regions.here]\naddresses = [\"127.0.0.1\"]\n{ZONE}"))
}

fn client(server: impl ToSocketAddrs) -> UdpSocket {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

#[test]
fn an_answer_comes_from_the_address_that_was_asked() {
    let node = node_with("listen.dns = [\"0.0.0.0:0\"]\ndns.threads = 2");
    for last in 1..=4 {
        // A socket that is connected hears nobody else.
        let client = client((Ipv4Addr::new(127, 0, 0, last), node.dns().port()));
        client.send(&query(last)).unwrap();
        let mut answer = [0; 512];
        client.recv(&mut answer).unwrap();
        assert_eq!((answer[1], answer[7]), (last, 1));
    }
}

#[test]
fn many_clients_at_once_are_each_answered_and_every_message_is_accounted_for() {
    let node = node_with("dns.threads = 2");
    let clients: Vec<UdpSocket> = (0..100).map(|_| client(node.dns())).collect();
    for round in 0..10 {
        for client in &clients {
            client.send(&query(round)).unwrap();
        }
        for client in &clients {
            let mut answer = [0; 512];
            client.recv(&mut answer).unwrap();
            assert_eq!((answer[1], answer[7]), (round, 1));
        }
    }
    // A short one, an answer, one that is too long, and two by TCP.
    clients[0].send(b"?").unwrap();
    clients[0].send(&[&query(1)[..2], &[0x81], &query(1)[3..]].concat()).unwrap();
    clients[0].send(&[0; 5000]).unwrap();
    let mut stream = open(&node);
    stream.write_all(&framed(&query(1)).repeat(2)).unwrap();
    assert!(answer(&mut stream).is_some() && answer(&mut stream).is_some());

    node.metric_becomes(r#"meridian_dns_received_total{transport="udp"}"#, 1003);
    node.metric_becomes(r#"meridian_dns_received_total{transport="tcp"}"#, 2);
    let counted = |name: &str| node.metrics(&format!("meridian_dns_{name}"));
    for reason in ["short", "response", "oversized"] {
        assert_eq!(counted(&format!("dropped_total{{reason=\"{reason}\"}}")), 1);
    }
    assert_eq!(counted("queries_total{"), 1002);
    assert_eq!(counted("received_total{"), counted("queries_total{") + counted("dropped_total{"));
    assert_eq!(counted("response_seconds_count{"), 1002);
    assert_eq!(counted("cookies_total{"), 1002);
    assert_eq!(counted("unsent_total{"), 0);
    assert!((2..=1004).contains(&counted("batches_total")));
    let labels = r#"zone="shop.example",type="a",rcode="noerror",transport="udp""#;
    assert_eq!(counted(&format!("queries_total{{{labels}}}")), 1000);
}

#[test]
fn one_client_cannot_have_all_streams() {
    let node = node_with("dns.threads = 1\ndns.max_tcp_connections_per_client = 2");
    let mut held = [open(&node), open(&node)];
    for stream in &mut held {
        stream.write_all(&framed(&query(1))).unwrap();
        assert!(answer(stream).is_some());
    }
    assert_eq!(answer(&mut open(&node)), None);
    node.metric_becomes(
        r#"meridian_dns_connections_refused_total{transport="tcp",reason="too-many-of-one-client"}"#,
        1,
    );
    // Somebody else is let in.
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    other.bind(&"127.0.0.9:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    other.connect(&node.dns().into()).unwrap();
    let mut other = TcpStream::from(other);
    other.write_all(&framed(&query(2))).unwrap();
    assert!(answer(&mut other).is_some());
    // And so is the first, once it has closed one.
    let [kept, left] = held;
    drop(left);
    eventually("there is place again", || {
        let mut stream = open(&node);
        stream.write_all(&framed(&query(3))).ok()?;
        answer(&mut stream)
    });
    drop(kept);
}

#[test]
fn messages_of_no_length_and_lengths_without_a_message_end_a_stream() {
    let node = node_with("dns.tcp_idle_timeout = \"1s\"");
    let mut empty = open(&node);
    // What came before is answered.
    empty.write_all(&[framed(&query(1)), vec![0, 0], framed(&query(2))].concat()).unwrap();
    assert_eq!(answer(&mut empty).map(|answer| answer[1]), Some(1));
    assert_eq!(answer(&mut empty), None);
    let mut promising = open(&node);
    promising.write_all(&[0xff, 0xff, 0, 1]).unwrap();
    assert_eq!(answer(&mut promising), None);
}

#[test]
fn the_longest_message_is_read_in_whatever_pieces_it_comes() {
    let node = node_with("");
    let mut stream = open(&node);
    let mut long = query(7);
    long.resize(usize::from(u16::MAX), 0);
    for piece in framed(&long).chunks(5000) {
        stream.write_all(piece).unwrap();
    }
    stream.write_all(&framed(&query(8))).unwrap();
    let told = answer(&mut stream).unwrap();
    assert_eq!((told[1], told[3] & 15), (7, 1), "FORMERR: something follows the question");
    assert_eq!(answer(&mut stream).map(|answer| answer[1]), Some(8));
}

#[test]
fn what_is_asked_in_secret_is_answered_and_counted_like_the_rest() {
    let authority = authority();
    let issued = authority.issue(&["ns.shop.example"]);
    let (chain, key) = (issued.chain_file.display(), issued.key_file.display());
    let mut node = node_with(&format!(
        "listen.dns_tls = [\"127.0.0.1:0\"]\nlisten.dns_https = [\"127.0.0.1:0\"]\n\
         [[tls.certificates]]\nchain = \"{chain}\"\nkey = \"{key}\"",
    ));
    wait("three answers", async {
        let tls = authority.client(b"dot", None);
        let mut stream = Io::open(node.dns_tls(), Some(tls), "ns.shop.example").await.unwrap();
        stream.write_all(&framed(&query(1)).repeat(2)).await.unwrap();
        for _ in 0..2 {
            let mut answer = vec![0; stream.read_u16().await.unwrap().into()];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!((answer[1], answer[7]), (1, 1));
        }
        let tls = authority.client(b"h2", None);
        let stream = Io::open(node.dns_https(), Some(tls), "ns.shop.example").await.unwrap();
        let (mut send, connection) = h2::client::handshake(stream).await.unwrap();
        background().spawn(connection);
        let post = http::Request::post("https://ns.shop.example/dns-query");
        let post = post.header("content-type", "application/dns-message").body(()).unwrap();
        let (response, mut body) = send.send_request(post, false).unwrap();
        body.send_data(query(3).into(), true).unwrap();
        let answer = response.await.unwrap().into_body().data().await.unwrap().unwrap();
        assert_eq!((answer[1], answer[7]), (3, 1));
    });
    node.metric_becomes(r#"meridian_dns_received_total{transport="tls"}"#, 2);
    node.metric_becomes(r#"meridian_dns_received_total{transport="https"}"#, 1);
    assert_eq!(node.metrics("meridian_dns_queries_total{"), 3);
    assert_eq!(node.metrics("meridian_dns_handshakes_total{"), 2);
    assert!(node.stop().success());
}
