//! What the table costs to read and to change, beside a `RwLock<HashMap>` that does the same; and what one signal costs.
//!
//! `cargo bench --bench table`, about two minutes. Fleets are pools of ten origins over three regions. A busy writer changes one
//! random row after the other without a pause, and in the table a pool after each thousand rows. Threads share whatever cores
//! there are: where readers and the writer outnumber them, times hold waiting for a core too.

use std::{
    collections::HashMap,
    hint::black_box,
    net::SocketAddr,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use criterion::{BatchSize, BenchmarkId, Criterion};
use meridian::{
    clock::{self, Clock, Ticks},
    fleet::{Balance, BasisPoints, Belief, Health, PoolId, RegionId, Signal, Source, Subject},
    table::{Compiled, Membership, OriginSpec, PoolSpec, RegionSpec, RowState, Table, Writer},
};

#[path = "table/controlled.rs"]
mod controlled;

const SIZES: [usize; 3] = [10, 1_000, 100_000];
const POOL: usize = 10;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    row_read(&mut criterion);
    whole_pool_read(&mut criterion);
    row_read_beside_a_writer(&mut criterion);
    snapshot(&mut criterion);
    one_pool_changed(&mut criterion);
    signal(&mut criterion);
    criterion.final_summary();
}

fn address(at: usize) -> SocketAddr {
    let [_, high, middle, low] = u32::try_from(at).unwrap_or(u32::MAX).to_be_bytes();
    SocketAddr::from(([10, high, middle, low], 80))
}

fn pool(at: usize, weight: u16) -> PoolSpec {
    let origin = |member: usize| OriginSpec {
        address: address(at * POOL + member).into(),
        region: RegionId([0, 1, 2][member % 3]),
        weight,
        tier: 0,
    };
    PoolSpec {
        name: format!("pool-{at}").into(),
        balance: Balance::RoundRobin,
        origins: (0..POOL).map(origin).collect(),
    }
}

fn table_of(origins: usize) -> Writer {
    let mut writer = Writer::new(None);
    let regions = ["a", "b", "c"].map(|name| RegionSpec { name: name.into(), capacity_per_second: 0 });
    let pools = (0..origins / POOL).map(|at| pool(at, 100)).collect();
    writer.publish(Membership { revision: 1, pools, regions: regions.into(), compiled: Compiled::default() });
    writer
}

fn state(share: u16) -> RowState {
    RowState { health: Health::Up, weight: BasisPoints::new(share), ..RowState::default() }
}

/// What somebody in a hurry would write.
#[derive(Clone)]
struct Naive(Arc<RwLock<HashMap<SocketAddr, RowState>>>);

impl Naive {
    fn of(origins: usize) -> Self {
        Self(Arc::new(RwLock::new((0..origins).map(|at| (address(at), state(1))).collect())))
    }

    fn read(&self, origin: &SocketAddr) -> RowState {
        self.0.read().expect("nobody panics")[origin]
    }

    fn write(&self, origin: SocketAddr, state: RowState) {
        self.0.write().expect("nobody panics").insert(origin, state);
    }
}

/// Visits origins all over the fleet, the same for everybody, without looking random numbers up.
fn scattered(origins: usize) -> impl FnMut() -> usize {
    let mut at = 0;
    move || {
        at = (at + 7_919) % origins;
        at
    }
}

/// Reads through a fresh snapshot each time, as a request does; on a clock that costs nothing.
fn table_reader(table: &Table, origins: usize) -> impl FnMut() -> RowState + use<> {
    let (mut reader, mut next) = (table.reader(Clock::manual()), scattered(origins));
    move || {
        let (snapshot, at) = (reader.snapshot(), next());
        snapshot.generation.pools()[at / POOL].origins()[at % POOL].row.read(snapshot.now)
    }
}

fn naive_reader(naive: &Naive, origins: usize) -> impl FnMut() -> RowState + use<> {
    let (naive, mut next) = (naive.clone(), scattered(origins));
    let addresses: Vec<SocketAddr> = (0..origins).map(address).collect();
    move || naive.read(&addresses[next()])
}

fn row_read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("row read");
    for origins in SIZES {
        let table = table_of(origins).table();
        let row = table.load().pools()[0].origins()[0].row.clone();
        group.bench_function(BenchmarkId::new("row alone", origins), |bench| {
            bench.iter(|| black_box(&row).read(Ticks(0)));
        });
        let mut read = table_reader(&table, origins);
        group.bench_function(BenchmarkId::new("table", origins), |bench| bench.iter(&mut read));
        let mut read = naive_reader(&Naive::of(origins), origins);
        group.bench_function(BenchmarkId::new("naive", origins), |bench| bench.iter(&mut read));
    }
}

/// What a request does: look at everybody who could take it.
fn whole_pool_read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("the ten rows of a pool");
    for origins in SIZES {
        let table = table_of(origins).table();
        let (mut reader, mut next) = (table.reader(Clock::manual()), scattered(origins));
        group.bench_function(BenchmarkId::new("table", origins), |bench| {
            bench.iter(|| {
                let (snapshot, at) = (reader.snapshot(), next() / POOL);
                let members = snapshot.generation.pools()[at].origins().iter();
                members.filter(|origin| origin.row.read(snapshot.now).is_usable()).count()
            });
        });
        let (naive, mut next) = (Naive::of(origins), scattered(origins));
        let addresses: Vec<SocketAddr> = (0..origins).map(address).collect();
        group.bench_function(BenchmarkId::new("naive", origins), |bench| {
            bench.iter(|| {
                let first = next() / POOL * POOL;
                let rows = naive.0.read().expect("nobody panics");
                addresses[first..first + POOL].iter().filter(|origin| rows[*origin].is_usable()).count()
            });
        });
    }
}

fn row_read_beside_a_writer(criterion: &mut Criterion) {
    for readers in [1, 2] {
        let mut group = criterion.benchmark_group(format!("row read beside a busy writer, readers: {readers}"));
        for origins in SIZES {
            let writer = table_of(origins);
            let table = writer.table();
            let busy = Busy::start(table_write(writer, origins));
            let reader = || table_reader(&table, origins);
            group.bench_function(BenchmarkId::new("table", origins), |bench| {
                bench.iter_custom(|times| timed(readers, times, reader));
            });
            busy.stop();
            let naive = Naive::of(origins);
            let busy = Busy::start(naive_write(naive.clone(), origins));
            let reader = || naive_reader(&naive, origins);
            group.bench_function(BenchmarkId::new("naive", origins), |bench| {
                bench.iter_custom(|times| timed(readers, times, reader));
            });
            busy.stop();
        }
    }
}

fn table_write(mut writer: Writer, origins: usize) -> impl FnMut() + Send {
    let (table, mut random) = (writer.table(), clock::seeded(1));
    let mut generation = table.load();
    move || {
        for _ in 0..1_000 {
            let at = random.usize(..origins);
            writer.set(&generation.pools()[at / POOL].origins()[at % POOL].row, state(random.u16(..)));
        }
        let at = random.usize(..origins / POOL);
        let id = PoolId(u32::try_from(at).unwrap_or(u32::MAX));
        writer.replace_pool(id, pool(at, random.u16(1..=256)));
        generation = table.load();
    }
}

fn naive_write(naive: Naive, origins: usize) -> impl FnMut() + Send {
    let mut random = clock::seeded(1);
    move || naive.write(address(random.usize(..origins)), state(random.u16(..)))
}

/// Somebody who writes without a pause.
struct Busy {
    is_over: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Busy {
    fn start(mut write: impl FnMut() + Send + 'static) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                write();
            }
        });
        Self { is_over, thread }
    }

    fn stop(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("the writer does not panic");
    }
}

/// The mean time that so many readers take for so many reads each.
fn timed<R: FnMut() -> RowState>(readers: u32, times: u64, reader: impl Fn() -> R + Sync) -> Duration {
    let clock = Clock::system();
    let read = || {
        let mut read = reader();
        let start = clock.now();
        for _ in 0..times {
            black_box(read());
        }
        clock.now().saturating_sub(start)
    };
    let total: Duration = thread::scope(|scope| {
        let threads: Vec<_> = (0..readers).map(|_| scope.spawn(read)).collect();
        threads.into_iter().map(|thread| thread.join().expect("readers do not panic")).sum()
    });
    total / readers
}

fn snapshot(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("snapshot");
    for origins in SIZES {
        let table = table_of(origins).table();
        let mut reader = table.reader(Clock::manual());
        group.bench_function(BenchmarkId::new("table", origins), |bench| {
            bench.iter(|| reader.snapshot().generation.revision);
        });
        let mut reader = table.reader(Clock::system());
        group.bench_function(BenchmarkId::new("table with the system clock", origins), |bench| {
            bench.iter(|| reader.snapshot().now);
        });
        let naive = Naive::of(origins);
        group.bench_function(BenchmarkId::new("naive lock", origins), |bench| {
            bench.iter(|| naive.0.read().expect("nobody panics").len());
        });
    }
}

fn one_pool_changed(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one pool changed");
    for origins in SIZES {
        let mut writer = table_of(origins);
        let mut weight = 0;
        group.bench_function(BenchmarkId::new("table", origins), |bench| {
            bench.iter_batched(
                || {
                    weight = weight % 256 + 1;
                    pool(0, weight)
                },
                |spec| writer.replace_pool(PoolId(0), spec),
                BatchSize::SmallInput,
            );
        });
        let naive = Naive::of(origins);
        group.bench_function(BenchmarkId::new("naive, in place", origins), |bench| {
            bench.iter(|| (0..POOL).for_each(|at| naive.write(address(at), state(2))));
        });
        group.bench_function(BenchmarkId::new("naive, so that readers see all or nothing", origins), |bench| {
            bench.iter(|| {
                let mut next = naive.0.read().expect("nobody panics").clone();
                next.extend((0..POOL).map(|at| (address(at), state(2))));
                *naive.0.write().expect("nobody panics") = next;
            });
        });
    }
}

fn signal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("signal to row and region");
    for origins in SIZES {
        let mut control = controlled::one_pool_of(origins);
        let pool: Arc<str> = "pool".into();
        let mut next = scattered(origins);
        let mut say = |health| Signal {
            subject: Subject::Origin { pool: Arc::clone(&pool), address: address(next()).into() },
            source: Source::Probe,
            said: None,
            belief: Belief::Health(health),
            valid_for: Some(Duration::from_secs(3)),
        };
        group.bench_function(BenchmarkId::new("verdict renewed", origins), |bench| {
            bench.iter(|| control.hear(&say(Health::Up)));
        });
        // All are up now: round after round, everybody changes.
        let mut said = 0;
        group.bench_function(BenchmarkId::new("verdict flipped", origins), |bench| {
            bench.iter(|| {
                let health = [Health::Down, Health::Up][said / origins % 2];
                said += 1;
                control.hear(&say(health));
            });
        });
    }
}
