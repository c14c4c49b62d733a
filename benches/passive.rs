//! What a try that went well pays for being watched, beside a map behind a lock that does the same.
//!
//! `cargo bench --bench passive`, about ten seconds. "found" includes looking up the origin in its generation; "two workers" has another thread
//! that does the same with the same origins.

use std::{
    collections::HashMap,
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
    fleet::{Address, Book, Conduct, Fault, Subject, Watchlist},
    table::Compiled,
};

const SIZES: [usize; 2] = [16, 1_000];
const LIMIT: u32 = 5;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for size in SIZES {
        good(&mut criterion, size);
    }
    criterion.final_summary();
}

fn addresses(size: usize) -> impl Iterator<Item = Address> {
    let port = |at: usize| u16::try_from(1 + at).unwrap_or(u16::MAX);
    (0..size).map(move |at| Address::Fixed(([10, 0, 0, 1], port(at)).into()))
}

fn good(criterion: &mut Criterion, size: usize) {
    let list = Watchlist::new([("shop".into(), addresses(size))], None);
    // Among as many parts as a node has.
    let compiled = Compiled::default().with(1_u8).with(1_u16).with(1_u32).with(1_u64).with(list.clone());
    let mut group = criterion.benchmark_group("a try that went well");
    let mut book = Book::default();
    let mut at = 0;
    let mut next = move || {
        at = (at + 7) % size;
        at
    };
    let mut write = |latency: Option<Duration>| {
        let origin = compiled.find::<Watchlist>().and_then(|list| list.origin(0, next()));
        origin.and_then(|origin| book.write(origin, black_box(Conduct::Good), latency, LIMIT))
    };
    group.bench_function(BenchmarkId::new("found and written", size), |bench| bench.iter(|| write(None)));
    let latency = Some(Duration::from_millis(3));
    group.bench_function(BenchmarkId::new("with its time", size), |bench| bench.iter(|| write(black_box(latency))));

    beside_another(&list, Conduct::Good, || {
        group.bench_function(BenchmarkId::new("two workers", size), |bench| bench.iter(|| write(None)));
    });
    beside_another(&list, Conduct::Failed(Fault::Timeout), || {
        group.bench_function(BenchmarkId::new("beside one whose tries fail", size), |bench| bench.iter(|| write(None)));
    });

    let subjects: Vec<_> = addresses(size).map(|address| Subject::Origin { pool: "shop".into(), address }).collect();
    let counts = Mutex::new(HashMap::<Subject, u64>::new());
    let mut at = 0;
    group.bench_function(BenchmarkId::new("map behind a lock", size), |bench| {
        bench.iter(|| {
            at = (at + 7) % size;
            if let Ok(mut counts) = counts.lock() {
                *counts.entry(black_box(&subjects[at]).clone()).or_default() += 1;
            }
        });
    });
    group.finish();
}

/// While another worker's tries at the same origins end so.
fn beside_another(list: &Watchlist, conduct: Conduct, work: impl FnOnce()) {
    let is_over = Arc::new(AtomicBool::new(false));
    let (seen, list) = (Arc::clone(&is_over), list.clone());
    let other = thread::spawn(move || {
        let (mut book, mut at) = (Book::default(), 0);
        while !seen.load(Ordering::Relaxed) {
            at = if list.origin(0, at + 1).is_some() { at + 1 } else { 0 };
            if let Some(origin) = list.origin(0, at) {
                black_box(book.write(origin, conduct, None, LIMIT));
            }
        }
    });
    work();
    is_over.store(true, Ordering::Relaxed);
    _ = other.join();
}
