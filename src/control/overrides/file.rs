//! `overrides.json` in the state directory: JSON with a version, replaced as a whole so that a crash leaves the old or the new.
//!
//! A file that cannot be read as it was meant is an error at start and is never written over: it holds decisions of people.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::list::{Action, Override, OverrideList};
use crate::fleet::{Address, BasisPoints, Subject};

/// Four times what [`OverrideList::LIMIT`] overrides of full length take.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

const VERSION: u32 = 1;

/// Why the overrides of an earlier run are not known.
#[derive(Debug, thiserror::Error)]
pub enum OverrideFileError {
    /// The file is there and cannot be read.
    #[error(
        "cannot read the overrides in `{path}`: {source}\nhint: let this user read the file, or set another state directory"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not hold what was written there.
    #[error(
        "the overrides in `{path}` are damaged: {reason}\n\
         hint: restore the file from a copy, or move it away to start without the overrides it holds"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Where the overrides are kept.
#[derive(Clone, Debug)]
pub(in crate::control) struct OverrideFile {
    path: Arc<Path>,
}

impl OverrideFile {
    pub(in crate::control) fn in_directory(directory: &Path) -> Self {
        Self { path: directory.join("overrides.json").into() }
    }

    pub(in crate::control) fn path(&self) -> &Path {
        &self.path
    }

    /// What was kept; nothing where there is no file.
    pub(in crate::control) fn load(&self) -> Result<Vec<Override>, OverrideFileError> {
        let unreadable = |source| OverrideFileError::Unreadable { path: self.path.to_path_buf(), source };
        let damaged = |reason| OverrideFileError::Damaged { path: self.path.to_path_buf(), reason };
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut text = Vec::new();
        file.take(LARGEST_FILE + 1).read_to_end(&mut text).map_err(unreadable)?;
        if text.len() as u64 > LARGEST_FILE {
            return Err(damaged(format!("it is over {} MiB long", LARGEST_FILE >> 20)));
        }
        decode(&text).map_err(damaged)
    }

    /// Replaces what was kept; on disk when this returns. Blocks.
    pub(in crate::control) fn save(&self, overrides: &[Override]) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let fresh = self.path.with_extension("json.new");
        let mut file = File::create(&fresh)?;
        file.write_all(&encode(overrides)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        // The new name itself is on disk only once the directory is.
        File::open(directory)?.sync_all()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    overrides: Vec<StoredOverride>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredOverride {
    subject: StoredSubject,
    action: StoredAction,
    author: String,
    reason: String,
    created: u64,
    expires: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StoredSubject {
    Origin { pool: Arc<str>, address: Address },
    FrontDoor { region: Arc<str> },
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredAction {
    Up,
    Down,
    Drain,
    /// In seconds.
    Evacuate(u64),
    /// In basis points.
    Weight(u16),
}

fn encode(overrides: &[Override]) -> io::Result<Vec<u8>> {
    let stored = |one: &Override| StoredOverride {
        subject: match one.subject.clone() {
            Subject::Origin { pool, address } => StoredSubject::Origin { pool, address },
            Subject::FrontDoor { region } => StoredSubject::FrontDoor { region },
        },
        action: match one.action {
            Action::Up => StoredAction::Up,
            Action::Down => StoredAction::Down,
            Action::Drain => StoredAction::Drain,
            Action::Evacuate(over) => StoredAction::Evacuate(over.as_secs()),
            Action::Weight(share) => StoredAction::Weight(share.get()),
        },
        author: one.author.clone(),
        reason: one.reason.clone(),
        created: one.created,
        expires: one.expires,
    };
    let mut text =
        serde_json::to_vec_pretty(&Stored { version: VERSION, overrides: overrides.iter().map(stored).collect() })?;
    text.push(b'\n');
    Ok(text)
}

fn decode(text: &[u8]) -> Result<Vec<Override>, String> {
    let stored: Stored = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if stored.version != VERSION {
        return Err(format!("its version is {}, this program knows {VERSION}", stored.version));
    }
    if stored.overrides.len() > OverrideList::LIMIT {
        return Err(format!("it holds {} overrides, at most {} are kept", stored.overrides.len(), OverrideList::LIMIT));
    }
    stored.overrides.into_iter().map(StoredOverride::meant).collect()
}

impl StoredOverride {
    fn meant(self) -> Result<Override, String> {
        let action = match self.action {
            StoredAction::Up => Action::Up,
            StoredAction::Down => Action::Down,
            StoredAction::Drain => Action::Drain,
            StoredAction::Evacuate(seconds) => Action::Evacuate(Duration::from_secs(seconds)),
            StoredAction::Weight(points) if points <= BasisPoints::FULL.get() => {
                Action::Weight(BasisPoints::new(points))
            }
            StoredAction::Weight(points) => {
                return Err(format!(
                    "a weight of {points} basis points, at most {} are the whole",
                    BasisPoints::FULL.get()
                ));
            }
        };
        let subject = match self.subject {
            StoredSubject::Origin { pool, address } => Subject::Origin { pool, address },
            StoredSubject::FrontDoor { region } => Subject::FrontDoor { region },
        };
        let Self { author, reason, created, expires, .. } = self;
        Ok(Override { subject, action, author, reason, created, expires, is_inert: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_kinds() -> Vec<Override> {
        let origin = Subject::Origin { pool: "shop".into(), address: "[2001:db8::1]:80".parse().unwrap() };
        let door = Subject::FrontDoor { region: "eu-central".into() };
        let evacuate = Action::Evacuate(Duration::from_mins(10));
        let actions = [Action::Up, Action::Down, Action::Drain, Action::Weight(BasisPoints::new(2_500)), evacuate];
        let made =
            actions.into_iter().zip([None, Some(9), None, Some(u64::MAX), None]).map(|(action, expires)| Override {
                subject: if expires.is_some() { door.clone() } else { origin.clone() },
                action,
                author: "Zoë".into(),
                reason: "line one\nand \"two\"".into(),
                created: 1_700_000_000,
                expires,
                is_inert: false,
            });
        made.collect()
    }

    #[test]
    fn what_is_saved_is_what_is_loaded_and_nothing_else_is_left_behind() {
        let directory = tempfile::tempdir().unwrap();
        let file = OverrideFile::in_directory(&directory.path().join("made").join("on demand"));
        assert_eq!(file.load().unwrap(), []);
        file.save(&all_kinds()).unwrap();
        assert_eq!(file.load().unwrap(), all_kinds());
        file.save(&[]).unwrap();
        assert_eq!(file.load().unwrap(), []);
        let names: Vec<_> =
            fs::read_dir(file.path().parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["overrides.json"]);
    }

    #[test]
    fn damage_is_told_with_the_place_and_a_way_out() {
        let directory = tempfile::tempdir().unwrap();
        let file = OverrideFile::in_directory(directory.path());
        let good = encode(&all_kinds()).unwrap();
        let text = String::from_utf8(good.clone()).unwrap();
        let cases: [(Vec<u8>, &str); 6] = [
            (good[..good.len() / 2].to_vec(), "EOF"),
            (Vec::new(), "EOF"),
            (vec![0xff; 9], "expected value at line 1 column 1"),
            (text.replace("\"version\": 1", "\"version\": 2").into_bytes(), "version is 2"),
            (text.replace("2500", "10001").into_bytes(), "10001 basis points"),
            (text.replace("\"reason\"", "\"raison\"").into_bytes(), "unknown field `raison`"),
        ];
        for (bytes, expected) in cases {
            fs::write(file.path(), bytes).unwrap();
            let message = file.load().unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("hint: "), "{message}");
            assert!(message.contains(file.path().to_str().unwrap()), "{message}");
        }
    }

    #[test]
    fn a_torn_write_leaves_the_old_list() {
        let directory = tempfile::tempdir().unwrap();
        let file = OverrideFile::in_directory(directory.path());
        file.save(&all_kinds()).unwrap();
        // What a crash before the rename leaves.
        fs::write(directory.path().join("overrides.json.new"), "{\"version\": 1, \"over").unwrap();
        assert_eq!(file.load().unwrap(), all_kinds());
        file.save(&[]).unwrap();
        assert_eq!(file.load().unwrap(), []);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        let file = OverrideFile::in_directory(directory.path());
        fs::create_dir(file.path()).unwrap();
        assert!(matches!(file.load(), Err(OverrideFileError::Unreadable { .. })));
    }
}
