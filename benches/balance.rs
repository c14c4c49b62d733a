//! What choosing an origin costs, by each method, beside a lock and a list that do the same.
//!
//! `cargo bench --bench balance`, about three minutes. All origins stand in one region, with weights that differ. Beside a busy worker means
//! that another thread chooses, counts and ends requests at the same origins without a pause, so that their loads change while they are
//! looked at; a third down, that every third origin is down. Two workers are two threads that choose and count; the time is that of one of them.

use std::{
    collections::VecDeque,
    hint::black_box,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use criterion::{BenchmarkId, Criterion};
use meridian::{
    balance::{self, Ask, InFlight, Selector, Standard, Turns},
    clock::{Clock, Random, Ticks, seeded},
    config::Balancing,
    fleet::{Address, Balance, Health, PoolId, RegionId, STANDBY},
    table::{Membership, OriginSpec, Pool, PoolSpec, RegionSpec, RowKey, RowState, Writer},
};

const SIZES: [u16; 2] = [16, 1_000];
const METHODS: [Balance; 5] =
    [Balance::RoundRobin, Balance::LeastConnections, Balance::PeakEwma, Balance::Random, Balance::Hash];
/// Requests that a worker has under way.
const UNDER_WAY: usize = 64;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    alone(&mut criterion);
    a_third_down(&mut criterion);
    beside_a_busy_worker(&mut criterion);
    two_workers(&mut criterion);
    two_tiers(&mut criterion);
    prepared(&mut criterion);
    criterion.final_summary();
}

fn address(at: u16) -> Address {
    Address::Fixed(([10, 0, 0, 1], 1 + at).into())
}

fn membership(method: Balance, origins: u16, tier: impl Fn(u16) -> u8) -> Membership {
    let origin =
        |at: u16| OriginSpec { address: address(at), region: RegionId(0), weight: 50 + at % 7 * 10, tier: tier(at) };
    Membership {
        pools: vec![PoolSpec { name: "shop".into(), balance: method, origins: (0..origins).map(origin).collect() }],
        regions: vec![RegionSpec { name: "here".into(), capacity_per_second: 0 }],
        ..Membership::default()
    }
}

/// A pool with everybody up but those who are said to be down.
fn pool(method: Balance, origins: u16, tier: impl Fn(u16) -> u8, is_down: impl Fn(u16) -> bool) -> Arc<Pool> {
    let mut writer = Writer::new(Some(Box::new(balance::build)));
    writer.publish(membership(method, origins, tier));
    for at in 0..origins {
        let row = writer.row(&RowKey::Origin("shop".into(), address(at))).expect("it was published").clone();
        let health = if is_down(at) { Health::Down } else { Health::Up };
        writer.set(&row, RowState::of(health));
    }
    Arc::clone(&writer.table().load().pools()[0])
}

fn all_up(method: Balance, origins: u16) -> Arc<Pool> {
    pool(method, origins, |_| 0, |_| false)
}

/// One worker: chooses as the proxy does, a key drawn for each request where there is one.
struct Worker {
    pool: Arc<Pool>,
    settings: Balancing,
    turns: Turns,
    random: Random,
    keys: Random,
    under_way: VecDeque<InFlight>,
}

impl Worker {
    fn new(pool: &Arc<Pool>, method: Balance, seed: u64) -> Self {
        let settings = Balancing { method, ..Balancing::default() };
        let (turns, under_way) = (Turns::default(), VecDeque::with_capacity(UNDER_WAY + 1));
        let mut worker =
            Self { pool: Arc::clone(pool), settings, turns, random: seeded(seed), keys: seeded(seed + 1), under_way };
        (0..UNDER_WAY).for_each(|_| worker.serve());
        worker
    }

    fn pick(&mut self) -> Option<usize> {
        let key = (self.settings.method == Balance::Hash).then(|| self.keys.u64(..));
        let ask = Ask {
            pool: (PoolId(0), &self.pool),
            settings: &self.settings,
            region: RegionId(0),
            standard: Standard::Proven,
            key,
            tried: &[],
            now: Ticks(0),
        };
        balance::pick(&ask, &mut self.turns, &mut self.random)
    }

    /// Chooses, counts the request, and ends the oldest one.
    fn serve(&mut self) {
        let origin = self.pick().expect("somebody is up");
        let selector = self.pool.selector::<Selector>().expect("it was prepared");
        self.under_way.extend(selector.begin(origin, &self.settings, Duration::ZERO));
        if self.under_way.len() > UNDER_WAY
            && let Some(ended) = self.under_way.pop_front()
        {
            ended.answered(Duration::from_millis(1));
        }
    }
}

/// What somebody in a hurry would write: a draw by weight among those that are up, behind a lock.
struct Naive(Mutex<Vec<(u64, bool)>>);

impl Naive {
    fn of(origins: u16) -> Self {
        Self(Mutex::new((0..origins).map(|at| (u64::from(50 + at % 7 * 10), true)).collect()))
    }

    fn pick(&self, random: &mut Random) -> Option<usize> {
        let origins = self.0.lock().expect("nobody panics");
        let total: u64 = origins.iter().filter(|(_, is_up)| *is_up).map(|(weight, _)| weight).sum();
        let mut left = random.u64(..total);
        origins.iter().position(|(weight, is_up)| {
            let is_it = *is_up && left < *weight;
            left = left.saturating_sub(if *is_up { *weight } else { 0 });
            is_it
        })
    }
}

fn alone(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pick");
    for origins in SIZES {
        for method in METHODS {
            let mut worker = Worker::new(&all_up(method, origins), method, 1);
            group.bench_function(BenchmarkId::new(method.as_str(), origins), |bench| bench.iter(|| worker.pick()));
        }
        let (naive, mut random) = (Naive::of(origins), seeded(1));
        group.bench_function(BenchmarkId::new("naive", origins), |bench| bench.iter(|| naive.pick(&mut random)));
    }
}

fn a_third_down(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pick, a third down");
    for origins in SIZES {
        for method in METHODS {
            let mut worker = Worker::new(&pool(method, origins, |_| 0, |at| at.is_multiple_of(3)), method, 1);
            group.bench_function(BenchmarkId::new(method.as_str(), origins), |bench| bench.iter(|| worker.pick()));
        }
    }
}

fn beside_a_busy_worker(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pick beside a busy worker");
    for origins in SIZES {
        for method in METHODS {
            let pool = all_up(method, origins);
            let is_over = Arc::new(AtomicBool::new(false));
            let (seen, same) = (Arc::clone(&is_over), Arc::clone(&pool));
            let busy = thread::spawn(move || {
                let mut worker = Worker::new(&same, method, 9);
                while !seen.load(Ordering::Relaxed) {
                    worker.serve();
                }
            });
            let mut worker = Worker::new(&pool, method, 1);
            group.bench_function(BenchmarkId::new(method.as_str(), origins), |bench| bench.iter(|| worker.pick()));
            is_over.store(true, Ordering::Relaxed);
            busy.join().expect("it does not panic");
        }
    }
}

fn two_workers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pick, count and end, two workers");
    for origins in SIZES {
        for method in METHODS {
            let pool = all_up(method, origins);
            group.bench_function(BenchmarkId::new(method.as_str(), origins), |bench| {
                bench.iter_custom(|times| timed(&pool, method, times));
            });
        }
        let naive = Naive::of(origins);
        group.bench_function(BenchmarkId::new("naive, pick alone", origins), |bench| {
            bench.iter_custom(|times| {
                thread::scope(|scope| {
                    let worker = |seed| {
                        let naive = &naive;
                        scope.spawn(move || {
                            let (clock, mut random) = (Clock::system(), seeded(seed));
                            (0..times).for_each(|_| _ = black_box(naive.pick(&mut random)));
                            clock.now()
                        })
                    };
                    let threads = [worker(1), worker(2)];
                    threads.map(|thread| thread.join().expect("it does not panic")).iter().sum::<Duration>() / 2
                })
            });
        });
    }
}

/// The mean time that two workers take for so many requests each.
fn timed(pool: &Arc<Pool>, method: Balance, times: u64) -> Duration {
    thread::scope(|scope| {
        let worker = |seed| {
            scope.spawn(move || {
                let mut worker = Worker::new(pool, method, seed);
                let clock = Clock::system();
                (0..times).for_each(|_| worker.serve());
                clock.now()
            })
        };
        let threads = [worker(1), worker(5)];
        threads.map(|thread| thread.join().expect("it does not panic")).iter().sum::<Duration>() / 2
    })
}

/// Half of the origins stand by, and half of the others are down.
fn two_tiers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pick, two tiers");
    for origins in SIZES {
        for method in METHODS {
            let tier = |at: u16| if at.is_multiple_of(2) { 0 } else { STANDBY };
            let mut worker = Worker::new(&pool(method, origins, tier, |at| at.is_multiple_of(4)), method, 1);
            group.bench_function(BenchmarkId::new(method.as_str(), origins), |bench| bench.iter(|| worker.pick()));
        }
    }
}

/// What control pays when a pool changes.
fn prepared(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("prepare a pool");
    for origins in SIZES {
        for method in [Balance::RoundRobin, Balance::Random, Balance::Hash] {
            let pool = all_up(method, origins);
            group.bench_function(BenchmarkId::new(method.as_str(), origins), |bench| {
                bench.iter(|| balance::build(method, pool.origins(), Some(&pool)));
            });
        }
    }
}
