//! How many instructions one DNS answer takes, from bytes to bytes, with cookies and rate limits on. Counted by valgrind, so the neighbours do
//! not matter.
//!
//! `cargo bench --features bench --bench instructions_dns` needs valgrind and `gungraun-runner` of the version in `Cargo.lock`. Everything was done
//! once before it is counted.

// What the macros below make of their functions.
#![allow(
    missing_docs,
    unused_qualifications,
    clippy::exit,
    reason = "a program for people, whose macros write functions of their own"
)]

#[path = "dns/scene.rs"]
mod scene;

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use scene::{Scene, question};

/// What is measured is built once and not taken down, so that only its use counts.
fn ready(name: &str, subnet: Option<[u8; 3]>) -> (&'static mut Scene, &'static [u8]) {
    let scene = Box::leak(Box::new(Scene::new(1_000)));
    let message = Box::leak(question(name, subnet).into_boxed_slice());
    black_box(scene.answer(message));
    (scene, message)
}

#[library_benchmark]
#[bench::of_a_static_name(setup = ready, args = ("n500.shop.example", None))]
#[bench::of_no_name(setup = ready, args = ("none.shop.example", None))]
#[bench::of_the_nearest_region(setup = ready, args = ("shop.example", None))]
#[bench::of_the_nearest_region_by_client_subnet(setup = ready, args = ("shop.example", Some([193, 0, 6])))]
fn answer((scene, message): (&'static mut Scene, &'static [u8])) -> usize {
    scene.answer(message)
}

library_benchmark_group!(name = answering, benchmarks = [answer]);

main!(library_benchmark_groups = [answering]);
