//! Writing an answer: the question as it came, then records that were encoded beforehand.

use super::{CLASS_IN, HEADER, Opt, Query, Rcode};

/// A record before its data: the owner as a pointer, type, class, TTL, length.
pub(in crate::dns) const RECORD_HEAD: usize = 12;
/// A pointer to the question's name.
const TO_QUESTION: u16 = 0xc00c;
/// The last byte that a pointer can lead to.
const LAST_POINTED: usize = 0x3fff;

/// An answer while it is written. Records that do not fit within the limit make it truncated.
#[derive(Debug)]
pub(in crate::dns) struct Answer<'a> {
    out: &'a mut Vec<u8>,
    /// For records alone.
    limit: usize,
    counts: [u16; 3],
    is_truncated: bool,
}

/// The sections after the question.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) enum Section {
    Answer = 0,
    Authority = 1,
    Additional = 2,
}

/// Some records of one owner and type, encoded one behind the other, each with a pointer to the question in front.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::dns) struct Records<'a> {
    pub(in crate::dns) bytes: &'a [u8],
    pub(in crate::dns) count: u16,
}

impl<'a> Answer<'a> {
    /// Begins with the question copied as it came, so that the client finds its own spelling. `message` is what was read; of `limit`
    /// bytes, `reserved` are not for records.
    pub(in crate::dns) fn begin(
        out: &'a mut Vec<u8>,
        message: &[u8],
        query: &Query,
        limit: usize,
        reserved: usize,
    ) -> Self {
        out.clear();
        out.extend_from_slice(&message[..query.question_end]);
        // OPT always fits: the smallest limit is 512, a question takes at most 271 bytes, and OPT with what it cannot do without at most 70.
        Self { out, limit: limit.saturating_sub(reserved), counts: [0; 3], is_truncated: false }
    }

    /// Where the next byte goes.
    pub(in crate::dns) fn position(&self) -> usize {
        self.out.len()
    }

    /// Whether a name that was written out there is this one, given in lower case.
    pub(in crate::dns) fn has_name(&self, position: usize, name: &[u8]) -> bool {
        self.out.get(position..position + name.len()).is_some_and(|written| written.eq_ignore_ascii_case(name))
    }

    /// Makes it one that says nothing but that there is more by TCP.
    pub(in crate::dns) fn truncate(&mut self) {
        self.is_truncated = true;
    }

    /// Appends records whose owner stands at `owner`: within the question, or in what was written since. A TTL is put in where one is
    /// given. Says whether all fitted; if not, and they were `needed`, the answer is truncated.
    pub(in crate::dns) fn append(
        &mut self,
        section: Section,
        owner: usize,
        records: Records<'_>,
        ttl: Option<u32>,
        is_needed: bool,
    ) -> bool {
        let length = if owner > LAST_POINTED { self.spelled_length(owner, records) } else { records.bytes.len() };
        if self.is_truncated || self.out.len() + length > self.limit {
            self.is_truncated |= is_needed;
            return false;
        }
        if owner > LAST_POINTED {
            self.spell(section, owner, records, ttl);
            return true;
        }
        let start = self.out.len();
        self.out.extend_from_slice(records.bytes);
        self.counts[section as usize] += records.count;
        let pointer = pointer(owner);
        if pointer != TO_QUESTION || ttl.is_some() {
            self.patch(start, pointer, ttl);
        }
        true
    }

    /// How long records are with their owner written out.
    fn spelled_length(&self, owner: usize, records: Records<'_>) -> usize {
        let longer = self.name_at(owner).len().saturating_sub(size_of::<u16>());
        records.bytes.len() + longer * usize::from(records.count)
    }

    /// Where a name stands that was written out.
    fn name_at(&self, position: usize) -> std::ops::Range<usize> {
        let mut end = position;
        while let Some(label) = self.out.get(end).filter(|label| **label > 0) {
            end += usize::from(*label) + 1;
        }
        position..(end + 1).min(self.out.len())
    }

    /// Records of a name that stands too far behind for a pointer, as that of one of very many servers: each has it written out.
    fn spell(&mut self, section: Section, owner: usize, records: Records<'_>, ttl: Option<u32>) {
        let (name, mut left) = (self.name_at(owner), records.bytes);
        while let Some((head, rest)) = left.split_first_chunk::<RECORD_HEAD>() {
            let length = usize::from(u16::from_be_bytes([head[10], head[11]]));
            let (data, after) = rest.split_at(length.min(rest.len()));
            self.out.extend_from_within(name.clone());
            self.out.extend_from_slice(&head[2..6]);
            match ttl {
                Some(ttl) => self.out.extend_from_slice(&ttl.to_be_bytes()),
                None => self.out.extend_from_slice(&head[6..10]),
            }
            self.out.extend_from_slice(&head[10..]);
            self.out.extend_from_slice(data);
            left = after;
        }
        self.counts[section as usize] += records.count;
    }

    fn patch(&mut self, start: usize, pointer: u16, ttl: Option<u32>) {
        let mut left = &mut self.out[start..];
        while let Some((head, rest)) = left.split_first_chunk_mut::<RECORD_HEAD>() {
            head[..2].copy_from_slice(&pointer.to_be_bytes());
            if let Some(ttl) = ttl {
                head[6..10].copy_from_slice(&ttl.to_be_bytes());
            }
            let length = usize::from(u16::from_be_bytes([head[10], head[11]]));
            left = rest.get_mut(length..).unwrap_or_default();
        }
    }

    /// Appends a record that is made now.
    pub(in crate::dns) fn make(&mut self, section: Section, owner: usize, kind: u16, ttl: u32, data: &[u8]) -> bool {
        let Ok(length) = u16::try_from(data.len()) else { return false };
        if self.is_truncated || self.out.len() + RECORD_HEAD + data.len() > self.limit {
            self.is_truncated = true;
            return false;
        }
        self.out.extend_from_slice([pointer(owner), kind, CLASS_IN].map(u16::to_be_bytes).as_flattened());
        self.out.extend_from_slice(&ttl.to_be_bytes());
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(data);
        self.counts[section as usize] += 1;
        true
    }

    /// Writes OPT and the header. A truncated answer holds the question alone, so that nobody takes a part for the whole.
    pub(in crate::dns) fn finish(
        mut self,
        query: &Query,
        rcode: Rcode,
        is_authoritative: bool,
        opt: Option<&Opt<'_>>,
        limit: usize,
    ) -> bool {
        if self.is_truncated {
            self.out.truncate(query.question_end);
            self.counts = [0; 3];
        }
        if let Some(opt) = opt {
            opt.write(self.out, rcode, limit);
            self.counts[Section::Additional as usize] += 1;
        }
        let flag = |is_set: bool, bit: u16| if is_set { bit } else { 0 };
        let flags =
            0x8000 | flag(is_authoritative, 0x0400) | flag(self.is_truncated, 0x0200) | query.echoed | rcode.code();
        let [answers, authorities, additionals] = self.counts;
        let questions = u16::from(!query.is_for_a_cookie());
        let header = [query.id, flags, questions, answers, authorities, additionals].map(u16::to_be_bytes);
        self.out[..HEADER].copy_from_slice(header.as_flattened());
        self.is_truncated
    }
}

/// Names that are pointed to stand within the first 16 KiB: the question, one of the few CNAMEs behind it, or one of not too many servers.
fn pointer(owner: usize) -> u16 {
    0xc000 | u16::try_from(owner & LAST_POINTED).unwrap_or_default()
}

/// An answer to what could not be read: the header alone, and OPT where the client has shown that it speaks EDNS. Nothing that came is
/// sent back but its id.
pub(in crate::dns) fn bare(out: &mut Vec<u8>, message: &[u8], rcode: Rcode, opt: Option<&Opt<'_>>) {
    out.clear();
    let flags = 0x8000 | (u16::from(message[2] & 0x79) << 8) | rcode.code();
    out.extend_from_slice(&message[..2]);
    out.extend_from_slice(&flags.to_be_bytes());
    out.resize(HEADER, 0);
    if let Some(opt) = opt {
        out[HEADER - 1] = 1;
        opt.write(out, rcode, usize::MAX);
    }
}

/// A record that points to the question, appended to others like it. Nothing where its data is too long for one.
pub(in crate::dns) fn record(into: &mut Vec<u8>, kind: u16, ttl: u32, data: &[u8]) -> bool {
    let Ok(length) = u16::try_from(data.len()) else { return false };
    into.extend_from_slice([TO_QUESTION, kind, CLASS_IN].map(u16::to_be_bytes).as_flattened());
    into.extend_from_slice(&ttl.to_be_bytes());
    into.extend_from_slice(&length.to_be_bytes());
    into.extend_from_slice(data);
    true
}
