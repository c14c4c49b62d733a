//! What one answer costs, beside the same answer built from general-purpose message types.
//!
//! `cargo bench --bench dns`; `-- --test` runs each once.

use criterion::{Criterion, criterion_group, criterion_main};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata::A},
};
use meridian::{
    clock::{Ticks, seeded},
    config::{self, Identity},
    dns::{Client, Moment, Responder, Transport, Zones},
    fleet::{Health, RegionId},
    table::{Compiled, Membership, OriginSpec, PoolSpec, RegionSpec, RowKey, RowState, Snapshot, Writer},
};
use std::{collections::HashMap, hint::black_box};

const NAMES: usize = 1_000;

/// A zone of a thousand static names and a steered one over three regions.
fn table() -> Writer {
    let regions: String = (1..=3).map(|at| format!("[regions.r{at}]\naddresses = [\"192.0.2.{at}\"]\n")).collect();
    let origins: String = (1..=3)
        .map(|at| format!("[[pools.shop.origins]]\naddress = \"127.0.0.1:{at}\"\nregion = \"r{at}\"\n"))
        .collect();
    let records: String =
        (0..NAMES).map(|at| format!("[zones.\"shop.example\".records.n{at}]\nA = [\"192.0.2.9\"]\n")).collect();
    let text = format!(
        "[node]\nregion = \"r1\"\n{regions}{origins}[zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\n{records}\
         [zones.\"shop.example\".steer.\"@\"]\npools = [\"shop\"]\n"
    );
    let config = config::from_text("bench.toml", &text, &Identity::default()).config.expect("a good config");
    let mut writer = Writer::new(None);
    let origins = |pool: &config::Pool| {
        let spec = |origin: &config::Origin| OriginSpec {
            address: origin.address.clone(),
            region: origin.region,
            weight: origin.weight,
        };
        pool.origins.iter().map(spec).collect()
    };
    writer.publish(Membership {
        revision: 1,
        pools: config.pools.iter().map(|pool| PoolSpec { name: pool.name.clone(), origins: origins(pool) }).collect(),
        regions: config
            .regions
            .iter()
            .map(|region| RegionSpec { name: region.name.clone(), capacity_per_second: 0 })
            .collect(),
        compiled: Compiled::default().with(Zones::build(&config, 1)),
    });
    for at in 0..3_u16 {
        let region = config.regions[RegionId(at).index()].name.clone();
        for key in [RowKey::FrontDoor(region.clone()), RowKey::PoolRegion("shop".into(), region)] {
            let row = writer.row(&key).expect("it was published").clone();
            writer.set(&row, RowState { health: Health::Up, ..RowState::default() });
        }
    }
    writer
}

fn question(name: &str) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).expect("a name"), RecordType::A));
    message.to_vec().expect("it fits")
}

fn respond(criterion: &mut Criterion) {
    let writer = table();
    let generation = writer.table().load();
    let snapshot = Snapshot { generation: &generation, now: Ticks(0) };
    let mut group = criterion.benchmark_group("dns");
    let client = Client { address: std::net::Ipv4Addr::LOCALHOST.into(), transport: Transport::Udp };
    for (label, name) in
        [("static", "n500.shop.example."), ("steered", "shop.example."), ("nxdomain", "none.shop.example.")]
    {
        let message = question(name);
        let (mut responder, mut out) = (Responder::new(seeded(1)), Vec::with_capacity(4096));
        group.bench_function(label, |bencher| {
            bencher.iter(|| responder.respond(black_box(&message), client, Moment::default(), snapshot, &mut out));
        });
    }
    let zone: HashMap<Name, Record> = (0..NAMES)
        .map(|at| {
            let name = Name::from_ascii(format!("n{at}.shop.example.")).expect("a name");
            (name.clone(), Record::from_rdata(name, 3600, RData::A(A::new(192, 0, 2, 9))))
        })
        .collect();
    let message = question("n500.shop.example.");
    group.bench_function("static, general-purpose message types", |bencher| {
        bencher.iter(|| {
            let query = Message::from_vec(black_box(&message)).expect("it is well formed");
            let mut answer = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
            answer.metadata.authoritative = true;
            answer.metadata.response_code = ResponseCode::NoError;
            let asked = query.queries[0].clone();
            answer.add_answer(zone[asked.name()].clone());
            answer.add_query(asked);
            answer.to_vec().expect("it fits")
        });
    });
    group.finish();
}

criterion_group!(benches, respond);
criterion_main!(benches);
