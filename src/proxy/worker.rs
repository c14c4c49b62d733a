//! One worker: a thread with its own runtime, listeners, origin connections and place in every round.

use std::{
    cell::RefCell,
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::Counter;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinSet, LocalSet},
    time::timeout,
};

use super::{
    Refusal, Routing,
    connections::Connections,
    decide::{Case, Picker, Plan},
    forward,
};
use crate::{
    balance::Turns,
    clock::{self, Clock, Random},
    config,
    fleet::PoolId,
    table::{Generation, Reader, Snapshot, Table},
};

/// How often idle origin connections are looked through.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// A pause after an accept that failed for want of files or memory, so that failing does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// All workers, running.
#[derive(Debug)]
pub struct Running {
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) drain: watch::Sender<bool>,
}

impl Running {
    /// Stops accepting, lets requests in flight finish within the configured time, and joins the workers.
    pub fn stop(self) {
        self.drain.send_replace(true);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a proxy worker had panicked");
            }
        }
    }
}

/// What a worker is made of, before its thread runs.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) listeners: Vec<std::net::TcpListener>,
    pub(super) table: Table,
    pub(super) clock: Clock,
    pub(super) drain: watch::Receiver<bool>,
}

/// One generation as a worker holds it: counted per worker, so that requests do not share a counter across cores.
#[derive(Debug)]
pub(super) struct View(Arc<Generation>);

impl View {
    pub(super) fn routing(&self) -> Option<&Routing> {
        self.0.compiled()
    }

    pub(super) fn origin(&self, pool: PoolId, position: usize) -> Option<SocketAddr> {
        Some(self.0.pool(pool)?.origins().get(position)?.address)
    }
}

/// What all requests of one worker share.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) clock: Clock,
    pub(super) connections: Rc<Connections>,
    reader: RefCell<Reader>,
    view: RefCell<Rc<View>>,
    picker: RefCell<Picker>,
}

impl Worker {
    fn new(table: &Table, clock: &Clock) -> Rc<Self> {
        Rc::new(Self {
            clock: clock.clone(),
            connections: Connections::new(clock.clone()),
            reader: RefCell::new(table.reader(clock.clone())),
            view: RefCell::new(Rc::new(View(table.load()))),
            picker: RefCell::new(Picker { turns: Turns::default(), random: clock::random() }),
        })
    }

    /// What exists now.
    pub(super) fn view(&self) -> Rc<View> {
        let mut reader = self.reader.borrow_mut();
        let current = reader.snapshot().generation;
        let mut view = self.view.borrow_mut();
        if !Arc::ptr_eq(&view.0, current) {
            *view = Rc::new(View(Arc::clone(current)));
        }
        Rc::clone(&view)
    }

    pub(super) fn random<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        draw(&mut self.picker.borrow_mut().random)
    }

    /// Picks from what is believed at this moment, within the generation that the request began with.
    pub(super) fn pick(&self, case: &Case, view: &View, routing: &Routing, tried: &[usize]) -> Result<Plan, Refusal> {
        let snapshot = Snapshot { generation: &view.0, now: self.clock.ticks() };
        self.picker.borrow_mut().pick(case, routing, snapshot, tried, self.clock.now())
    }
}

/// Client connections and heads that were not HTTP.
#[derive(Clone, Debug)]
struct Doorkeeper {
    opened: Counter,
    closed: Counter,
    malformed: Counter,
}

impl Doorkeeper {
    fn new() -> Self {
        Self {
            opened: metrics::counter!("meridian_http_connections_opened_total"),
            closed: metrics::counter!("meridian_http_connections_closed_total"),
            malformed: metrics::counter!("meridian_http_malformed_total"),
        }
    }
}

/// The body of a worker's thread; returns when it was told to drain and has.
pub(super) fn run(seat: Seat) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "a proxy worker could not start"),
    };
    LocalSet::new().block_on(&runtime, async move {
        let Seat { listeners, table, clock, drain } = seat;
        let worker = Worker::new(&table, &clock);
        let settings = worker.view().routing().map(|routing| Arc::clone(&routing.settings));
        let places = Arc::new(Semaphore::new(settings.map_or(1, |settings| settings.max_connections)));
        let mut doors = JoinSet::new();
        for listener in listeners {
            match TcpListener::from_std(listener) {
                Ok(listener) => {
                    doors.spawn_local(accept(listener, Rc::clone(&worker), Arc::clone(&places), drain.clone()));
                }
                Err(error) => tracing::error!(%error, "a listener could not be watched"),
            }
        }
        let sweeper = tokio::task::spawn_local(sweep(Rc::clone(&worker)));
        while doors.join_next().await.is_some() {}
        sweeper.abort();
    });
}

async fn sweep(worker: Rc<Worker>) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        worker.connections.sweep();
        // A worker that nobody asks lets go of generations that are over, too.
        worker.view();
    }
}

/// Accepts until told to drain, then waits for what was accepted. At the connection limit it pauses: clients queue in the kernel.
async fn accept(listener: TcpListener, worker: Rc<Worker>, places: Arc<Semaphore>, drain: watch::Receiver<bool>) {
    let mut told = drain.clone();
    let doorkeeper = Doorkeeper::new();
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            biased;
            _ = told.wait_for(|is_draining| *is_draining) => break,
            (place, accepted) = next => match accepted {
                Ok((stream, client)) => {
                    let serving = serve(stream, client.ip(), Rc::clone(&worker), doorkeeper.clone(), drain.clone());
                    connections.spawn_local(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a client failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let limit = worker.view().routing().map_or(Duration::ZERO, |routing| routing.settings.drain_timeout);
    let all_done = async { while connections.join_next().await.is_some() {} };
    if timeout(limit, all_done).await.is_err() {
        tracing::warn!(connections = connections.len(), "closed while a request was in flight: the drain time was up");
    }
}

/// Serves one client connection until it ends; when told to drain, until its request in flight is answered.
async fn serve(
    stream: TcpStream,
    client: IpAddr,
    worker: Rc<Worker>,
    doorkeeper: Doorkeeper,
    mut drain: watch::Receiver<bool>,
) {
    let Some(builder) = worker.view().routing().map(|routing| builder(&routing.settings)) else { return };
    doorkeeper.opened.increment(1);
    _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answer = forward::handle(Rc::clone(&worker), client.to_canonical(), request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = drain.wait_for(|is_draining| *is_draining) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        if error.is_parse() {
            doorkeeper.malformed.increment(1);
        }
        tracing::debug!(%client, %error, "client connection ended");
    }
    doorkeeper.closed.increment(1);
}

fn builder(settings: &config::Http) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(settings.head_timeout)
        .max_buf_size(settings.max_head_size)
        .max_headers(settings.max_headers);
    builder
}
