//! Reading config files. Anything may be wrong with them, and none of it stops the others from being read.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::diagnostic::{Code, Diagnostic, Diagnostics, FileId, Place};

/// A file with more is no config that somebody wrote.
const MAX_FILE_BYTES: u64 = 8 << 20;

/// Files that one directory may hold.
const MAX_FILES: usize = 10_000;

/// The texts of a file, or of all `*.toml` files of a directory in name order. Hidden files are left alone: editors and
/// orchestrators keep their own things there.
pub(super) fn read(path: &Path, problems: &mut Diagnostics) -> Vec<(FileId, String)> {
    let paths = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => files_of(path, problems),
        _ => vec![path.to_owned()],
    };
    let read = paths.iter().filter_map(|path| {
        let file = problems.add_file(path.display().to_string());
        let text = read_file(path, file, problems)?;
        Some((file, text))
    });
    read.collect()
}

fn files_of(directory: &Path, problems: &mut Diagnostics) -> Vec<PathBuf> {
    let file = problems.add_file(directory.display().to_string());
    let is_config = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        name.ends_with(b".toml") && !name.starts_with(b".")
    };
    let listed: io::Result<Vec<_>> =
        fs::read_dir(directory).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    let mut paths = match listed {
        Ok(paths) => paths,
        Err(error) => {
            problems.push(unreadable(file, &error));
            return Vec::new();
        }
    };
    paths.retain(is_config);
    paths.sort();
    if paths.is_empty() {
        let error = Diagnostic::error(Code::NoFiles, "this directory holds no `*.toml` file").in_file(file);
        problems.push(error.hint("name a file, or the directory that has the config".to_owned()));
    }
    if paths.len() > MAX_FILES {
        let message = format!("this directory holds {} files, and at most {MAX_FILES} are read", paths.len());
        problems.push(Diagnostic::error(Code::TooLarge, message).in_file(file));
        paths.clear();
    }
    paths
}

fn read_file(path: &Path, file: FileId, problems: &mut Diagnostics) -> Option<String> {
    match bytes_of(path, MAX_FILE_BYTES) {
        Ok(bytes) if bytes.len() as u64 > MAX_FILE_BYTES => {
            let message = format!("this file is over {} MiB", MAX_FILE_BYTES >> 20);
            let error = Diagnostic::error(Code::TooLarge, message).in_file(file);
            problems.push(error.hint("split it: a directory of files is read as one config".to_owned()));
            None
        }
        Ok(bytes) => String::from_utf8(bytes).map_err(|error| not_utf8(file, &error.into_bytes(), problems)).ok(),
        Err(error) => {
            problems.push(unreadable(file, &error));
            None
        }
    }
}

/// Up to one byte more than is allowed: files grow, and special files have no size. Pipes would be waited for, so only plain
/// files are opened.
pub(super) fn bytes_of(path: &Path, allowed: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(allowed + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(file: FileId, error: &io::Error) -> Diagnostic {
    Diagnostic::error(Code::Unreadable, format!("this cannot be read: {}", why_unreadable(error))).in_file(file)
}

/// For the end of a sentence.
pub(super) fn why_unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "this process may not read it".to_owned(),
        _ => error.to_string(),
    }
}

/// Shows the line up to the first byte that is wrong.
fn not_utf8(file: FileId, bytes: &[u8], problems: &mut Diagnostics) {
    let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let byte = bytes.get(valid.len()).copied().unwrap_or_default();
    let label = format!("byte 0x{byte:02x} follows");
    problems.put_text(file, valid.to_owned());
    let place = Place::new(file, &(valid.len()..valid.len()));
    let error = Diagnostic::error(Code::NotUtf8, "this is not UTF-8 text").at(place, label);
    problems.push(error.hint("save the file as UTF-8; is it a text at all?".to_owned()));
}
