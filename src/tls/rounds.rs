//! A thread that does the same thing again and again, until its owner lets go of it.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel},
    thread::{Builder, JoinHandle},
    time::Duration,
};

/// Owns such a thread: it is told to stop and waited for when this is dropped, which takes as long as reading one file.
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
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a thread that looked at TLS files had panicked");
        }
    }
}
