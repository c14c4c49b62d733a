//! What came back, as two other implementations read it.

use std::{fmt, net::IpAddr};

use domain::{
    base::{
        Message, Name, ParsedRecord, Rtype, opt,
        rdata::ComposeRecordData,
        zonefile_fmt::{DisplayKind, ZonefileFmt},
    },
    rdata::AllRecordData,
};
use hickory_proto::{
    op::Message as Second,
    serialize::binary::{BinEncodable, BinEncoder},
};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) size: usize,
    pub(crate) bytes: Vec<u8>,
    pub(crate) id: u16,
    /// The second and third word of the header.
    pub(crate) flags: u16,
    /// With what OPT adds to it.
    pub(crate) rcode: u16,
    /// Name, type and class, as they came.
    pub(crate) question: Option<(Vec<u8>, u16, u16)>,
    /// Answer, authority and additional section, without OPT.
    pub(crate) sections: [Vec<Line>; 3],
    pub(crate) edns: Option<Edns>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) owner: String,
    pub(crate) ttl: u32,
    pub(crate) kind: String,
    pub(crate) data: String,
    /// The data, with names written out.
    pub(crate) wire: Vec<u8>,
}

/// OPT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edns {
    pub(crate) payload: u16,
    pub(crate) version: u8,
    pub(crate) wants_dnssec: bool,
    /// Address, source and scope prefix.
    pub(crate) subnet: Option<(IpAddr, u8, u8)>,
    /// Codes and bytes, in order.
    pub(crate) options: Vec<(u16, Vec<u8>)>,
}

impl Answer {
    /// Reads it twice; what the two do not agree about is an error.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let seen = &with_family(bytes);
        let first = Self::read_first(seen).map_err(|error| format!("`domain` cannot read it: {error}"))?;
        let first = Self { bytes: bytes.into(), ..first };
        let second = Second::from_vec(seen).map_err(|error| format!("`hickory-proto` cannot read it: {error}"))?;
        let counts = |of: &Self| of.sections.each_ref().map(Vec::len);
        let seen = [&second.answers, &second.authorities, &second.additionals].map(Vec::len);
        let rcode = u16::from(second.metadata.response_code);
        if (counts(&first), first.rcode, first.edns.is_some()) != (seen, rcode, second.edns.is_some()) {
            return Err(format!("the readers disagree: {first:?} {second:?}"));
        }
        let all = [&second.answers, &second.authorities, &second.additionals];
        for (line, record) in first.sections.iter().flatten().zip(all.into_iter().flatten()) {
            let labels = record.name.iter().flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label].concat());
            let owner = Name::from_octets(labels.chain([0]).collect::<Vec<_>>()).map_err(|error| error.to_string())?;
            let is_same_owner = owner.to_string() == line.owner;
            let mut data = Vec::new();
            let mut encoder = BinEncoder::new(&mut data);
            encoder.set_canonical_form(true);
            record.data.emit(&mut encoder).map_err(|error| error.to_string())?;
            // The canonical form is in lower case, where it is of names.
            if !is_same_owner || record.ttl != line.ttl || !data.eq_ignore_ascii_case(&line.wire) {
                return Err(format!("the readers disagree about a record: {line} and {record}"));
            }
        }
        Ok(first)
    }

    fn read_first(bytes: &[u8]) -> Result<Self, String> {
        let message = Message::from_octets(bytes).map_err(|error| error.to_string())?;
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let question = message.question().next().transpose().map_err(|error| error.to_string())?;
        let question = question.map(|question| {
            let name = question
                .qname()
                .iter()
                .flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_slice()].concat());
            (name.collect(), question.qtype().to_int(), question.qclass().to_int())
        });
        let (_, answer, authority, additional) = message.sections().map_err(|error| error.to_string())?;
        let mut sections = [Vec::new(), Vec::new(), Vec::new()];
        let mut end = None;
        for (lines, section) in sections.iter_mut().zip([answer, authority, additional]) {
            let mut section = section;
            for record in &mut section {
                let record = record.map_err(|error| error.to_string())?;
                if record.rtype() != Rtype::OPT {
                    lines.push(Line::of(&record)?);
                }
            }
            end = Some(section.pos());
        }
        if end.is_some_and(|end| end != bytes.len()) {
            return Err("something stands behind it".into());
        }
        let counts = message.header_counts();
        let opts = usize::from(counts.arcount()) - sections[2].len();
        let edns = message.opt().map(|record| Edns::of(&record)).transpose()?;
        if opts != usize::from(edns.is_some()) {
            return Err(format!("{opts} OPT records"));
        }
        Ok(Self {
            size: bytes.len(),
            bytes: bytes.into(),
            id: word(0),
            flags: word(2),
            rcode: message.opt_rcode().to_int(),
            question,
            sections,
            edns,
        })
    }
}

/// A message in which a client's network of nothing has a family: `dig +subnet=0` says none, gets none back, and neither reader knows of it.
fn with_family(bytes: &[u8]) -> Vec<u8> {
    const NOTHING: &[u8] = &[0, 8, 0, 4, 0, 0, 0, 0];
    let mut bytes = bytes.to_vec();
    if let Some(at) = bytes.windows(NOTHING.len()).position(|window| window == NOTHING) {
        bytes[at + 5] = 1;
    }
    bytes
}

impl Line {
    fn of(record: &ParsedRecord<'_, &[u8]>) -> Result<Self, String> {
        let parsed = record
            .to_any_record::<AllRecordData<_, _>>()
            .map_err(|error| format!("the data of {} {} makes no sense: {error}", record.owner(), record.rtype()))?;
        let data = parsed.data().display_zonefile(DisplayKind::Simple).to_string();
        let mut wire = Vec::new();
        parsed.data().compose_rdata(&mut wire).map_err(|error| error.to_string())?;
        let class = if record.class().to_int() == 1 { String::new() } else { format!("{} ", record.class()) };
        Ok(Self {
            owner: record.owner().to_string(),
            ttl: record.ttl().as_secs(),
            kind: format!("{class}{}", record.rtype()),
            data: words(&data),
            wire,
        })
    }
}

impl Line {
    /// With its owner in lower case, and its data where that is the name of a CNAME.
    pub(crate) fn in_lower_case(mut self) -> Self {
        self.owner.make_ascii_lowercase();
        if self.kind == "CNAME" {
            self.data.make_ascii_lowercase();
            self.wire.make_ascii_lowercase();
        }
        self
    }
}

/// With one space between words, and names without their last dot.
pub(crate) fn words(data: &str) -> String {
    let plain = |word: &str| match word.strip_suffix('.') {
        Some(name) if !name.is_empty() && !name.ends_with('\\') => name.to_owned(),
        _ => word.to_owned(),
    };
    data.split_whitespace().map(plain).collect::<Vec<_>>().join(" ")
}

impl Edns {
    fn of(record: &opt::OptRecord<&[u8]>) -> Result<Self, String> {
        let options = record.opt();
        let bytes = options.iter::<opt::UnknownOptData<_>>().collect::<Result<Vec<_>, _>>();
        let bytes = bytes.map_err(|error| error.to_string())?;
        let known = options.iter::<opt::AllOptData<_, Name<&[u8]>>>().collect::<Result<Vec<_>, _>>();
        known.map_err(|error| format!("an option makes no sense: {error}"))?;
        let subnet = options.client_subnet();
        Ok(Self {
            payload: record.udp_payload_size(),
            version: record.version(),
            wants_dnssec: record.dnssec_ok(),
            subnet: subnet.map(|one| (one.addr(), one.source_prefix_len(), one.scope_prefix_len())),
            options: bytes.iter().map(|one| (one.code().to_int(), one.data().to_vec())).collect(),
        })
    }

    /// What an option holds.
    pub(crate) fn option(&self, code: u16) -> Option<&[u8]> {
        self.options.iter().find(|(known, _)| *known == code).map(|(_, bytes)| &**bytes)
    }

    /// Why the answer is as it is: a code, and words.
    pub(crate) fn explanation(&self) -> Option<(u16, String)> {
        let (code, text) = self.option(15)?.split_first_chunk()?;
        Some((u16::from_be_bytes(*code), String::from_utf8_lossy(text).into_owned()))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.owner, self.ttl, self.kind, self.data)
    }
}

/// The word for a response code.
pub(crate) fn rcode(code: u16) -> String {
    let words = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN"];
    match code {
        16 => "BADVERS".into(),
        23 => "BADCOOKIE".into(),
        code => words.get(usize::from(code)).map_or_else(|| code.to_string(), |word| (*word).into()),
    }
}

/// The bits of the header that are set, as tools call them.
pub(crate) fn flags(flags: u16) -> String {
    let bits =
        [(0x0400, "aa"), (0x0200, "tc"), (0x0100, "rd"), (0x0080, "ra"), (0x0040, "z"), (0x0020, "ad"), (0x0010, "cd")];
    bits.into_iter().filter(|(bit, _)| flags & bit != 0).map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rcode {}; flags {}; {} bytes", rcode(self.rcode), flags(self.flags), self.size)?;
        for (lines, section) in self.sections.iter().zip(["answer", "authority", "additional"]) {
            for line in lines {
                writeln!(f, "{section} {line}")?;
            }
        }
        if let Some(edns) = &self.edns {
            write!(f, "edns {}", edns.payload)?;
            if let Some((address, source, scope)) = edns.subnet {
                write!(f, "; subnet {address}/{source} scope {scope}")?;
            }
            if let Some((code, text)) = edns.explanation() {
                write!(f, "; explanation {code} {text}")?;
            }
            for (code, bytes) in edns.options.iter().filter(|(code, _)| ![8, 15].contains(code)) {
                write!(f, "; option {code} {}", data_encoding::HEXLOWER.encode(bytes))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
