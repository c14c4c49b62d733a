//! Something read from files, and read again when they change.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    path::PathBuf,
    sync::Arc,
};

use crate::config::Diagnostic;

type Read<T> = Box<dyn Fn() -> Result<T, Diagnostic> + Send + Sync>;

/// The last good value.
pub(super) struct Watched<T> {
    files: Vec<PathBuf>,
    read: Read<T>,
    /// Of the files when they were last read, good or bad. It is taken before reading: what changes meanwhile is seen the next time.
    stamp: u64,
    /// Whether that failed. It may have been for want of file handles, so such files are read every time.
    is_bad: bool,
    value: Arc<T>,
}

impl<T> Watched<T> {
    pub(super) fn open(
        files: Vec<PathBuf>,
        read: impl Fn() -> Result<T, Diagnostic> + Send + Sync + 'static,
    ) -> Result<Self, Diagnostic> {
        let stamp = stamp(&files);
        let value = Arc::new(read()?);
        Ok(Self { files, read: Box::new(read), stamp, is_bad: false, value })
    }

    pub(super) fn value(&self) -> &Arc<T> {
        &self.value
    }

    /// Reads again where a file changed; says whether there is a new value. A bad one leaves the old: of two files that are replaced
    /// one after the other, the second makes it good.
    pub(super) fn renew(&mut self) -> bool {
        let now = stamp(&self.files);
        let has_changed = now != self.stamp;
        if !has_changed && !self.is_bad {
            return false;
        }
        let read = (self.read)();
        if has_changed || read.is_ok() {
            report(read.as_ref().map(|_| ()));
        }
        (self.stamp, self.is_bad) = (now, read.is_err());
        read.map(|value| self.value = Arc::new(value)).is_ok()
    }
}

/// Counts and logs what came of a changed file.
pub(super) fn report(read: Result<(), &Diagnostic>) {
    let result = if read.is_ok() { "good" } else { "bad" };
    metrics::counter!("meridian_tls_certificate_reloads_total", "result" => result).increment(1);
    if let Err(problem) = read {
        tracing::warn!(problem = %problem.message, "a file for TLS changed and is no good: what was read before stays in force");
    }
}

/// Differs where any of the files was written, replaced or removed. Links are followed, so it sees those of orchestrators move.
pub(super) fn stamp(files: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let metadata = fs::metadata(file).ok();
        metadata.as_ref().map(fs::Metadata::len).hash(&mut hasher);
        metadata.as_ref().and_then(|metadata| metadata.modified().ok()).hash(&mut hasher);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let facts =
                metadata.map(|metadata| (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()));
            facts.hash(&mut hasher);
        }
    }
    hasher.finish()
}
