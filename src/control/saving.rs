//! Writes the overrides to disk beside the loop, one list at a time, and answers who waits for that.
//!
//! While one list is being written, newer ones replace each other, so a slow disk costs writes and not order.

use std::{io, sync::Arc};

use tokio::task::{JoinHandle, spawn_blocking};
use tracing::warn;

use super::{
    command::{CommandError, Reply},
    overrides::{Override, OverrideFile},
};

/// Commands that wait for the disk before control takes no more of them.
const MOST_WAITING: usize = 64;

type List = Arc<Vec<Override>>;
type Write = JoinHandle<io::Result<()>>;

#[derive(Debug)]
pub(super) struct Saving {
    file: OverrideFile,
    running: Option<(Write, Vec<Reply<()>>)>,
    next: Option<List>,
    /// Who waits for what is next.
    waiting: Vec<Reply<()>>,
}

impl Saving {
    pub(super) fn to(file: OverrideFile) -> Self {
        Self { file, running: None, next: None, waiting: Vec::new() }
    }

    /// Has this list written, and then `reply` answered.
    pub(super) fn queue(&mut self, list: List, reply: Option<Reply<()>>) {
        self.next = Some(list);
        self.waiting.extend(reply);
        self.start();
    }

    /// Whether no more who wait should be taken on.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_WAITING
    }

    /// Ends when a list has been written, and never while there is none. May be dropped at any point.
    pub(super) async fn step(&mut self) {
        let Some((task, _)) = &mut self.running else { return std::future::pending().await };
        let outcome = task.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        let replies = self.running.take().map(|(_, replies)| replies).unwrap_or_default();
        if let Err(error) = &outcome {
            warn!(path = %self.file.path().display(), %error, "overrides are not kept on disk");
        }
        for reply in replies {
            let answer = outcome.as_ref().map_err(|error| CommandError::NotKept(error.to_string()));
            // Who asked may have left.
            let _ = reply.send(answer.copied());
        }
        self.start();
    }

    /// Writes all that is left.
    pub(super) async fn finish(mut self) {
        while self.running.is_some() {
            self.step().await;
        }
    }

    fn start(&mut self) {
        if self.running.is_some() {
            return;
        }
        if let Some(list) = self.next.take() {
            let file = self.file.clone();
            let task = spawn_blocking(move || file.save(&list));
            self.running = Some((task, std::mem::take(&mut self.waiting)));
        }
    }
}
