//! Reading files, those of a zone and those that they include, and how much of it there may be.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{Contents, entry::State};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        files::{bytes_of, why_unreadable},
    },
    fleet::DnsName,
};

/// Bytes of one zone file.
const MAX_FILE: u64 = 64 << 20;
/// Bytes of all zone files of a config.
const MAX_BYTES: u64 = 512 << 20;
/// Records of all zone files of a config.
const MAX_RECORDS: usize = 2_000_000;
/// Zone files of a config, each counted as often as it is included.
const MAX_FILES: usize = 10_000;
/// Files that include each other.
const MAX_DEPTH: usize = 8;

/// What is left to all zones of a config.
#[derive(Debug)]
pub(in crate::config) struct Budget {
    bytes: u64,
    records: usize,
    files: usize,
    is_exhausted: bool,
}

impl Budget {
    pub(in crate::config) fn new() -> Self {
        Self { bytes: MAX_BYTES, records: MAX_RECORDS, files: MAX_FILES, is_exhausted: false }
    }

    /// Takes one record. Where there are none left, nothing more is read; the first time that is told.
    pub(super) fn take_record(&mut self) -> Result<(), Option<Diagnostic>> {
        let left = self.records.checked_sub(1);
        self.records =
            self.take(left, || format!("the zone files of a config hold at most {MAX_RECORDS} records together"))?;
        Ok(())
    }

    fn take_file(&mut self) -> Result<(), Option<Diagnostic>> {
        let left = self.files.checked_sub(1);
        self.files = self.take(left, || {
            format!("at most {MAX_FILES} zone files are read, each counted as often as it is included")
        })?;
        Ok(())
    }

    fn take_bytes(&mut self, bytes: u64) -> Result<(), Option<Diagnostic>> {
        let left = self.bytes.checked_sub(bytes);
        self.bytes =
            self.take(left, || format!("the zone files of a config are at most {} MiB together", MAX_BYTES >> 20))?;
        Ok(())
    }

    fn take<T>(&mut self, left: Option<T>, message: impl FnOnce() -> String) -> Result<T, Option<Diagnostic>> {
        if self.is_exhausted {
            return Err(None);
        }
        left.ok_or_else(|| {
            self.is_exhausted = true;
            Some(Diagnostic::error(Code::TooMany, message()))
        })
    }
}

/// Reads the files of one zone.
pub(super) struct Reader<'a> {
    pub(super) apex: &'a DnsName,
    /// Where a file says nothing about it.
    pub(super) ttl: u32,
    pub(super) contents: &'a mut Contents,
    pub(super) budget: &'a mut Budget,
    pub(super) problems: &'a mut Diagnostics,
}

impl Reader<'_> {
    /// Reads a file that is asked for at `asked`.
    pub(super) fn file(&mut self, path: &Path, asked: Option<Place>, state: State, depth: usize) {
        if let Err(mistake) = self.try_file(path, state, depth) {
            self.contents.is_broken = true;
            if let Some(mistake) = mistake {
                self.problems.push(mistake.at(asked, ""));
            }
        }
    }

    fn try_file(&mut self, path: &Path, state: State, depth: usize) -> Result<(), Option<Diagnostic>> {
        if depth > MAX_DEPTH {
            let message = format!("zone files include each other more than {MAX_DEPTH} deep");
            let hint = "does one of them include itself?".to_owned();
            return Err(Some(Diagnostic::error(Code::ZoneFile, message).hint(hint)));
        }
        self.budget.take_file()?;
        let shown = path.display();
        let error = |why: &str| Some(Diagnostic::error(Code::ZoneFile, format!("zone file `{shown}` {why}")));
        let bytes = bytes_of(path, MAX_FILE).map_err(|failure| {
            let hint = Some("zone files are looked for from the directory the node is started in, included ones from that of the file that asks");
            let hint = hint.filter(|_| failure.kind() == io::ErrorKind::NotFound && path.is_relative());
            error(&format!("cannot be read: {}", why_unreadable(&failure))).map(|one| one.hint(hint.map(str::to_owned)))
        })?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(error(&format!("is over {} MiB", MAX_FILE >> 20)));
        }
        self.budget.take_bytes(bytes.len() as u64)?;
        let id = self.problems.add_file(shown.to_string());
        let text = String::from_utf8(bytes).map_err(|wrong| {
            let valid = wrong.utf8_error().valid_up_to();
            let byte = wrong.as_bytes().get(valid).copied().unwrap_or_default();
            let mut before = wrong.into_bytes();
            before.truncate(valid);
            self.problems.put_text(id, String::from_utf8(before).unwrap_or_default());
            let mistake = error("is not UTF-8 text");
            mistake.map(|one| one.at(Place::new(id, &(valid..valid)), format!("byte 0x{byte:02x} follows")))
        })?;
        self.contents.files.push(path.to_owned());
        let directory = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        self.entries(id, &text, &directory, state, depth);
        self.problems.put_text(id, text);
        Ok(())
    }
}
