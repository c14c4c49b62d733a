//! A DNS server that answers what it is told to, on another implementation's messages.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
    thread,
};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{RData, Record, RecordType},
};

/// A running server. It listens until the process ends.
pub(crate) struct Nameserver {
    pub(crate) address: SocketAddr,
    words: Arc<Mutex<HashMap<String, Word>>>,
}

/// What it says of a name; of those it was never told about, that they do not exist.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    /// Both families, with a TTL of no time at all.
    Addresses(Vec<IpAddr>),
    /// This code and nothing else.
    Code(ResponseCode),
    /// Nothing at all.
    Silence,
}

/// A server on a port the system chose.
pub(crate) fn nameserver() -> Nameserver {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = Nameserver { address: socket.local_addr().unwrap(), words: Arc::default() };
    let words = Arc::clone(&server.words);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut buffer) {
            let Some(answer) = answer(&buffer[..length], &words.lock().unwrap()) else { continue };
            _ = socket.send_to(&answer, client);
        }
    });
    server
}

impl Nameserver {
    pub(crate) fn says(&self, name: &str, word: Word) {
        self.words.lock().unwrap().insert(format!("{name}."), word);
    }

    pub(crate) fn leads(&self, name: &str, addresses: &[&str]) {
        self.says(name, Word::Addresses(addresses.iter().map(|address| address.parse().unwrap()).collect()));
    }
}

fn answer(query: &[u8], words: &HashMap<String, Word>) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let question = query.queries.first()?.clone();
    let (name, kind) = (question.name().clone(), question.query_type());
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    answer.add_query(question);
    match words.get(&name.to_ascii()).unwrap_or(&Word::Code(ResponseCode::NXDomain)) {
        Word::Silence => return None,
        Word::Code(code) => answer.metadata.response_code = *code,
        Word::Addresses(addresses) => {
            for address in addresses {
                let data = match address {
                    IpAddr::V4(v4) if kind == RecordType::A => RData::A((*v4).into()),
                    IpAddr::V6(v6) if kind == RecordType::AAAA => RData::AAAA((*v6).into()),
                    _ => continue,
                };
                answer.add_answer(Record::from_rdata(name.clone(), 0, data));
            }
        }
    }
    answer.to_vec().ok()
}
