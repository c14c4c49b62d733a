//! One worker: a thread with its own runtime, listeners, origin connections and place in every round.

use std::{
    cell::{Cell, RefCell},
    net::IpAddr,
    rc::Rc,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use metrics::Counter;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, watch},
    task::{JoinSet, LocalSet},
    time::timeout,
};

use super::{
    Refusal, Routing,
    accept::{Door, Guest, Turnstile, welcome},
    connections::Connections,
    decide::{Case, Picker, Plan},
    io::{Buffers, Deadlines, TICK},
    peer::{Peer, TlsFacts},
    tally::Tally,
    watch::Watch,
};
use crate::{
    balance::{Selector, Stickiness, Sticky, Turns},
    clock::{self, Clock, Random},
    fleet::{Address, AnswerDns, Observation, PoolId, RegionId, Watched, Watchlist},
    resolver::{Directory, Reach},
    table::{Generation, Reader, RowState, Snapshot, Table},
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
pub(super) struct Post {
    pub(super) listeners: Vec<(Door, std::net::TcpListener)>,
    pub(super) table: Table,
    pub(super) clock: Clock,
    pub(super) dns: Box<dyn AnswerDns>,
    pub(super) judge: mpsc::Sender<Observation>,
    pub(super) drain: watch::Receiver<bool>,
}

/// One generation as a worker holds it: counted per worker, so that requests do not share a counter across cores.
#[derive(Debug)]
pub(super) struct View(Arc<Generation>);

impl View {
    pub(super) fn routing(&self) -> Option<&Routing> {
        self.0.compiled()
    }

    /// Which region an origin stands in.
    pub(super) fn region(&self, pool: PoolId, position: usize) -> Option<RegionId> {
        Some(self.0.pool(pool)?.origins().get(position)?.region)
    }

    pub(super) fn origin(&self, pool: PoolId, position: usize) -> Option<Reach> {
        self.reach(&self.0.pool(pool)?.origins().get(position)?.address)
    }

    pub(super) fn reach(&self, address: &Address) -> Option<Reach> {
        Some(self.0.compiled::<Directory>()?.reach(address))
    }

    /// An origin as it is watched, where somebody does.
    pub(super) fn watched(&self, pool: PoolId, position: usize) -> Option<&Arc<Watched>> {
        self.0.compiled::<Watchlist>()?.origin(pool.index(), position)
    }

    /// The cookies of a pool, where it gives any.
    pub(super) fn sticky(&self, pool: PoolId) -> Option<&Sticky> {
        self.0.compiled::<Stickiness>()?.of(pool)
    }

    /// The pool's origins in a region.
    pub(super) fn origins_in(&self, pool: PoolId, region: RegionId) -> impl Iterator<Item = usize> {
        let origins = self.0.pool(pool).map_or(&[][..], |pool| pool.origins());
        origins.iter().enumerate().filter(move |(_, origin)| origin.region == region).map(|(position, _)| position)
    }

    /// A pool's requests under way at its origins, by this node.
    pub(super) fn under_way(&self, pool: PoolId) -> u64 {
        let selector = self.0.pool(pool).and_then(|pool| pool.selector::<Selector>());
        selector.map_or(0, Selector::in_flight)
    }
}

/// What all requests of one worker share.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) clock: Clock,
    pub(super) connections: Rc<Connections>,
    pub(super) buffers: Rc<Buffers>,
    pub(super) deadlines: Rc<Deadlines>,
    pub(super) guests: Rc<Tally<Guest>>,
    pub(super) turnstile: Turnstile,
    pub(super) watch: Watch,
    is_draining: Cell<bool>,
    /// Since when clients have to leave this region, and the part of them that has to by now.
    left_since: Cell<Option<Duration>>,
    let_go: Cell<f64>,
    /// The time as of the last tick.
    now: Cell<Duration>,
    reader: RefCell<Reader>,
    view: RefCell<Rc<View>>,
    picker: RefCell<Picker>,
    dns: RefCell<Box<dyn AnswerDns>>,
}

impl Worker {
    fn new(table: &Table, clock: &Clock, dns: Box<dyn AnswerDns>, judge: mpsc::Sender<Observation>) -> Rc<Self> {
        let deadlines = Rc::<Deadlines>::default();
        deadlines.advance(clock.now());
        Rc::new(Self {
            clock: clock.clone(),
            connections: Connections::new(clock.clone()),
            buffers: Rc::default(),
            deadlines,
            guests: Rc::default(),
            turnstile: Turnstile::default(),
            watch: Watch::new(judge),
            is_draining: Cell::new(false),
            left_since: Cell::new(None),
            let_go: Cell::new(0.0),
            now: Cell::new(clock.now()),
            reader: RefCell::new(table.reader(clock.clone())),
            view: RefCell::new(Rc::new(View(table.load()))),
            picker: RefCell::new(Picker { turns: Turns::default(), random: clock::random() }),
            dns: RefCell::new(dns),
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

    /// A client that connected just now. How long it may stay differs from one to the next, so that those who came together do not leave together.
    pub(super) fn meet(&self, address: IpAddr, tls: Option<TlsFacts>) -> Peer {
        let longest = self.view().routing().map_or(Duration::ZERO, |routing| routing.settings.max_connection_age);
        let until = self.now.get() + longest.mul_f64(self.random(|random| 0.9 + 0.1 * random.f64()));
        Peer { address, tls: tls.map(Rc::new), until, lot: self.random(Random::f64) }
    }

    /// Whether a client's connection may go on after its request.
    pub(super) fn keeps(&self, peer: &Peer) -> bool {
        !self.is_draining() && self.now.get() < peer.until && peer.lot >= self.let_go.get()
    }

    /// Looks whether clients have to leave this region, and how many of them by now.
    fn look_at_the_region(&self, view: &View) {
        let is_left = view.routing().is_some_and(|routing| {
            let door = view.0.region(routing.home).map(|home| home.front_door.read(self.clock.ticks()));
            door.is_some_and(RowState::is_withheld)
        });
        let began = if is_left { self.left_since.get().or(Some(self.now.get())) } else { None };
        self.left_since.set(began);
        let pace = view.routing().map_or(Duration::ZERO, |routing| routing.settings.drain_pace);
        let share = |began: Duration| {
            let gone = self.now.get().saturating_sub(began).as_secs_f64();
            if pace.is_zero() { 1.0 } else { (gone / pace.as_secs_f64()).min(1.0) }
        };
        self.let_go.set(began.map_or(0.0, share));
    }

    /// The time as of the last tick.
    pub(super) fn now(&self) -> Duration {
        self.now.get()
    }

    /// Now, where somebody measures; else as of the last tick.
    pub(super) fn time(&self, is_exact: bool) -> Duration {
        if is_exact { self.clock.now() } else { self.now() }
    }

    /// Whether requests in flight are the last ones.
    pub(super) fn is_draining(&self) -> bool {
        self.is_draining.get()
    }

    pub(super) fn random<T>(&self, draw: impl FnOnce(&mut Random) -> T) -> T {
        draw(&mut self.picker.borrow_mut().random)
    }

    /// Picks from what is believed at this moment, within the generation that the request began with.
    pub(super) fn pick(&self, case: &Case, view: &View, routing: &Routing, tried: &[usize]) -> Result<Plan, Refusal> {
        let snapshot = Snapshot { generation: &view.0, now: self.clock.ticks() };
        let now = self.clock.now();
        let plan = self.picker.borrow_mut().pick(case, routing, snapshot, tried, now);
        if tried.is_empty() {
            let pool = snapshot.generation.pool(case.pool).filter(|_| !case.is_passed_on);
            match pool {
                Some(pool) => routing.flow.comes((case.pool, pool), routing.home, snapshot, now),
                None => routing.flow.goes(routing.home, now),
            }
        }
        let plan = plan?;
        if plan.region != routing.home {
            routing.flow.goes(plan.region, now);
        }
        Ok(plan)
    }

    /// Has a client's DNS message answered; says for how many seconds that may be kept. Nothing where it is nothing to answer.
    pub(super) fn answer_dns(&self, message: &[u8], from: IpAddr, out: &mut Vec<u8>) -> Option<u32> {
        self.dns.borrow_mut().answer(message, from, out)
    }
}

/// The body of a worker's thread; returns when it was told to drain and has.
pub(super) fn run(post: Post) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "a proxy worker could not start"),
    };
    LocalSet::new().block_on(&runtime, async move {
        let Post { listeners, table, clock, dns, judge, drain } = post;
        let worker = Worker::new(&table, &clock, dns, judge);
        let settings = worker.view().routing().map(|routing| Arc::clone(&routing.settings));
        let places = Arc::new(Semaphore::new(settings.map_or(1, |settings| settings.max_connections)));
        let mut doors = JoinSet::new();
        for (door, listener) in listeners {
            match TcpListener::from_std(listener) {
                Ok(listener) => {
                    doors.spawn_local(accept(listener, door, Rc::clone(&worker), Arc::clone(&places), drain.clone()));
                }
                Err(error) => tracing::error!(%error, "a listener could not be watched"),
            }
        }
        let ticker = tokio::task::spawn_local(tick(Rc::clone(&worker)));
        while doors.join_next().await.is_some() {}
        ticker.abort();
    });
}

/// Lets time pass for everything that waits.
async fn tick(worker: Rc<Worker>) {
    let mut interval = tokio::time::interval(TICK);
    let mut swept = worker.clock.now();
    loop {
        interval.tick().await;
        let now = worker.clock.now();
        worker.now.set(now);
        worker.deadlines.advance(now);
        worker.look_at_the_region(&worker.view());
        worker.watch.tick(now);
        if now.saturating_sub(swept) >= SWEEP_INTERVAL {
            swept = now;
            worker.connections.sweep();
            worker.dns.borrow_mut().follow();
        }
    }
}

/// Counts a client's connection as opened, and as closed however it ends.
struct Counted(Counter);

impl Counted {
    fn new(opened: &Counter, closed: &Counter) -> Self {
        opened.increment(1);
        Self(closed.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.increment(1);
    }
}

/// Accepts until told to drain, then waits for what was accepted. At the connection limit it pauses: clients queue in the kernel.
async fn accept(
    listener: TcpListener,
    door: Door,
    worker: Rc<Worker>,
    places: Arc<Semaphore>,
    mut drain: watch::Receiver<bool>,
) {
    let opened = metrics::counter!("meridian_http_connections_opened_total");
    let closed = metrics::counter!("meridian_http_connections_closed_total");
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            // Waits for a place, but keeps none while nobody comes: other listeners share them.
            drop(places.acquire().await);
            let accepted = listener.accept().await;
            (Arc::clone(&places).acquire_owned().await, accepted)
        };
        tokio::select! {
            biased;
            _ = drain.wait_for(|is_draining| *is_draining) => break,
            (place, accepted) = next => match accepted {
                Ok((stream, client)) => {
                    // Without it small answers wait for acknowledgements; a socket that cannot do it works all the same.
                    _ = stream.set_nodelay(true);
                    let (worker, counted) = (Rc::clone(&worker), Counted::new(&opened, &closed));
                    connections.spawn_local(async move {
                        // Made in here: a future that is moved into another takes its room twice.
                        welcome(stream, client, door, worker).await;
                        drop((counted, place));
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a client failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    worker.is_draining.set(true);
    worker.deadlines.wake_all();
    let limit = worker.view().routing().map_or(Duration::ZERO, |routing| routing.settings.drain_timeout);
    let all_done = async { while connections.join_next().await.is_some() {} };
    if timeout(limit, all_done).await.is_err() {
        tracing::warn!(connections = connections.len(), "closed while a request was in flight: the drain time was up");
    }
}
