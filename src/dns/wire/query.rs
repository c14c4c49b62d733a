//! Reading a query where it lies. Nothing is copied but the name, in lower case, for finding it.

use super::{HEADER, kind};

/// Longest name on the wire.
const MAX_NAME: usize = 255;

/// What a client asks.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) struct Query {
    /// As the client chose it.
    pub(in crate::dns) id: u16,
    /// Recursion desired: echoed.
    pub(in crate::dns) wants_recursion: bool,
    /// The name, lower case, in wire form.
    name: [u8; MAX_NAME],
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
}

impl Query {
    /// The name asked for: lower case, in wire form.
    pub(in crate::dns) fn name(&self) -> &[u8] {
        &self.name[..self.name_length]
    }

    /// Reads a message. Exactly one question; records after it must be well formed, and at most one of them is OPT.
    pub(in crate::dns) fn parse(message: &[u8]) -> Result<Self, Malformed> {
        let header: &[u8; HEADER] = message.first_chunk().ok_or(Malformed::Short)?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let flags = word(2);
        if flags & 0x8000 != 0 {
            return Err(Malformed::Response);
        }
        if flags & 0x7800 != 0 {
            return Err(Malformed::Operation);
        }
        let [questions, answers, authorities, additionals] = [4, 6, 8, 10].map(word);
        if questions != 1 {
            return Err(Malformed::Format);
        }
        let mut cursor = Cursor { message, at: HEADER };
        let mut name = [0; MAX_NAME];
        let name_length = cursor.question_name(&mut name)?;
        let (kind, class) = (cursor.word()?, cursor.word()?);
        let question_end = cursor.at;
        for _ in 0..u32::from(answers) + u32::from(authorities) {
            cursor.record()?;
        }
        let mut edns = None;
        for _ in 0..additionals {
            if let Some(found) = cursor.record()?
                && edns.replace(found).is_some()
            {
                return Err(Malformed::Format);
            }
        }
        let (id, wants_recursion) = (word(0), flags & 0x0100 != 0);
        Ok(Self { id, wants_recursion, name, name_length, kind, class, question_end, edns })
    }
}

struct Cursor<'a> {
    message: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = *self.message.get(self.at).ok_or(Malformed::Format)?;
        self.at += 1;
        Ok(byte)
    }

    fn word(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    fn skip(&mut self, length: usize) -> Result<(), Malformed> {
        self.at += length;
        if self.at > self.message.len() { Err(Malformed::Format) } else { Ok(()) }
    }

    /// Copies the question's name in lower case; a pointer there could only lead into the header.
    fn question_name(&mut self, name: &mut [u8; MAX_NAME]) -> Result<usize, Malformed> {
        let mut length = 0;
        loop {
            let label = self.byte()?;
            let end = length + 1 + usize::from(label);
            // A label is never the last byte: the root's zero has to fit behind it.
            if label > 63 || end > MAX_NAME || (label > 0 && end == MAX_NAME) {
                return Err(Malformed::Format);
            }
            name[length] = label;
            for slot in &mut name[length + 1..end] {
                *slot = self.byte()?.to_ascii_lowercase();
            }
            length = end;
            if label == 0 {
                return Ok(length);
            }
        }
    }

    /// Steps over a name that may end in a pointer; where that leads does not matter.
    fn skip_name(&mut self) -> Result<bool, Malformed> {
        let start = self.at;
        loop {
            match self.byte()? {
                0 => return Ok(self.at == start + 1),
                label @ 1..=63 => self.skip(usize::from(label))?,
                192.. => {
                    self.skip(1)?;
                    return Ok(false);
                }
                _ => return Err(Malformed::Format),
            }
        }
    }

    /// Steps over one record; says what it found if that was OPT.
    fn record(&mut self) -> Result<Option<ClientEdns>, Malformed> {
        let is_root = self.skip_name()?;
        let (kind, class) = (self.word()?, self.word()?);
        let (_extended_rcode, version, flags) = (self.byte()?, self.byte()?, self.word()?);
        let length = self.word()?;
        self.skip(usize::from(length))?;
        if kind != kind::OPT {
            return Ok(None);
        }
        if !is_root {
            return Err(Malformed::Format);
        }
        Ok(Some(ClientEdns { payload: class, version, wants_dnssec: flags & 0x8000 != 0 }))
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

    proptest! {
        #[test]
        fn another_implementations_queries_are_read_as_it_meant_them(
            labels in prop::collection::vec("[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?", 0..4),
            kind in prop::sample::select(vec![RecordType::A, RecordType::AAAA, RecordType::SOA, RecordType::CAA]),
        ) {
            let name = labels.join(".") + ".";
            let bytes = message(&name, kind);
            let query = Query::parse(&bytes).unwrap();
            let expected: crate::fleet::DnsName = name.parse().unwrap();
            prop_assert_eq!(query.name(), expected.as_wire());
            prop_assert_eq!(query.kind, u16::from(kind));
            prop_assert_eq!(query.question_end, bytes.len());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(query) = Query::parse(&bytes) {
                prop_assert!(query.question_end <= bytes.len());
            }
        }
    }

    #[test]
    fn every_cut_of_a_query_is_malformed() {
        let bytes = message("www.shop.example.", RecordType::A);
        for length in 0..bytes.len() {
            let expected = if length < HEADER { Malformed::Short } else { Malformed::Format };
            assert_eq!(Query::parse(&bytes[..length]).err(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_query_says_why() {
        let good = message("a.", RecordType::A);
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            Query::parse(&bytes).err()
        };
        assert_eq!(with(2, 0x80), Some(Malformed::Response));
        assert_eq!(with(2, 0x28), Some(Malformed::Operation));
        assert_eq!(with(5, 2), Some(Malformed::Format));
        assert_eq!(with(HEADER, 0xc0), Some(Malformed::Format));
    }
}
