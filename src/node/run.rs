//! A node's life: start, serve, drain, stop.
//!
//! The control runtime is this thread: signals, control, probes, admin and reload share it. Workers and DNS threads are their own.

use std::{future::Future, sync::Arc};

use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use super::{
    BuildError, Node, files,
    reload::Reloader,
    signals::{Wish, Wishes},
};
use crate::{
    admin::Surface,
    dns,
    fleet::AnswerDns,
    health::{Ejector, Prober},
    proxy,
    resolver::Resolver,
};

impl Node {
    /// Runs until told to stop, then drains. Blocks.
    ///
    /// # Errors
    /// When a thread cannot be had, or a second signal ends the drain.
    pub fn run(self, stop_with_stdin: bool) -> Result<(), BuildError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let ran = runtime.block_on(self.live(stop_with_stdin));
        runtime.shutdown_background();
        ran
    }

    /// What the admin pages read from.
    fn surface(&self) -> Surface {
        let (table, clock) = (&self.table, &self.clock);
        Surface::new(
            &self.config,
            table.clone(),
            clock.clone(),
            self.exporter.clone(),
            self.commands.clone(),
            (
                Arc::new(dns::Explainer::new(table.clone(), clock.clone())),
                Arc::new(proxy::Explainer::new(table.clone(), clock.clone())),
            ),
        )
    }

    async fn live(self, stop_with_stdin: bool) -> Result<(), BuildError> {
        let mut wishes = Wishes::listen(stop_with_stdin)?;
        files::make_room(&self.config);
        let (stop, mut stopped) = watch::channel(false);
        let surface = Arc::new(self.surface());
        let (http, https) = (self.http.http().to_vec(), self.http.https().to_vec());
        let (dns, admin) = (self.dns.addresses().to_vec(), self.admin.address());
        let (dns_tls, dns_https) = (self.dns.tls().to_vec(), self.dns.https().to_vec());
        let prober = Prober::new(self.commands.signals(), self.commands.doubt(), self.clock.clone());
        let (ejector, judge) = Ejector::start(&self.config, self.commands.signals(), self.clock.clone());
        let mut reloader = Reloader {
            source: self.source,
            config: self.config,
            secured: self.secured,
            places: self.places,
            seen: self.seen,
            clock: self.clock.clone(),
            revision: self.revision,
            commands: self.commands,
            table: self.table.clone(),
            directory: self.directory,
            resolver: Resolver::default(),
            prober,
            ejector,
        };

        let mut control = tokio::spawn(self.control.run(async move {
            // The sender lives until the node ends.
            drop(stopped.wait_for(|is_stopped| *is_stopped).await);
        }));
        reloader.watch();
        let alive = self.alive;
        let living = tokio::spawn(alive.clone().go_on());
        let answering = self.dns.start(&self.table, &self.clock)?;
        let desk = || -> Box<dyn AnswerDns> { Box::new(answering.desk(&self.table, &self.clock)) };
        let proxy = self.http.start(&self.table, &self.clock, desk, &judge)?;
        let served = Arc::clone(&surface);
        let pages = tokio::spawn(async move { drop(self.admin.run(served, self.token).await) });
        tracing::info!(?http, ?https, ?dns, ?dns_tls, ?dns_https, %admin, node = %reloader.config.node.name, "listening");

        let is_blind = obey(&mut wishes, &mut reloader, &mut control).await;
        living.abort();
        alive.say().await;
        surface.drain();
        tracing::info!("draining: a second signal ends it at once");
        drain(proxy, answering, &mut wishes).await?;

        // Everything that answers is gone; what is left only looks and writes.
        reloader.resolver.stop().await;
        drop(reloader);
        stop.send_replace(true);
        if is_blind {
            return Err(BuildError::Blind);
        }
        join("control", control).await;
        pages.abort();
        drop(self.state);
        tracing::info!("stopped");
        Ok(())
    }
}

/// Does what the node is told until that is to drain. Says whether it has to, as control ended.
async fn obey(wishes: &mut Wishes, reloader: &mut Reloader, control: &mut JoinHandle<()>) -> bool {
    loop {
        let rest = tokio::time::sleep(reloader.config.geo.watch_interval);
        tokio::select! {
            () = rest => reloader.look_at_places().await,
            wish = wishes.next() => match wish {
                Wish::Reload => reloader.reload().await,
                Wish::Drain => return false,
            },
            // Without control nothing is believed any more: better gone, and seen to be gone, than wrong.
            ended = &mut *control => {
                tracing::error!(?ended, "control ended: the node stops");
                return true;
            }
        }
    }
}

/// HTTP finishes what it has, while DNS still answers; then DNS stops, too.
async fn drain(proxy: proxy::Running, answering: dns::Running, wishes: &mut Wishes) -> Result<(), BuildError> {
    let drained = in_background("drain", move || {
        proxy.stop();
        answering.stop();
    })?;
    let interrupted = async { while wishes.next().await != Wish::Drain {} };
    tokio::select! {
        () = drained => Ok(()),
        () = interrupted => Err(BuildError::Interrupted),
    }
}

/// Blocking work on a thread that nobody waits for when the process ends.
fn in_background(name: &str, work: impl FnOnce() + Send + 'static) -> Result<impl Future<Output = ()>, BuildError> {
    let (done, told) = oneshot::channel();
    std::thread::Builder::new().name(name.into()).spawn(move || {
        work();
        // Nobody waits any more after a second signal.
        _ = done.send(());
    })?;
    Ok(async { drop(told.await) })
}

async fn join(name: &str, task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(task = name, %error, "a task did not end well");
    }
}
