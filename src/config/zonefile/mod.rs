//! Zone files: standard master files (RFC 1035 §5.1, RFC 2308 §4), from disk to records that know their places.
//!
//! `$ORIGIN`, `$TTL` and `$INCLUDE`, parentheses, quotes, escapes, comments, owners left out, TTLs with units. Everything has a place, and
//! a mistake ends with its line, so one run shows all of them. Only the class IN is spoken.
//!
//! Bounds: [`Budget`] for all zones of a config together, so that a file that includes itself, or a directory of huge ones, ends with a
//! diagnostic and not with the memory.
//!
//! Not here: the data of a record (`record`), and what the records of a zone mean beside each other (`resolve::zones`).

mod entry;
mod include;
mod soa;
mod ttl;

use std::path::PathBuf;

pub(super) use include::Budget;
pub(super) use soa::WrittenSoa;

use super::{
    diagnostic::{Diagnostics, Place},
    document::Written,
};
use crate::fleet::DnsName;

/// One record of a zone, wherever it was written.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) owner: DnsName,
    pub(super) kind: u16,
    pub(super) ttl: u32,
    /// In wire form, names in lower case.
    pub(super) data: Box<[u8]>,
    pub(super) place: Option<Place>,
}

/// What the files of one zone say.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// All but the SOA, in the order of the files.
    pub(super) records: Vec<Record>,
    pub(super) soa: Option<WrittenSoa>,
    /// All that were read, included ones as often as they are.
    pub(super) files: Vec<PathBuf>,
    /// Whether something in them could not be read: then nothing can be said to be missing.
    pub(super) is_broken: bool,
}

/// Reads the files of a zone one after the other. `ttl` holds where a file says nothing about it.
pub(super) fn read(
    files: &[Written<PathBuf>],
    apex: &DnsName,
    ttl: u32,
    budget: &mut Budget,
    problems: &mut Diagnostics,
) -> Contents {
    let mut contents = Contents::default();
    let mut reader = include::Reader { apex, ttl, contents: &mut contents, budget, problems };
    for file in files {
        reader.file(&file.value, file.place, entry::State::new(apex), 0);
    }
    contents
}

#[cfg(test)]
mod tests;
