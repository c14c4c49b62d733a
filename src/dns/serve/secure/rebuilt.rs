//! An answer of ours as `hickory-server` wants to have it, such that what it writes says the same.
//!
//! It reads no data of records that it could understand otherwise than it was meant: only names that may be compressed are read as
//! such (RFC 3597 §4), all other data and every option of EDNS goes through as the bytes it is. As it compresses names in its own way,
//! the answer may become longer or shorter: padding makes up for that.

use hickory_server::{
    proto::{
        op::{Edns, Header, Metadata},
        rr::{
            DNSClass, Name, RData, Record, RecordType,
            rdata::{
                NULL,
                opt::{EdnsCode, EdnsOption},
            },
        },
        serialize::binary::{BinDecodable, BinDecoder, BinEncoder, DecodeError},
    },
    zone_handler::{MessageResponse, MessageResponseBuilder, Queries},
};

/// What padded answers are a multiple of (RFC 8467 §4.1).
const BLOCK: usize = 468;
/// The types whose data may hold a compressed name.
const COMPRESSED: [RecordType; 5] =
    [RecordType::NS, RecordType::CNAME, RecordType::SOA, RecordType::PTR, RecordType::MX];

/// A message, taken apart.
pub(super) struct Rebuilt {
    metadata: Metadata,
    queries: Queries,
    answers: Vec<Record>,
    authorities: Vec<Record>,
    additionals: Vec<Record>,
    edns: Option<Edns>,
}

/// A response made of it.
type Response<'a> = MessageResponse<
    'a,
    'a,
    std::slice::Iter<'a, Record>,
    std::slice::Iter<'a, Record>,
    std::slice::Iter<'a, Record>,
    std::slice::Iter<'a, Record>,
>;

impl Rebuilt {
    /// Takes an answer apart. Nothing where it is malformed, which an answer of ours is not.
    pub(super) fn read(answer: &[u8]) -> Option<Self> {
        let mut rebuilt = read(answer).ok()?;
        let is_padded = rebuilt.padding().is_some() && answer.len().is_multiple_of(BLOCK);
        if is_padded {
            let now = rebuilt.length()?;
            let padding = rebuilt.padding()?;
            // As long as it was, or a whole number of blocks longer.
            let bare = now - padding.len();
            padding.resize(bare.next_multiple_of(BLOCK) - bare, 0);
        }
        Some(rebuilt)
    }

    pub(super) fn response(&self) -> Response<'_> {
        let builder = MessageResponseBuilder::new(&self.queries, self.edns.as_ref());
        builder.build(self.metadata, &self.answers, &self.authorities, &[], &self.additionals)
    }

    /// How long the response becomes.
    fn length(&self) -> Option<usize> {
        let mut bytes = Vec::new();
        self.response().destructive_emit(&mut BinEncoder::new(&mut bytes)).ok()?;
        Some(bytes.len())
    }

    /// What stands in the option for padding.
    fn padding(&mut self) -> Option<&mut Vec<u8>> {
        let options = self.edns.as_mut()?.options_mut().as_mut();
        options.iter_mut().find_map(|(code, option)| match option {
            EdnsOption::Unknown(_, bytes) if *code == EdnsCode::Padding => Some(bytes),
            _ => None,
        })
    }
}

fn read(answer: &[u8]) -> Result<Rebuilt, DecodeError> {
    let mut decoder = BinDecoder::new(answer);
    let Header { mut metadata, counts } = Header::read(&mut decoder)?;
    let queries = Queries::read(&mut decoder, counts.queries.into())?;
    let mut edns = None;
    let mut section = |count: u16| -> Result<Vec<Record>, DecodeError> {
        let mut records = Vec::with_capacity(count.into());
        for _ in 0..count {
            match part(&mut decoder)? {
                Part::Record(record) => records.push(*record),
                Part::Edns(found) => edns = Some(found),
            }
        }
        Ok(records)
    };
    let (answers, authorities) = (section(counts.answers)?, section(counts.authorities)?);
    let additionals = section(counts.additionals)?;
    if let Some(edns) = &edns {
        metadata.merge_response_code(Edns::rcode_high(edns));
    }
    Ok(Rebuilt { metadata, queries, answers, authorities, additionals, edns })
}

enum Part {
    Record(Box<Record>),
    Edns(Edns),
}

fn part(decoder: &mut BinDecoder<'_>) -> Result<Part, DecodeError> {
    let name = Name::read(decoder)?;
    let code = RecordType::read(decoder)?;
    let class = decoder.read_u16()?.unverified();
    let ttl = decoder.read_u32()?.unverified();
    let length = decoder.read_u16()?;
    if COMPRESSED.contains(&code) {
        let data = RData::read(decoder, code, length)?;
        return Ok(Part::record(name, class, ttl, data));
    }
    let data = decoder.read_slice(usize::from(length.unverified()))?.unverified();
    if code == RecordType::OPT {
        return options(class, ttl, data).map(Part::Edns);
    }
    let rdata = if data.is_empty() { NULL::new() } else { NULL::with(data.to_vec()) };
    Ok(Part::record(name, class, ttl, RData::Unknown { code, rdata }))
}

impl Part {
    fn record(name: Name, class: u16, ttl: u32, data: RData) -> Self {
        let mut record = Record::from_rdata(name, ttl, data);
        record.dns_class = DNSClass::from(class);
        Self::Record(Box::new(record))
    }
}

/// OPT, with every option as it is (RFC 6891 §6.1).
fn options(payload: u16, ttl: u32, data: &[u8]) -> Result<Edns, DecodeError> {
    let [rcode, version, flags, _] = ttl.to_be_bytes();
    let mut edns = Edns::new();
    edns.set_max_payload(payload).set_rcode_high(rcode).set_version(version).set_dnssec_ok(flags & 0x80 != 0);
    let mut decoder = BinDecoder::new(data);
    while !decoder.is_empty() {
        let code = decoder.read_u16()?.unverified();
        let length = decoder.read_u16()?.unverified();
        let bytes = decoder.read_slice(length.into())?.unverified().to_vec();
        edns.options_mut().as_mut().push((code.into(), EdnsOption::Unknown(code, bytes)));
    }
    Ok(edns)
}
