//! Reading what a config names, whole and bounded: never mapped, since a mapped file that somebody shortens ends the process.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

/// What a plain file of at most `most` bytes holds.
pub(super) fn contents(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    // Pipes would be waited for.
    if !about.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len().min(most)).unwrap_or(0));
    fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it is over {} MiB", most >> 20)));
    }
    Ok(bytes)
}
