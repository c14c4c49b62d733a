//! Writing an answer: header, the question as it came, records, and what does not fit left out.

use super::{CLASS_IN, HEADER, Query, kind};

/// The outcome of a query, as the wire knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rcode {
    /// An answer, or that there is no data.
    NoError,
    /// The query makes no sense.
    FormErr,
    /// There is no such name.
    NxDomain,
    /// Not an operation that is served.
    NotImp,
    /// Not our zone.
    Refused,
    /// An EDNS version that is not spoken.
    BadVers,
}

impl Rcode {
    /// All of them, in order.
    pub(in crate::dns) const ALL: [Self; 6] =
        [Self::NoError, Self::FormErr, Self::NxDomain, Self::NotImp, Self::Refused, Self::BadVers];

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoError => "noerror",
            Self::FormErr => "formerr",
            Self::NxDomain => "nxdomain",
            Self::NotImp => "notimp",
            Self::Refused => "refused",
            Self::BadVers => "badvers",
        }
    }

    /// The lower four bits, for the header.
    fn code(self) -> u16 {
        match self {
            Self::NoError | Self::BadVers => 0,
            Self::FormErr => 1,
            Self::NxDomain => 3,
            Self::NotImp => 4,
            Self::Refused => 5,
        }
    }

    /// The upper eight, for OPT.
    fn extended(self) -> u8 {
        u8::from(self == Self::BadVers)
    }
}

/// What the answer says in OPT.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) struct Edns {
    /// The largest datagram that this server takes.
    pub(in crate::dns) payload: u16,
    /// Echoed.
    pub(in crate::dns) wants_dnssec: bool,
}

/// OPT without options.
const OPT_LENGTH: usize = 11;

/// An answer while it is written. Records that do not fit within the limit make it truncated.
#[derive(Debug)]
pub(in crate::dns) struct Answer<'a> {
    out: &'a mut Vec<u8>,
    limit: usize,
    counts: [u16; 3],
    is_truncated: bool,
}

/// The sections after the question.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) enum Section {
    Answer = 0,
    Authority = 1,
}

impl<'a> Answer<'a> {
    /// Begins with the question copied as it came, so that the client finds its own spelling. `message` is what was parsed.
    pub(in crate::dns) fn begin(out: &'a mut Vec<u8>, message: &[u8], query: &Query, limit: usize) -> Self {
        out.clear();
        out.extend_from_slice(&message[..query.question_end]);
        // OPT always fits: the smallest limit is 512 and a question takes at most 271 bytes.
        let opt = if query.edns.is_some() { OPT_LENGTH } else { 0 };
        Self { out, limit: limit - opt, counts: [0; 3], is_truncated: false }
    }

    /// Where the next byte goes.
    pub(in crate::dns) fn position(&self) -> usize {
        self.out.len()
    }

    /// Appends a record to the answer section. `owner` is where its name stands in the message: within the question, or in one of
    /// the few CNAMEs behind it, so a pointer always reaches.
    pub(in crate::dns) fn answer(&mut self, owner: usize, record: &[u8]) -> bool {
        let pointer = 0xc000 | u16::try_from(owner).unwrap_or_default();
        self.append(Section::Answer, &pointer.to_be_bytes(), record)
    }

    /// Appends one record whose owner is written out.
    pub(in crate::dns) fn named(&mut self, section: Section, owner: &[u8], record: &[u8]) -> bool {
        self.append(section, owner, record)
    }

    fn append(&mut self, section: Section, owner: &[u8], record: &[u8]) -> bool {
        if self.is_truncated || self.out.len() + owner.len() + record.len() > self.limit {
            self.is_truncated = true;
            return false;
        }
        self.out.extend_from_slice(owner);
        self.out.extend_from_slice(record);
        self.counts[section as usize] += 1;
        true
    }

    /// Writes OPT and the header. A truncated answer holds the question alone, so that nobody takes a part for the whole.
    pub(in crate::dns) fn finish(mut self, query: &Query, rcode: Rcode, edns: Option<Edns>) -> bool {
        if self.is_truncated {
            self.out.truncate(query.question_end);
            self.counts = [0; 3];
        }
        if let Some(Edns { payload, wants_dnssec }) = edns {
            self.out.push(0);
            self.out.extend_from_slice(&kind::OPT.to_be_bytes());
            self.out.extend_from_slice(&payload.to_be_bytes());
            self.out.extend_from_slice(&[rcode.extended(), 0, if wants_dnssec { 0x80 } else { 0 }, 0, 0, 0]);
            self.counts[2] += 1;
        }
        let flag = |is_set: bool, bit: u16| if is_set { bit } else { 0 };
        let is_authoritative = matches!(rcode, Rcode::NoError | Rcode::NxDomain);
        let flags = 0x8000
            | flag(is_authoritative, 0x0400)
            | flag(self.is_truncated, 0x0200)
            | flag(query.wants_recursion, 0x0100)
            | rcode.code();
        let [answers, authorities, additionals] = self.counts;
        let header = [query.id, flags, 1, answers, authorities, additionals].map(u16::to_be_bytes);
        self.out[..HEADER].copy_from_slice(header.as_flattened());
        self.is_truncated
    }
}

/// An answer to what could not be parsed: the header alone.
pub(in crate::dns) fn bare(out: &mut Vec<u8>, message: &[u8], rcode: Rcode) {
    out.clear();
    let flags = 0x8000 | (u16::from(message[2] & 0x79) << 8) | rcode.code();
    out.extend_from_slice(&message[..2]);
    out.extend_from_slice(&flags.to_be_bytes());
    out.resize(HEADER, 0);
}

/// A record without its owner: type, class, TTL, length, data.
pub(in crate::dns) fn record(kind: u16, ttl: u32, data: &[u8]) -> Option<Box<[u8]>> {
    let length = u16::try_from(data.len()).ok()?;
    let mut bytes = Vec::with_capacity(10 + data.len());
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&CLASS_IN.to_be_bytes());
    bytes.extend_from_slice(&ttl.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(data);
    Some(bytes.into())
}
