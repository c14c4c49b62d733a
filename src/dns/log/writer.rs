//! The thread that writes: lines are put together and written many at once.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use metrics::Counter;

use super::{entry::Entry, line};
use crate::clock::Clock;

/// How often it is looked whether the file is still the one at its path.
const LOOK: Duration = Duration::from_secs(1);
/// Between two writes: lines come together, and nobody who asks has to wake the writer more often.
const PAUSE: Duration = Duration::from_millis(5);
/// Bytes that are written at once, and a line on top.
const ENOUGH: usize = 1 << 16;

/// What is written to.
#[derive(Debug)]
enum Output {
    Standard,
    File {
        file: File,
        identity: Option<Identity>,
    },
    /// It could not be opened.
    Nothing,
}

/// Which file it is, wherever it is moved.
type Identity = (u64, u64);

/// Writes what is fed.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    entries: Receiver<Entry>,
    clock: Clock,
    output: Output,
    /// Whether the last try to write went wrong, and was spoken of.
    is_failing: bool,
    /// Something was written in part: the next line is not to stand behind it.
    is_torn: bool,
    looked_at: Duration,
    written: Counter,
    lost: Counter,
}

impl Writer {
    pub(super) fn new(path: PathBuf, entries: Receiver<Entry>, clock: Clock) -> Self {
        Self {
            path,
            entries,
            output: Output::Nothing,
            is_failing: false,
            is_torn: false,
            looked_at: clock.now(),
            clock,
            written: metrics::counter!("meridian_dns_log_lines_total"),
            lost: metrics::counter!("meridian_dns_log_dropped_total"),
        }
    }

    /// Writes until nobody feeds it any more.
    pub(super) fn run(mut self) {
        self.open();
        let mut lines = Vec::new();
        loop {
            match self.entries.recv_timeout(LOOK) {
                Ok(entry) => self.write_all(&entry, &mut lines),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.clock.now();
            if now.saturating_sub(self.looked_at) >= LOOK {
                self.looked_at = now;
                self.look();
            }
        }
    }

    /// Writes an entry and all that came after it.
    fn write_all(&mut self, first: &Entry, lines: &mut Vec<u8>) {
        let mut count = 1;
        line::write(first, lines);
        while let Ok(entry) = self.entries.try_recv() {
            line::write(&entry, lines);
            count += 1;
            if lines.len() >= ENOUGH {
                self.write(lines, count);
                lines.clear();
                count = 0;
            }
        }
        self.write(lines, count);
        lines.clear();
        thread::park_timeout(PAUSE);
    }

    fn write(&mut self, lines: &[u8], count: u64) {
        if count == 0 {
            return;
        }
        let result = match &mut self.output {
            Output::Standard => write_whole(io::stdout().lock(), &mut self.is_torn, lines),
            Output::File { file, .. } => write_whole(file, &mut self.is_torn, lines),
            // That was said when it could not be opened.
            Output::Nothing => return self.lost.increment(count),
        };
        match result {
            Ok(()) => {
                self.written.increment(count);
                self.is_failing = false;
            }
            Err(error) => {
                self.lost.increment(count);
                self.complain(&error);
            }
        }
    }

    /// Opens the file again where it is not the one at the path any more, or could not be opened before.
    fn look(&mut self) {
        match &self.output {
            Output::Standard => {}
            Output::File { identity, .. } if identity_at(&self.path) == *identity => {}
            _ => self.open(),
        }
    }

    fn open(&mut self) {
        if self.path.as_os_str() == "-" {
            self.output = Output::Standard;
            return;
        }
        match File::options().append(true).create(true).open(&self.path) {
            Ok(file) => {
                let identity = file.metadata().ok().as_ref().and_then(identity);
                self.output = Output::File { file, identity };
                (self.is_failing, self.is_torn) = (false, false);
            }
            Err(error) => {
                self.output = Output::Nothing;
                self.complain(&error);
            }
        }
    }

    /// Says what is wrong, once until it is right again.
    fn complain(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!(path = %self.path.display(), %error, "queries cannot be logged: lines are lost");
        }
    }
}

fn write_whole(mut output: impl Write, is_torn: &mut bool, lines: &[u8]) -> io::Result<()> {
    if *is_torn {
        output.write_all(b"\n")?;
    }
    *is_torn = true;
    output.write_all(lines)?;
    output.flush()?;
    *is_torn = false;
    Ok(())
}

fn identity_at(path: &Path) -> Option<Identity> {
    identity(&fs::metadata(path).ok()?)
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems know nothing of the kind")]
fn identity(file: &fs::Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Option<Identity> {
    None
}
