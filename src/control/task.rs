//! The task itself: opened before anything starts, then run until the node stops.
//!
//! [`Control::hear`], [`Control::obey`] and [`Control::tick`] are all it does; [`Control::run`] only decides when. Expiry comes
//! before commands and commands before signals, so a flood of verdicts delays neither an operator nor a deadline.

use std::{pin::pin, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval},
};
use tracing::{info, warn};

use super::{
    command::{Command, CommandError, Handle, Reply},
    ledger::Ledger,
    overrides::{Override, OverrideFile, OverrideFileError, OverrideList},
    saving::Saving,
};
use crate::{
    clock::{self, Clock, Ticks},
    config::Config,
    fleet::Signal,
    table::{Compiled, SelectorBuilder, Table},
};

/// How often control looks for what is due; the step of [`Ticks`].
const TICK: Duration = Duration::from_millis(100);
/// Signals that may wait.
const SIGNALS: usize = 4_096;
/// Commands that may wait.
const COMMANDS: usize = 64;
/// Signals taken in one go.
const BATCH: usize = 256;

/// What control starts with.
pub struct Start {
    /// The first config; its `state_directory` is where overrides are kept.
    pub config: Arc<Config>,
    /// What the movers made of it.
    pub compiled: Compiled,
    /// What balancing wants built for each pool.
    pub build_selector: Option<SelectorBuilder>,
    /// Where the time comes from: the same as the readers'.
    pub clock: Clock,
    /// The region that this node stands in was lost until it started: its front door is held back once it is seen up, as by those who saw it go.
    pub was_away: bool,
}

/// The one writer of the table.
pub struct Control {
    ledger: Ledger,
    signals: mpsc::Receiver<Signal>,
    commands: mpsc::Receiver<Command>,
    saving: Saving,
    overrides: Arc<ArcSwap<Vec<Override>>>,
    ready: watch::Sender<bool>,
}

impl Control {
    /// Reads the overrides of the last run and publishes the first generation, in which they already count. Starts nothing.
    /// Install the metrics recorder before.
    pub fn open(start: Start) -> Result<(Self, Handle, Table), OverrideFileError> {
        let Start { config, compiled, build_selector, clock, was_away } = start;
        let file = OverrideFile::in_directory(&config.state_directory);
        let restored = restore(file.load()?, &file, clock.ticks())?;
        let mut ledger = Ledger::open(config, compiled, build_selector, clock, restored);
        if was_away {
            ledger.was_away();
        }
        let (signal_sender, signals) = mpsc::channel(SIGNALS);
        let (command_sender, commands) = mpsc::channel(COMMANDS);
        let overrides = Arc::new(ArcSwap::from_pointee(ledger.list_overrides()));
        let (ready, is_ready) = watch::channel(ledger.is_ready);
        let handle = Handle {
            signals: signal_sender,
            doubt: ledger.doubt.clone(),
            commands: command_sender,
            overrides: Arc::clone(&overrides),
            ready: is_ready,
        };
        let table = ledger.writer.table();
        Ok((Self { ledger, signals, commands, saving: Saving::to(file), overrides, ready }, handle, table))
    }

    /// Does control's work until `shutdown` ends; returns once what operators decided is on disk.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                _ = ticks.tick() => self.tick(),
                () = self.saving.step() => {}
                Some(command) = self.commands.recv(), if !self.saving.is_full() => self.obey(command),
                1.. = self.signals.recv_many(&mut heard, BATCH) => {
                    heard.drain(..).for_each(|signal| self.hear(&signal));
                }
            }
        }
        self.saving.finish().await;
    }

    /// Takes in one belief.
    pub fn hear(&mut self, signal: &Signal) {
        self.ledger.hear(signal);
        self.tell_ready();
    }

    /// Does what time alone makes happen.
    pub fn tick(&mut self) {
        if self.ledger.tick() {
            self.keep(None);
        }
    }

    /// Carries out one command. Where that changes overrides it needs a tokio runtime, which writes them.
    pub fn obey(&mut self, command: Command) {
        match command {
            Command::SetOverride { new, reply } => {
                let outcome = self.ledger.set_override(new);
                self.keep_and_answer(outcome, reply);
            }
            Command::ClearOverride { subject, reply } => {
                let outcome = self.ledger.clear_override(&subject);
                self.keep_and_answer(outcome, reply);
            }
            Command::Apply { config, compiled, reply } => {
                let revision = self.ledger.apply(config, compiled);
                info!(revision, "membership changed");
                self.overrides.store(Arc::new(self.ledger.list_overrides()));
                answer(reply, Ok(revision));
            }
            Command::Describe { reply } => answer(reply, Ok(self.ledger.describe())),
        }
        self.tell_ready();
    }

    fn keep_and_answer(&mut self, outcome: Result<(), CommandError>, reply: Reply<()>) {
        match outcome {
            Ok(()) => self.keep(Some(reply)),
            Err(error) => answer(reply, Err(error)),
        }
    }

    fn keep(&mut self, reply: Option<Reply<()>>) {
        let list = Arc::new(self.ledger.list_overrides());
        self.overrides.store(Arc::clone(&list));
        self.saving.queue(list, reply);
    }

    fn tell_ready(&self) {
        if self.ledger.is_ready && !*self.ready.borrow() {
            self.ready.send_replace(true);
        }
    }
}

fn answer<T>(reply: Reply<T>, outcome: Result<T, CommandError>) {
    // Who asked may have left.
    let _ = reply.send(outcome);
}

/// The overrides of the last run that have not ended meanwhile.
fn restore(kept: Vec<Override>, file: &OverrideFile, now: Ticks) -> Result<OverrideList, OverrideFileError> {
    let mut list = OverrideList::new();
    let today = clock::unix_time().as_secs();
    let (count, mut ended) = (kept.len(), 0);
    for one in kept {
        let left = one.expires.map(|expires| expires.saturating_sub(today));
        if left == Some(0) {
            ended += 1;
            continue;
        }
        let until = left.map_or(Ticks::FOREVER, |seconds| now.after(Duration::from_secs(seconds)));
        let room = list.set(one, until);
        debug_assert!(room.is_ok(), "the file was checked against the same limit");
    }
    if list.len() + ended < count {
        let reason = "two overrides of one subject contradict each other".to_owned();
        return Err(OverrideFileError::Damaged { path: file.path().to_path_buf(), reason });
    }
    if count > 0 {
        warn!(in_force = list.len(), ended, path = %file.path().display(), "overrides of the last run");
    }
    Ok(list)
}

#[cfg(test)]
mod tests;
