//! What is wrong with the files that a config names.

use std::{fmt, fs, io::Read, path::Path};

use zeroize::Zeroizing;

use super::{Outward, state::Files, store::Store};
use crate::{
    clock,
    config::{Code, Config, Diagnostic},
};

/// A file with more is none of ours.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Everything that is wrong with the files of one config; never empty.
#[derive(Debug)]
pub struct LoadError(pub(super) Vec<Diagnostic>);

impl LoadError {
    /// One for each file.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.0
    }
}

impl From<Vec<Diagnostic>> for LoadError {
    fn from(problems: Vec<Diagnostic>) -> Self {
        Self(problems)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { "\n" };
            write!(f, "{gap}{}", problem.message)?;
            if let Some(hint) = &problem.hint {
                write!(f, "\nhint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

/// Reads every file that a config names for TLS, and says what is wrong with them: errors, and warnings about what is expired. What
/// lies in `tls.directory` is not read.
pub fn check(config: &Config) -> Vec<Diagnostic> {
    let mut problems = match Files::open(&config.tls) {
        Ok(files) => files.expired(clock::unix_time()),
        Err(problems) => problems,
    };
    problems.extend(config.tls.directory.as_deref().and_then(|directory| Store::open(directory, 1).err()));
    problems.extend(Outward::load(config).err().map(LoadError::into_diagnostics).into_iter().flatten());
    problems
}

/// A file that cannot be used, and why.
pub(super) fn unusable(path: &Path, why: impl fmt::Display) -> Diagnostic {
    Diagnostic::error(Code::BadCertificate, format!("`{}` cannot be used: {why}", path.display()))
}

/// What a file holds; forgotten thoroughly, since it may be a key.
pub(super) fn contents(path: &Path) -> Result<Zeroizing<Vec<u8>>, Diagnostic> {
    let read = || {
        // Pipes would be waited for.
        if !fs::metadata(path)?.is_file() {
            return Err(std::io::Error::other("it is not a plain file"));
        }
        // Room beforehand: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(16 << 10));
        fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) if bytes.len() as u64 > MAX_FILE_BYTES => Err(unusable(path, "it is over 1 MiB")),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(unusable(path, error).hint("relative paths begin where the node is started".to_owned())),
    }
}
