//! A thread that does the same thing again and again, until its owner lets go of it.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel},
    thread::{Builder, JoinHandle},
    time::Duration,
};

/// Owns such a thread: it is told to stop when this is dropped, and ends when it has read the file it is at.
#[derive(Debug)]
pub struct Rounds {
    /// Dropped to stop it.
    alive: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Seen from inside the thread.
pub(super) struct Owner(Receiver<()>);

impl Owner {
    /// Whether the round is to end early.
    pub(super) fn is_gone(&self) -> bool {
        self.0.try_recv() == Err(TryRecvError::Disconnected)
    }
}

impl Rounds {
    /// The first round is `every` from now.
    pub(super) fn start(
        name: &str,
        every: Duration,
        mut round: impl FnMut(&Owner) + Send + 'static,
    ) -> io::Result<Self> {
        let (alive, owner) = sync_channel(0);
        let owner = Owner(owner);
        let thread = Builder::new().name(name.to_owned()).spawn(move || {
            while owner.0.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                round(&owner);
            }
        })?;
        Ok(Self { alive: Some(alive), thread: Some(thread) })
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        self.alive = None;
        wait_elsewhere(self.thread.take());
    }
}

/// Waits for a thread that was told to stop, on one of its own: whoever lets go of it may be a proxy worker, which never blocks, and the thread may
/// be at a file whose disk does not answer.
pub(super) fn wait_elsewhere(thread: Option<JoinHandle<()>>) {
    let Some(thread) = thread else { return };
    let wait = move || {
        if thread.join().is_err() {
            tracing::error!("a thread that looked at TLS files had panicked");
        }
    };
    // Where no thread can be had, nobody waits.
    _ = Builder::new().name("tls-end".to_owned()).spawn(wait);
}
