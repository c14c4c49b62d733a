//! The thread: its listeners, its runtime, its end.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{runtime, sync::watch, task::JoinSet, time};

use super::{
    accept::{Entrance, accept},
    handler::Answers,
};
use crate::{
    config,
    dns::{
        outcome::Transport,
        serve::{
            answering::Answering,
            bind::{self, BindError},
        },
    },
    table::Table,
};

/// How often a new config is looked for although nobody asks anything.
const FOLLOW: Duration = Duration::from_secs(1);
/// How long connections have to end when the node does.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// All listeners, bound but not served.
#[derive(Debug, Default)]
pub(in crate::dns::serve) struct Doors {
    listeners: Vec<(Transport, TcpListener)>,
    tls: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
}

impl Doors {
    /// Binds what the config names.
    pub(in crate::dns::serve) fn bind(settings: &config::Dns) -> Result<Self, BindError> {
        let mut bound = Self::default();
        for (transport, wanted) in [(Transport::Tls, &settings.tls), (Transport::Https, &settings.https)] {
            for address in wanted {
                let (listener, found) = bind::secure(*address, transport.as_str())?;
                bound.listeners.push((transport, listener));
                let addresses = if transport == Transport::Tls { &mut bound.tls } else { &mut bound.https };
                addresses.push(found);
            }
        }
        Ok(bound)
    }

    /// Where DNS over TLS listens.
    pub(in crate::dns::serve) fn tls(&self) -> &[SocketAddr] {
        &self.tls
    }

    /// Where DNS over HTTPS listens.
    pub(in crate::dns::serve) fn https(&self) -> &[SocketAddr] {
        &self.https
    }

    /// Starts the thread, if there is anything to listen on.
    pub(in crate::dns::serve) fn start(
        self,
        answering: impl FnOnce() -> Answering,
        table: &Table,
    ) -> io::Result<Option<Running>> {
        if self.listeners.is_empty() {
            return Ok(None);
        }
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = watch::channel(false);
        let answers = Answers::new(answering());
        let mut serving = JoinSet::new();
        let entered = runtime.enter();
        for (transport, listener) in self.listeners {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let entrance = Entrance::new(transport, Arc::clone(&answers), table.clone());
            serving.spawn_on(accept(listener, entrance, stopped.clone()), runtime.handle());
        }
        drop(entered);
        let work = async move {
            let mut rounds = time::interval(FOLLOW);
            let mut stopped = stopped;
            while tokio::select! {
                _ = rounds.tick() => true,
                _ = stopped.wait_for(|is_stopped| *is_stopped) => false,
            } {
                answers.follow();
            }
            // Who is not done by then is cut off with the runtime.
            _ = time::timeout(LAST_WAIT, async { while serving.join_next().await.is_some() {} }).await;
        };
        let thread = thread::Builder::new().name("dns-tls".into()).spawn(move || runtime.block_on(work))?;
        Ok(Some(Running { thread, stop }))
    }
}

/// The thread, running.
#[derive(Debug)]
pub(in crate::dns::serve) struct Running {
    thread: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Takes no more connections, lets those that are open get what they asked for, and joins the thread.
    pub(in crate::dns::serve) fn stop(self) {
        self.stop.send_replace(true);
        if self.thread.join().is_err() {
            tracing::error!("the thread of encrypted DNS had panicked");
        }
    }
}
