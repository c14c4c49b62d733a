//! What one answer costs, beside the same answer built from general-purpose message types, and among more names.
//!
//! `cargo bench --bench dns`; `-- --test` runs each once.

#[path = "dns/scene.rs"]
mod scene;

use std::{collections::HashMap, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{Name, RData, Record, rdata::A},
};
use scene::{Scene, question};

const NAMES: usize = 1_000;
const MANY_NAMES: usize = 100_000;

fn respond(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dns");
    let questions = [
        ("static", question("n500.shop.example", None)),
        ("steered by client subnet", question("shop.example", Some([193, 0, 6]))),
        ("nxdomain", question("none.shop.example", None)),
    ];
    for names in [NAMES, MANY_NAMES] {
        let mut scene = Scene::new(names);
        for (label, message) in &questions {
            group.bench_function(format!("{label}, {names} names"), |bencher| {
                bencher.iter(|| scene.answer(black_box(message)));
            });
        }
        // Another name each time: what is not in the cache is fetched.
        let all: Vec<_> =
            (0..names).map(|at| question(&format!("n{}.shop.example", at * 7919 % names), None)).collect();
        let mut next = all.iter().cycle();
        group.bench_function(format!("all in turn, {names} names"), |bencher| {
            bencher.iter(|| scene.answer(next.next().expect("it goes around")));
        });
    }
    let zone: HashMap<Name, Record> = (0..NAMES)
        .map(|at| {
            let name = Name::from_ascii(format!("n{at}.shop.example.")).expect("a name");
            (name.clone(), Record::from_rdata(name, 3600, RData::A(A::new(192, 0, 2, 9))))
        })
        .collect();
    let message = &questions[0].1;
    group.bench_function("static, general-purpose message types", |bencher| {
        bencher.iter(|| general(&zone, black_box(message)));
    });
    group.finish();
}

/// The static answer from a map of records, by a library for messages of any kind.
fn general(zone: &HashMap<Name, Record>, message: &[u8]) -> Vec<u8> {
    let query = Message::from_vec(message).expect("it is well formed");
    let mut answer = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    answer.metadata.authoritative = true;
    answer.metadata.response_code = ResponseCode::NoError;
    let asked = query.queries[0].clone();
    answer.add_answer(zone[asked.name()].clone());
    answer.add_query(asked);
    answer.to_vec().expect("it fits")
}

criterion_group!(benches, respond);
criterion_main!(benches);
