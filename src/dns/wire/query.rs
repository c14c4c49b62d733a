//! Reading a query where it lies. Nothing is copied but the name, in lower case, for finding it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{HEADER, kind, option};

/// Longest name on the wire.
const MAX_NAME: usize = 255;
/// Bytes that are put in lower case at once.
const LANES: usize = 16;
/// Bytes of a client's part of a cookie.
pub(in crate::dns) const CLIENT_COOKIE: usize = 8;
/// Longest cookie with the server's part.
const MAX_COOKIE: usize = 40;

/// What a client asks. One is filled again and again.
#[derive(Clone, Debug)]
pub(in crate::dns) struct Query {
    /// As the client chose it.
    pub(in crate::dns) id: u16,
    /// The bits that come back as they were: recursion desired and checking disabled.
    pub(in crate::dns) echoed: u16,
    /// The name, lower case, in wire form.
    name: [u8; MAX_NAME.next_multiple_of(LANES)],
    name_length: usize,
    /// The type asked for.
    pub(in crate::dns) kind: u16,
    /// The class asked for.
    pub(in crate::dns) class: u16,
    /// Where the question ends in the message.
    pub(in crate::dns) question_end: usize,
    /// What the client says about itself, if it speaks EDNS.
    pub(in crate::dns) edns: Option<ClientEdns>,
}

/// A client's OPT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dns) struct ClientEdns {
    pub(in crate::dns) payload: u16,
    pub(in crate::dns) version: u8,
    pub(in crate::dns) wants_dnssec: bool,
    pub(in crate::dns) wants_nsid: bool,
    pub(in crate::dns) wants_keepalive: bool,
    pub(in crate::dns) is_padded: bool,
    pub(in crate::dns) subnet: Option<Subnet>,
    pub(in crate::dns) cookie: Option<Cookie>,
}

/// The network of whoever asked the resolver (RFC 7871 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dns) struct Subnet {
    /// Its bits, and zeros.
    pub(in crate::dns) address: IpAddr,
    /// How many bits count. 0: nobody is to be told who asks.
    pub(in crate::dns) source: u8,
    /// As the client wrote it: a network of no bits may have none.
    pub(in crate::dns) family: u16,
}

/// What a client shows as a cookie (RFC 7873 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dns) struct Cookie {
    bytes: [u8; MAX_COOKIE],
    length: u8,
}

impl Cookie {
    /// The client's own part.
    pub(in crate::dns) fn client(&self) -> [u8; CLIENT_COOKIE] {
        let mut part = [0; CLIENT_COOKIE];
        part.copy_from_slice(&self.bytes[..CLIENT_COOKIE]);
        part
    }

    /// What a server gave it; empty where none did.
    pub(in crate::dns) fn server(&self) -> &[u8] {
        &self.bytes[CLIENT_COOKIE..usize::from(self.length)]
    }
}

/// Why a message is not a query that can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dns) enum Malformed {
    /// No header: nobody to answer.
    Short,
    /// An answer, not a query: answering it could go on for ever.
    Response,
    /// An operation that is not served.
    Operation,
    /// A header, but what follows makes no sense.
    Format,
    /// A question and OPT, but what stands in OPT makes no sense.
    Options,
}

impl Default for Query {
    fn default() -> Self {
        Self { id: 0, echoed: 0, name: [0; _], name_length: 0, kind: 0, class: 0, question_end: 0, edns: None }
    }
}

impl Query {
    /// The name asked for: lower case, in wire form.
    pub(in crate::dns) fn name(&self) -> &[u8] {
        &self.name[..self.name_length]
    }

    /// Whether it asks for nothing but a server's cookie (RFC 7873 §5.4).
    pub(in crate::dns) fn is_for_a_cookie(&self) -> bool {
        self.name_length == 0
    }

    /// Reads a message. Exactly one question, or none and a cookie; records after it must be well formed, at most one of them is OPT, and
    /// nothing follows.
    pub(in crate::dns) fn read(&mut self, message: &[u8]) -> Result<(), Malformed> {
        let header: &[u8; HEADER] = message.first_chunk().ok_or(Malformed::Short)?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let flags = word(2);
        if flags & 0x8000 != 0 {
            return Err(Malformed::Response);
        }
        if flags & 0x7800 != 0 {
            return Err(Malformed::Operation);
        }
        let (questions, answers, authorities, additionals) = (word(4), word(6), word(8), word(10));
        (self.id, self.echoed) = (word(0), flags & 0x0110);
        let mut cursor = Cursor { message, at: HEADER };
        match questions {
            0 => (self.name_length, self.kind, self.class) = (0, 0, 0),
            1 => {
                self.take_name(cursor.question_name()?);
                let [kind_high, kind_low, class_high, class_low] = *cursor.chunk()?;
                self.kind = u16::from_be_bytes([kind_high, kind_low]);
                self.class = u16::from_be_bytes([class_high, class_low]);
            }
            _ => return Err(Malformed::Format),
        }
        self.question_end = cursor.at;
        self.edns = None;
        for _ in 0..u32::from(answers) + u32::from(authorities) {
            cursor.record()?;
        }
        for _ in 0..additionals {
            if let Some(found) = cursor.record()?
                && self.edns.replace(found).is_some()
            {
                return Err(Malformed::Format);
            }
        }
        let asks = questions == 1 || self.edns.as_ref().is_some_and(|edns| edns.cookie.is_some());
        if asks && cursor.at == message.len() { Ok(()) } else { Err(Malformed::Format) }
    }

    /// Keeps a name in lower case. The lengths of its labels are below all letters, so that nothing has to know them.
    fn take_name(&mut self, name: &[u8]) {
        self.name_length = name.len();
        self.name[..name.len()].copy_from_slice(name);
        let (lanes, _) = self.name.as_chunks_mut::<LANES>();
        for lane in &mut lanes[..name.len().div_ceil(LANES)] {
            lane.make_ascii_lowercase();
        }
    }
}

struct Cursor<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let taken = self.message.get(self.at..self.at + length).ok_or(Malformed::Format)?;
        self.at += length;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = *self.message.get(self.at).ok_or(Malformed::Format)?;
        self.at += 1;
        Ok(byte)
    }

    fn chunk<const LENGTH: usize>(&mut self) -> Result<&'a [u8; LENGTH], Malformed> {
        let chunk = self.message.get(self.at..).and_then(<[u8]>::first_chunk).ok_or(Malformed::Format)?;
        self.at += LENGTH;
        Ok(chunk)
    }

    /// The question's name; a pointer there could only lead into the header.
    fn question_name(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.at;
        loop {
            match self.byte()? {
                0 => break,
                label @ 1..=63 => self.at += usize::from(label),
                _ => return Err(Malformed::Format),
            }
        }
        self.message.get(start..self.at).filter(|name| name.len() <= MAX_NAME).ok_or(Malformed::Format)
    }

    /// Steps over a name that may end in a pointer; where that leads does not matter.
    fn skip_name(&mut self) -> Result<bool, Malformed> {
        let start = self.at;
        loop {
            match self.byte()? {
                0 => return Ok(self.at == start + 1),
                label @ 1..=63 => self.at += usize::from(label),
                192.. => {
                    self.byte()?;
                    return Ok(false);
                }
                _ => return Err(Malformed::Format),
            }
        }
    }

    /// Steps over one record; says what it found if that was OPT.
    fn record(&mut self) -> Result<Option<ClientEdns>, Malformed> {
        let is_root = self.skip_name()?;
        let head: &[u8; 10] = self.chunk()?;
        let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let data = self.take(usize::from(word(8)))?;
        if word(0) != kind::OPT {
            return Ok(None);
        }
        if !is_root {
            return Err(Malformed::Format);
        }
        let mut edns = ClientEdns {
            payload: word(2),
            // Before it the upper bits of an rcode, which means nothing in a query.
            version: head[5],
            wants_dnssec: head[6] & 0x80 != 0,
            wants_nsid: false,
            wants_keepalive: false,
            is_padded: false,
            subnet: None,
            cookie: None,
        };
        // What another version says cannot be read.
        if edns.version == 0 {
            edns.read_options(data).ok_or(Malformed::Options)?;
        }
        Ok(Some(edns))
    }
}

impl ClientEdns {
    /// Where an option comes twice, the first counts.
    fn read_options(&mut self, mut left: &[u8]) -> Option<()> {
        while !left.is_empty() {
            let (head, rest) = left.split_first_chunk::<4>()?;
            let code = u16::from_be_bytes([head[0], head[1]]);
            let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([head[2], head[3]])))?;
            left = rest;
            match code {
                option::NSID => self.wants_nsid = true,
                option::SUBNET => self.subnet = self.subnet.or(Some(Subnet::read(data)?)),
                option::COOKIE => self.cookie = self.cookie.or(Some(Cookie::read(data)?)),
                option::KEEPALIVE => self.wants_keepalive = true,
                option::PADDING => self.is_padded = true,
                _ => {}
            }
        }
        Some(())
    }
}

impl Subnet {
    /// As many bytes as the bits take, nothing set beyond them, no scope in a query.
    fn read(data: &[u8]) -> Option<Self> {
        let (head, bytes) = data.split_first_chunk::<4>()?;
        let (family, source, scope) = (u16::from_be_bytes([head[0], head[1]]), head[2], head[3]);
        let most = match family {
            0 => 0,
            1 => 32,
            2 => 128,
            _ => return None,
        };
        if scope != 0 || source > most || bytes.len() != usize::from(source).div_ceil(8) {
            return None;
        }
        if source % 8 != 0 && bytes.last()? << (source % 8) != 0 {
            return None;
        }
        let address = if family == 2 {
            let mut octets = [0; 16];
            octets[..bytes.len()].copy_from_slice(bytes);
            Ipv6Addr::from(octets).into()
        } else {
            let mut octets = [0; 4];
            octets[..bytes.len()].copy_from_slice(bytes);
            Ipv4Addr::from(octets).into()
        };
        Some(Self { address, source, family })
    }
}

impl Cookie {
    /// A client's part alone, or with 8 to 32 bytes of a server.
    pub(in crate::dns) fn read(data: &[u8]) -> Option<Self> {
        if data.len() != CLIENT_COOKIE && !(16..=MAX_COOKIE).contains(&data.len()) {
            return None;
        }
        let mut bytes = [0; MAX_COOKIE];
        bytes[..data.len()].copy_from_slice(data);
        Some(Self { bytes, length: u8::try_from(data.len()).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::{
        op::{Message, MessageType, OpCode, Query as Question},
        rr::{Name, RecordType},
    };
    use proptest::prelude::*;

    use super::*;

    fn message(name: &str, kind: RecordType) -> Vec<u8> {
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        message.add_query(Question::query(Name::from_ascii(name).unwrap(), kind));
        message.to_vec().unwrap()
    }

    fn with_options(options: &[u8]) -> Vec<u8> {
        let mut bytes = message("a.", RecordType::A);
        bytes[11] = 1;
        bytes.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0]);
        bytes.extend_from_slice(&u16::try_from(options.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(options);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Query, Malformed> {
        let mut query = Query::default();
        query.read(bytes).map(|()| query)
    }

    proptest! {
        #[test]
        fn another_implementations_queries_are_read_as_it_meant_them(
            labels in prop::collection::vec("[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?", 0..4),
            kind in prop::sample::select(vec![RecordType::A, RecordType::AAAA, RecordType::SOA, RecordType::CAA]),
        ) {
            let name = labels.join(".") + ".";
            let bytes = message(&name, kind);
            let query = read(&bytes).unwrap();
            let expected: crate::fleet::DnsName = name.parse().unwrap();
            prop_assert_eq!(query.name(), expected.as_wire());
            prop_assert_eq!(query.kind, u16::from(kind));
            prop_assert_eq!(query.question_end, bytes.len());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(query) = read(&bytes) {
                prop_assert!(query.question_end <= bytes.len());
            }
        }

        #[test]
        fn any_options_are_read_or_refused(options in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Err(error) = read(&with_options(&options)) {
                prop_assert_eq!(error, Malformed::Options);
            }
        }
    }

    #[test]
    fn every_cut_of_a_query_is_malformed_and_so_is_one_byte_too_many() {
        let bytes = message("www.shop.example.", RecordType::A);
        for length in 0..bytes.len() {
            let expected = if length < HEADER { Malformed::Short } else { Malformed::Format };
            assert_eq!(read(&bytes[..length]).err(), Some(expected));
        }
        assert_eq!(read(&[bytes, vec![0]].concat()).err(), Some(Malformed::Format));
    }

    #[test]
    fn what_is_no_query_says_why() {
        let good = message("a.", RecordType::A);
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            read(&bytes).err()
        };
        assert_eq!(with(2, 0x80), Some(Malformed::Response));
        assert_eq!(with(2, 0x28), Some(Malformed::Operation));
        assert_eq!(with(5, 2), Some(Malformed::Format));
        assert_eq!(with(HEADER, 0xc0), Some(Malformed::Format));
    }

    #[test]
    fn a_clients_network_is_taken_as_it_is_or_not_at_all() {
        let subnet = |data: &[u8]| {
            let length = u8::try_from(data.len()).unwrap();
            read(&with_options(&[&[0, 8, 0, length], data].concat())).map(|query| query.edns.unwrap().subnet)
        };
        let found = subnet(&[0, 1, 24, 0, 192, 0, 2]).unwrap().unwrap();
        assert_eq!((found.address, found.source), ([192, 0, 2, 0].into(), 24));
        let found = subnet(&[0, 2, 20, 0, 0x20, 0x01, 0x10]).unwrap().unwrap();
        assert_eq!(found.address, "2001:1000::".parse::<IpAddr>().unwrap());
        assert_eq!(subnet(&[0, 0, 0, 0]).unwrap().unwrap().source, 0);
        let bad: [&[u8]; 9] = [
            &[],
            &[0, 1, 24],
            &[0, 1, 24, 0, 192, 0],
            &[0, 1, 24, 0, 192, 0, 2, 0],
            &[0, 1, 20, 0, 192, 0, 1],
            &[0, 1, 33, 0, 192, 0, 2, 1, 0],
            &[0, 1, 24, 24, 192, 0, 2],
            &[0, 3, 8, 0, 10],
            &[0, 0, 8, 0, 10],
        ];
        for data in bad {
            assert_eq!(subnet(data), Err(Malformed::Options), "{data:?}");
        }
    }

    #[test]
    fn a_cookie_has_a_length_that_cookies_have() {
        for length in 0..=50_u8 {
            let read = read(&with_options(&[&[0, 10, 0, length][..], &vec![7; usize::from(length)]].concat()));
            let is_good = length == 8 || (16..=40).contains(&length);
            assert_eq!(read.is_ok(), is_good, "{length}");
            if let Ok(query) = read {
                let cookie = query.edns.unwrap().cookie.unwrap();
                assert_eq!((cookie.client(), cookie.server().len()), ([7; 8], usize::from(length) - 8));
            }
        }
    }

    #[test]
    fn what_another_version_says_is_left_unread() {
        let mut bytes = with_options(&[0, 8, 0, 1, 9]);
        assert_eq!(read(&bytes).err(), Some(Malformed::Options));
        let version = bytes.len() - 5 - 5;
        bytes[version] = 1;
        assert_eq!(read(&bytes).unwrap().edns.unwrap().version, 1);
    }
}
