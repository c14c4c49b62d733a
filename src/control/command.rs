//! How the rest of the node speaks to control: signals for beliefs, commands for decisions that want an answer.
//!
//! Both queues are bounded. When the signals' is full, who sends waits: a verdict is never dropped. Commands go first.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    overrides::{Action, NewOverride, Override},
    report::Report,
};
use crate::{
    config::Config,
    fleet::{Doubt, Signal, Subject},
    table::Compiled,
};

/// Where the answer to a command goes.
pub type Reply<T> = oneshot::Sender<Result<T, CommandError>>;

/// A decision for control to carry out.
#[derive(Debug)]
pub enum Command {
    /// Believe an operator about a subject. Answered once it is in force and on disk.
    SetOverride {
        /// What is asked for.
        new: NewOverride,
        /// Told the outcome.
        reply: Reply<()>,
    },
    /// Forget all that operators decided about a subject. Answered once that is in force and on disk.
    ClearOverride {
        /// Whose.
        subject: Subject,
        /// Told the outcome.
        reply: Reply<()>,
    },
    /// Move to another config.
    Apply {
        /// What is wanted.
        config: Arc<Config>,
        /// What the movers made of it.
        compiled: Compiled,
        /// Told the revision of the new generation.
        reply: Reply<u64>,
    },
    /// Say why each row is what it is.
    Describe {
        /// Told about everybody.
        reply: Reply<Report>,
    },
}

/// Why a command was not, or not wholly, carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nothing of that name exists.
    #[error("there is no {0}")]
    UnknownSubject(Subject),
    /// Nobody decided anything about it.
    #[error("{0} has no override")]
    NoOverride(Subject),
    /// An override says who made it and why.
    #[error("`{0}` cannot be empty")]
    Missing(&'static str),
    /// A text is longer than is kept.
    #[error("`{field}` is at most {longest} bytes long")]
    TooLong {
        /// Which.
        field: &'static str,
        /// How long it may be.
        longest: usize,
    },
    /// A text is one line, for people to read.
    #[error("`{0}` cannot hold control characters, such as line breaks")]
    Control(&'static str),
    /// Its time would be over before it began.
    #[error("an override has to last longer than no time at all")]
    EndsAtOnce,
    /// An evacuation would be taken back before it is done.
    #[error(
        "it would expire before all have left\nhint: `expires_in` counts from now, so it has to be longer than `evacuate`"
    )]
    NeverLeft,
    /// Who was drained has nobody left to evacuate.
    #[error("{0} is drained already\nhint: take it back first (`meridian ready`) if it is to be evacuated bit by bit")]
    LeftAlready(Subject),
    /// No room for one more.
    #[error("there are {0} overrides already\nhint: clear those that are not needed any more")]
    TooManyOverrides(usize),
    /// It is in force now, but would not survive a restart.
    #[error("in force, but not kept on disk: {0}")]
    NotKept(String),
    /// Control has stopped.
    #[error("control has stopped")]
    Stopped,
}

/// How everybody reaches control; clones reach the same.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) signals: mpsc::Sender<Signal>,
    pub(super) doubt: Doubt,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) overrides: Arc<ArcSwap<Vec<Override>>>,
    pub(super) ready: watch::Receiver<bool>,
}

impl Handle {
    /// Where beliefs go. Sending waits while control is behind.
    pub fn signals(&self) -> mpsc::Sender<Signal> {
        self.signals.clone()
    }

    /// Whether control doubts what this node's probes see, now and later.
    pub fn doubt(&self) -> Doubt {
        self.doubt.clone()
    }

    /// Whether every subject has had a verdict. Stays true once it is.
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Waits for [`Self::is_ready`]; false if control stopped before.
    pub async fn until_ready(&mut self) -> bool {
        self.ready.wait_for(|is_ready| *is_ready).await.is_ok()
    }

    /// All overrides, also those whose subject does not exist now, in order of subject.
    pub fn overrides(&self) -> Arc<Vec<Override>> {
        self.overrides.load_full()
    }

    /// Believes an operator about a subject.
    pub async fn set_override(
        &self,
        subject: Subject,
        action: Action,
        author: impl Into<String>,
        reason: impl Into<String>,
        expires_in: Option<Duration>,
    ) -> Result<(), CommandError> {
        let new = NewOverride { subject, action, author: author.into(), reason: reason.into(), expires_in };
        self.ask(|reply| Command::SetOverride { new, reply }).await
    }

    /// Forgets all that operators decided about a subject.
    pub async fn clear_override(&self, subject: Subject) -> Result<(), CommandError> {
        self.ask(|reply| Command::ClearOverride { subject, reply }).await
    }

    /// Moves to another config, and says the new generation's revision. The state directory stays what it was at start.
    pub async fn apply(&self, config: Arc<Config>, compiled: Compiled) -> Result<u64, CommandError> {
        self.ask(|reply| Command::Apply { config, compiled, reply }).await
    }

    /// Why each row is what it is.
    pub async fn describe(&self) -> Result<Report, CommandError> {
        self.ask(|reply| Command::Describe { reply }).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| CommandError::Stopped)?;
        answer.await.unwrap_or(Err(CommandError::Stopped))
    }
}
