//! The thread that reads certificates for workers, which never touch the disk.

use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    task::{Context, Poll},
    thread::{Builder, JoinHandle},
};

use rustls::ServerConfig;
use tokio::sync::oneshot;

use super::{ServerTls, rounds::wait_elsewhere, server::Core};

/// Handshakes that wait for a file at once; more are refused. A file takes a fraction of a millisecond.
const MAX_WAITING: usize = 1_024;

type Answer = Option<Arc<ServerConfig>>;

/// A handshake that waits for a file. Resolves to what to go on with; to nothing where there is no usable certificate after all, or
/// too many were waiting: the client is then refused as one that asks for an unknown host. May be dropped at any point.
pub struct Loading {
    answer: oneshot::Receiver<Answer>,
    /// Keeps the thread that will answer.
    _tls: ServerTls,
}

impl Loading {
    pub(super) fn begin(loader: &Loader, host: &str, tls: ServerTls) -> Self {
        let (reply, answer) = oneshot::channel();
        let request = Request { host: host.into(), reply };
        let is_taken = loader.requests.as_ref().is_some_and(|requests| requests.try_send(request).is_ok());
        if !is_taken {
            metrics::counter!("meridian_tls_directory_loads_total", "result" => "refused").increment(1);
        }
        Self { answer, _tls: tls }
    }
}

impl Future for Loading {
    type Output = Option<Arc<ServerConfig>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(|answer| answer.ok().flatten())
    }
}

impl fmt::Debug for Loading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loading(..)")
    }
}

struct Request {
    host: Box<str>,
    reply: oneshot::Sender<Answer>,
}

/// Owns the thread; told to stop when dropped.
pub(super) struct Loader {
    /// Dropped to wake the thread when it is to stop.
    requests: Option<SyncSender<Request>>,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Loader {
    pub(super) fn start(core: Arc<Core>) -> io::Result<Self> {
        let (requests, incoming) = sync_channel(MAX_WAITING);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_stopped);
        let thread = Builder::new().name("tls-loader".to_owned()).spawn(move || answer(&incoming, &core, &seen))?;
        Ok(Self { requests: Some(requests), is_stopped, thread: Some(thread) })
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.requests = None;
        wait_elsewhere(self.thread.take());
    }
}

fn answer(incoming: &Receiver<Request>, core: &Core, is_stopped: &AtomicBool) {
    for request in incoming {
        if is_stopped.load(Ordering::Relaxed) {
            return;
        }
        if !request.reply.is_closed() {
            // The client may have left meanwhile.
            _ = request.reply.send(core.fetch(&request.host));
        }
    }
}
