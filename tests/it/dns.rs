//! DNS over real sockets: streams, floods, idleness.

use std::{
    io::{Read, Write},
    net::{TcpStream, UdpSocket},
    time::Duration,
};

use hickory_proto::{op::ResponseCode, rr::RecordType};

use crate::scene::{Meridian, ask, ask_over_tcp, eventually, meridian};

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
        let open =
            node.metric("meridian_dns_connections_opened_total") - node.metric("meridian_dns_connections_closed_total");
        (open == 0).then_some(())
    });
}

#[test]
fn streams_are_bounded_and_the_others_go_on() {
    let node = node();
    let mut held: Vec<TcpStream> = (0..4).map(|_| open(&node)).collect();
    eventually("four are open", || (node.metric("meridian_dns_connections_opened_total") == 4).then_some(()));
    let mut fifth = open(&node);
    assert_eq!(answer(&mut fifth), None);
    held[0].write_all(&framed(&query(1))).unwrap();
    assert!(answer(&mut held[0]).is_some());
    node.metric_becomes("meridian_dns_connections_refused_total", 1);
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
    node.metric_becomes("meridian_dns_connections_closed_total", 1);
}
