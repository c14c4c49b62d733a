//! From the DNS threads to the writer: a bounded queue, opened when a config wants it and left when one does not.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, SyncSender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use metrics::Counter;

use super::{
    entry::{Answered, Entry},
    writer::Writer,
};
use crate::{
    clock::{self, Clock, Random},
    config,
};

/// Entries that may wait for the writer: what a few milliseconds bring at full speed.
const WAITING: usize = 8192;
/// How long the end of a node waits for lines to be written.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The log of all threads.
#[derive(Debug)]
pub(in crate::dns) struct Log {
    clock: Clock,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    /// Of the config that said so last.
    revision: Option<u64>,
    feed: Option<(config::QueryLog, SyncSender<Entry>)>,
    /// They end when nobody feeds them any more.
    writers: Vec<JoinHandle<()>>,
}

impl Log {
    pub(in crate::dns) fn new(clock: &Clock) -> Arc<Self> {
        Arc::new(Self { clock: clock.clone(), open: Mutex::default() })
    }

    /// What to feed by the settings of this revision. The first thread to ask has it opened; one that comes late with an older config gets
    /// what the newer one wants.
    fn feed(&self, revision: u64, settings: Option<&config::QueryLog>) -> Option<SyncSender<Entry>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.revision.is_none_or(|before| before < revision) {
            open.revision = Some(revision);
            let path = settings.map(|settings| &settings.path);
            if open.feed.as_ref().map(|(before, _)| &before.path) != path {
                open.feed = None;
                open.writers.retain(|writer| !writer.is_finished());
                if let Some(settings) = settings {
                    let (feed, entries) = mpsc::sync_channel(WAITING);
                    let writer = Writer::new(settings.path.clone(), entries, self.clock.clone());
                    match thread::Builder::new().name("dns-log".into()).spawn(move || writer.run()) {
                        Ok(writer) => {
                            open.writers.push(writer);
                            open.feed = Some((settings.clone(), feed));
                        }
                        Err(error) => tracing::error!(%error, "queries are not logged: no thread can be had"),
                    }
                }
            }
        }
        open.feed.as_ref().map(|(_, feed)| feed.clone())
    }

    /// Lets what was logged be written, for a while: a disk that stands still holds nobody back. To be called when no thread feeds it any
    /// more.
    pub(in crate::dns) fn close(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.feed = None;
        let began = self.clock.now();
        for writer in open.writers.drain(..) {
            while !writer.is_finished() && self.clock.now().saturating_sub(began) < LAST_WAIT {
                thread::park_timeout(Duration::from_millis(1));
            }
            if !writer.is_finished() {
                tracing::warn!("the query log is too slow: what was not written is lost");
            } else if writer.join().is_err() {
                tracing::error!("the writer of the query log had panicked");
            }
        }
    }
}

/// One thread's way to the log.
#[derive(Debug)]
pub(in crate::dns) struct Tap {
    log: Arc<Log>,
    revision: Option<u64>,
    feed: Option<SyncSender<Entry>>,
    /// Of 2^32 queries, so many are logged.
    share: u64,
    random: Random,
    lost: Counter,
}

impl Tap {
    pub(in crate::dns) fn new(log: &Arc<Log>) -> Self {
        Self {
            log: Arc::clone(log),
            revision: None,
            feed: None,
            share: 0,
            random: clock::random(),
            lost: metrics::counter!("meridian_dns_log_dropped_total"),
        }
    }

    /// Goes by these settings from now on.
    pub(in crate::dns) fn follow(&mut self, revision: u64, settings: Option<&config::QueryLog>) {
        if self.revision == Some(revision) {
            return;
        }
        self.revision = Some(revision);
        self.feed = self.log.feed(revision, settings);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^32")]
        let share = settings.map_or(0, |settings| (settings.sample.clamp(0.0, 1.0) * 4_294_967_296.0) as u64);
        self.share = share;
    }

    /// Logs an answer, if it is one of those that are logged. Never waits.
    #[inline]
    pub(in crate::dns) fn log(&mut self, answered: Answered<'_>) {
        let Some(feed) = &self.feed else { return };
        if u64::from(self.random.u32(..)) < self.share && feed.try_send(Entry::of(answered)).is_err() {
            self.lost.increment(1);
        }
    }
}
