//! A DNS client on another implementation's messages.

use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) message: Message,
}

impl Reply {
    pub(crate) fn code(&self) -> ResponseCode {
        self.message.metadata.response_code
    }

    /// The addresses answered, in order.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        let address = |data: &RData| match data {
            RData::A(a) => Some(IpAddr::V4(a.0)),
            RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
            _ => None,
        };
        self.message.answers.iter().filter_map(|record| address(&record.data)).collect()
    }
}

fn question(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

fn read(bytes: &[u8]) -> Reply {
    let message = Message::from_vec(bytes).unwrap();
    assert_eq!(message.metadata.id, 4711);
    Reply { message }
}

/// Asks over UDP.
pub(crate) fn ask(server: SocketAddr, name: &str, kind: RecordType) -> Reply {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.send_to(&question(name, kind), server).unwrap();
    let mut answer = [0; 4096];
    let (length, from) = socket.recv_from(&mut answer).unwrap();
    assert_eq!(from, server);
    read(&answer[..length])
}

/// Asks over TCP.
pub(crate) fn ask_over_tcp(server: SocketAddr, name: &str, kind: RecordType) -> Reply {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let question = question(name, kind);
    stream.write_all(&u16::try_from(question.len()).unwrap().to_be_bytes()).unwrap();
    stream.write_all(&question).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).unwrap();
    read(&answer)
}
