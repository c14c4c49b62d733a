//! What a node is told from outside: reload, drain.

use std::io::{self, Read};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// SIGHUP.
    Reload,
    /// SIGTERM, SIGINT, or the end of standard input where that counts.
    Drain,
}

/// Listens for wishes.
#[derive(Debug)]
pub(super) struct Wishes {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    stdin_ended: Option<oneshot::Receiver<()>>,
}

impl Wishes {
    pub(super) fn listen(stop_with_stdin: bool) -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            stdin_ended: if stop_with_stdin { Some(watch_stdin()?) } else { None },
        })
    }

    pub(super) async fn next(&mut self) -> Wish {
        let stdin_ended = async {
            match &mut self.stdin_ended {
                Some(ended) => drop(ended.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.hangup.recv() => Wish::Reload,
            _ = self.terminate.recv() => Wish::Drain,
            _ = self.interrupt.recv() => Wish::Drain,
            () = stdin_ended => {
                self.stdin_ended = None;
                Wish::Drain
            }
        }
    }
}

/// A thread of its own: a runtime would wait for a read of standard input when it shuts down.
fn watch_stdin() -> io::Result<oneshot::Receiver<()>> {
    let (ended, told) = oneshot::channel();
    std::thread::Builder::new().name("stdin".into()).spawn(move || {
        let mut ignored = [0; 1024];
        while io::stdin().read(&mut ignored).is_ok_and(|length| length > 0) {}
        // Nobody listens any more once the node drains.
        _ = ended.send(());
    })?;
    Ok(told)
}
