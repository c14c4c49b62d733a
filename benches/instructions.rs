//! How many instructions the pure parts of a request take, each beside a naive version. Counted by valgrind, so the neighbours do not matter.
//!
//! `cargo bench --features bench --bench instructions` needs valgrind and `gungraun-runner` of the version in `Cargo.lock`. The second run says
//! what changed since the first. Everything was done once before it is counted, since the first time looks for what the processor can do.

// What the macros below make of their functions.
#![allow(
    missing_docs,
    unused_qualifications,
    clippy::exit,
    clippy::unwrap_used,
    reason = "a program for people, whose macros write functions of their own"
)]

use std::{hint::black_box, sync::Arc, time::Duration};

use gungraun::{library_benchmark, library_benchmark_group, main};
use http::{HeaderMap, HeaderName, HeaderValue};
use meridian::{
    balance::{self, Ask, Standard, Turns},
    clock::{Random, Ticks, seeded},
    config::{self, Balancing, Config, Identity, WhenAllDown},
    fleet::{Balance, Health, PoolId, RegionId},
    policy::{Climb, Flow, Rung, climb},
    proxy::{Asked, Routing, codec},
    table::{Membership, OriginSpec, PoolSpec, RegionSpec, RowKey, RowState, Snapshot, Writer},
};

const ROUTES: usize = 10_000;

const REQUEST: &[u8] = b"GET /api/v2/orders/1234?expand=items HTTP/1.1\r\n\
    Host: shop-1234.example\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://shop-1234.example/api/v2/orders\r\n\
    Connection: keep-alive\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\
    Cache-Control: no-cache\r\n\r\n";

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Server: nginx\r\n\
    Date: Mon, 02 Nov 2026 10:00:00 GMT\r\n\
    Content-Type: application/json; charset=utf-8\r\n\
    Content-Length: 128\r\n\
    Connection: keep-alive\r\n\
    ETag: \"0123456789abcdef\"\r\n\
    Cache-Control: private, max-age=0\r\n\
    Vary: Accept-Encoding\r\n\r\n";

/// What is measured is built once and not taken down, so that only its use counts.
fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Does it once before it is counted.
fn warm<T>(input: &'static [u8], read: impl FnOnce(&'static [u8]) -> T) -> &'static [u8] {
    black_box(read(input));
    input
}

type Names = (HeaderMap, usize);

/// What a server that knows headers by name makes of what `httparse` read.
fn map(headers: &[httparse::Header<'_>], begin: usize) -> Names {
    let mut map = HeaderMap::with_capacity(headers.len());
    for header in headers {
        let name = HeaderName::from_bytes(header.name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_bytes(header.value).unwrap());
    }
    (map, begin)
}

fn bare_request(bytes: &[u8]) -> usize {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    _ = request.parse(bytes).unwrap();
    request.headers.len()
}

fn mapped_request(bytes: &[u8]) -> Names {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    _ = request.parse(bytes).unwrap();
    map(request.headers, request.path.unwrap().len())
}

fn bare_response(bytes: &[u8]) -> usize {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    _ = response.parse(bytes).unwrap();
    response.headers.len()
}

fn mapped_response(bytes: &[u8]) -> Names {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    _ = response.parse(bytes).unwrap();
    map(response.headers, usize::from(response.code.unwrap()))
}

#[library_benchmark]
#[bench::nine_headers(args = (REQUEST, codec::read_request), setup = warm)]
fn request_ours(bytes: &'static [u8]) -> Option<(usize, bool)> {
    codec::read_request(black_box(bytes))
}

#[library_benchmark]
#[bench::nine_headers(args = (REQUEST, bare_request), setup = warm)]
fn request_httparse_alone(bytes: &'static [u8]) -> usize {
    bare_request(black_box(bytes))
}

#[library_benchmark]
#[bench::nine_headers(args = (REQUEST, mapped_request), setup = warm)]
fn request_httparse_and_header_map(bytes: &'static [u8]) -> Names {
    mapped_request(black_box(bytes))
}

#[library_benchmark]
#[bench::eight_headers(args = (RESPONSE, codec::read_response), setup = warm)]
fn response_ours(bytes: &'static [u8]) -> Option<(usize, bool)> {
    codec::read_response(black_box(bytes))
}

#[library_benchmark]
#[bench::eight_headers(args = (RESPONSE, bare_response), setup = warm)]
fn response_httparse_alone(bytes: &'static [u8]) -> usize {
    bare_response(black_box(bytes))
}

#[library_benchmark]
#[bench::eight_headers(args = (RESPONSE, mapped_response), setup = warm)]
fn response_httparse_and_header_map(bytes: &'static [u8]) -> Names {
    mapped_response(black_box(bytes))
}

/// 16 KiB in four chunks.
fn chunks() -> &'static [u8] {
    let chunk = [b"1000\r\n".as_slice(), &[b'x'; 4096], b"\r\n"].concat();
    let body = kept([&*chunk.repeat(4), b"0\r\n\r\n"].concat());
    black_box(codec::read_chunks(body));
    black_box(gathered(body));
    body
}

/// Reads whole lines and copies the data out, as one does at first.
fn gathered(mut left: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    loop {
        let end = left.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&left[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return data;
        }
        data.extend_from_slice(&left[end + 2..end + 2 + size]);
        left = &left[end + 2 + size + 2..];
    }
}

#[library_benchmark]
#[bench::four_of_4_kib(setup = chunks)]
fn chunked_ours(body: &'static [u8]) -> Option<usize> {
    codec::read_chunks(black_box(body))
}

#[library_benchmark]
#[bench::four_of_4_kib(setup = chunks)]
fn chunked_gathered(body: &'static [u8]) -> Vec<u8> {
    gathered(black_box(body))
}

/// Routes like those of a platform: each host three.
fn routes() -> Config {
    let mut text =
        "[regions.here]\naddresses = [\"192.0.2.1\"]\n[[pools.shop.origins]]\naddress = \"10.0.0.1:80\"\n".to_owned();
    for at in 0..ROUTES {
        let path = ["/", "/api", "/api/v2/orders"][at % 3];
        text += &format!("[[routes]]\nhost = \"shop-{}.example\"\npath = \"{path}\"\npool = \"shop\"\n", at / 3);
    }
    config::from_text("bench", &text, &Identity::default()).config.unwrap()
}

const ASKED: Asked<'static> = Asked {
    method: "GET",
    host: "shop-1234.example",
    path: "/api/v2/orders/1234",
    query: Some("expand=items"),
    headers: &[],
    client: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
};

fn routing() -> &'static Routing {
    let config = routes();
    let routing = kept(Routing::build(
        &config,
        None,
        &meridian::tls::Outward::none(&config),
        Arc::new(meridian::policy::Flow::of(&config, None)),
    ));
    _ = black_box(routing.find(&ASKED));
    routing
}

#[library_benchmark]
#[bench::of_10_000(setup = routing)]
fn route_ours(routing: &'static Routing) -> usize {
    routing.find(black_box(&ASKED)).unwrap()
}

/// Host and path of each route.
fn list() -> &'static [(String, String)] {
    let at = |at: usize| (format!("shop-{}.example", at / 3), ["/", "/api", "/api/v2/orders"][at % 3].to_owned());
    kept((0..ROUTES).map(at).collect::<Vec<_>>())
}

#[library_benchmark]
#[bench::of_10_000(setup = list)]
fn route_one_by_one(list: &'static [(String, String)]) -> Option<usize> {
    let asked = black_box(&ASKED);
    let fits = list.iter().enumerate().filter(|(_, (host, path))| *host == asked.host && asked.path.starts_with(path));
    fits.max_by_key(|(_, (_, path))| path.len()).map(|(at, _)| at)
}

const HERE: RegionId = RegionId(0);
const POOL: PoolId = PoolId(0);

/// Three regions with eight origins each, all of them up.
struct Fleet {
    writer: Writer,
    flow: Flow,
    settings: Balancing,
    turns: Turns,
    random: Random,
}

impl Fleet {
    /// What a worker does for each request.
    fn pick(&mut self) -> Option<(Rung, usize)> {
        let generation = self.writer.table().load();
        let snapshot = Snapshot { generation: &generation, now: Ticks(0) };
        let pool = generation.pool(POOL)?;
        let pool = (POOL, &**pool);
        self.flow.comes(pool, HERE, snapshot, Duration::ZERO);
        let with = Climb {
            pool,
            regions: &[HERE, RegionId(1), RegionId(2)],
            home: HERE,
            by_door: false,
            tried: &[],
            when_all_down: WhenAllDown::Open,
            snapshot,
            flow: &self.flow,
            now: Duration::ZERO,
        };
        let (rung, region) = climb(&with, &mut self.random)?;
        let (turns, random) = (&mut self.turns, &mut self.random);
        let settings = &self.settings;
        let ask = Ask { pool, settings, region, standard: Standard::Proven, key: None, tried: &[], now: snapshot.now };
        let origin = balance::pick(&ask, turns, random)?;
        Some((rung, origin))
    }
}

fn fleet() -> &'static mut Fleet {
    let mut writer = Writer::new(Some(Box::new(balance::build)));
    let address = |region: u16, at: u16| meridian::fleet::Address::Fixed(([10, 0, 0, 1], 1000 * region + at).into());
    let origin = |region: u16, at: u16| OriginSpec {
        address: address(region, at),
        region: RegionId(region),
        weight: 100,
        tier: 0,
    };
    let origins = (0..3).flat_map(|region| (0..8).map(move |at| (region, at)));
    writer.publish(Membership {
        pools: vec![PoolSpec {
            name: "shop".into(),
            balance: Balance::RoundRobin,
            origins: origins.clone().map(|(r, at)| origin(r, at)).collect(),
        }],
        regions: (0..3).map(|at| RegionSpec { name: format!("r{at}").into(), capacity_per_second: 0 }).collect(),
        ..Membership::default()
    });
    let rows = origins.map(|(region, at)| RowKey::Origin("shop".into(), address(region, at)));
    let regions = (0..3).map(|at| format!("r{at}"));
    let regions = regions
        .flat_map(|name| [RowKey::FrontDoor((&*name).into()), RowKey::PoolRegion("shop".into(), (&*name).into())]);
    for key in rows.chain(regions) {
        let row = writer.row(&key).unwrap().clone();
        writer.set(&row, RowState::of(Health::Up));
    }
    let names = "[node]\nregion = \"r0\"\n[regions]\nr0.addresses = [\"192.0.2.1\"]\nr1.addresses = [\"192.0.2.2\"]\nr2.addresses = [\"192.0.2.3\"]\n\
                 [pools.shop]\norigins = [{ address = \"10.0.0.1:80\", region = \"r0\" }]\n[[routes]]\npool = \"shop\"\n";
    let config = config::from_text("fleet.toml", names, &Identity::default()).config.unwrap();
    let fleet = Fleet {
        writer,
        flow: Flow::of(&config, None),
        settings: Balancing::default(),
        turns: Turns::default(),
        random: seeded(7),
    };
    let fleet = Box::leak(Box::new(fleet));
    black_box(fleet.pick().unwrap());
    fleet
}

#[library_benchmark]
#[bench::of_24_in_3_regions(setup = fleet)]
fn pick_ours(fleet: &'static mut Fleet) -> Option<(Rung, usize)> {
    fleet.pick()
}

/// A region and weight for each origin, while it is up.
type Listed = (RegionId, Option<u64>);

fn listed() -> (&'static [Listed], &'static mut Random) {
    let origins = (0..3).flat_map(|region| (0..8).map(move |_| (RegionId(region), Some(100))));
    let random = Box::leak(Box::new(seeded(7)));
    (kept(origins.collect::<Vec<_>>()), random)
}

// Draws by weight from a list of all.
#[library_benchmark]
#[bench::of_24_in_3_regions(setup = listed)]
fn pick_from_a_list((origins, random): (&'static [Listed], &'static mut Random)) -> Option<usize> {
    let weight_here = |(region, weight): &Listed| if *region == HERE { weight.unwrap_or(0) } else { 0 };
    let mut left = random.u64(..origins.iter().map(weight_here).sum::<u64>());
    origins.iter().map(weight_here).position(|weight| {
        let is_it = left < weight;
        left = left.saturating_sub(weight);
        is_it
    })
}

library_benchmark_group!(
    name = reading_a_request,
    benchmarks = [request_ours, request_httparse_alone, request_httparse_and_header_map]
);
library_benchmark_group!(
    name = reading_an_answer,
    benchmarks = [response_ours, response_httparse_alone, response_httparse_and_header_map]
);
library_benchmark_group!(name = reading_chunks, benchmarks = [chunked_ours, chunked_gathered]);
library_benchmark_group!(name = routing_among_10_000, benchmarks = [route_ours, route_one_by_one]);
library_benchmark_group!(name = picking, benchmarks = [pick_ours, pick_from_a_list]);

main!(library_benchmark_groups = [reading_a_request, reading_an_answer, reading_chunks, routing_among_10_000, picking]);
