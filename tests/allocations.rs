//! What a request and a query cost the allocator, with everything warm: nothing. A binary of its own, because it counts for the whole process.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

#[path = "dns/stage.rs"]
#[allow(dead_code, reason = "others turn more of it by hand")]
mod stage;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use meridian::{
    balance,
    clock::Clock,
    config::{self, Identity},
    control::{Control, Start},
    dns::{Asked, Client, Transport},
    fleet::AnswerDns,
    health, proxy,
    resolver::{Directory, Resolver},
    table::Compiled,
};

/// Nobody here asks for DNS.
#[derive(Debug)]
struct Nobody;

impl AnswerDns for Nobody {
    fn answer(&mut self, _message: &[u8], _from: IpAddr, _out: &mut Vec<u8>) -> Option<u32> {
        None
    }

    fn follow(&mut self) {}
}

/// Counts what the system allocator is asked for.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call goes on to the system allocator unchanged.
#[allow(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What is counted is the whole process, so one test counts at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const REQUEST: &[u8] =
    b"GET /c%61rt?id=7 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: counting\r\nAccept: */*\r\nCookie: a=b\r\n\r\n";
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nServer: counted\r\n\r\nhello";

/// Everything that a route can look at and change.
const ROUTE: &str = r#"
path = "/cart"
methods = ["GET", "HEAD"]
clients = ["127.0.0.0/8"]
headers = { cookie = { prefix = "a=" } }
query = { id = { equals = "7" } }
rewrite = { prefix = "/basket", host = "inner.example" }
request_headers = { set = { x-real-ip = "{client}" }, add = { x-path = "{path}" }, remove = ["cookie"] }
response_headers = { set = { server = "{node}" }, add = { x-id = "{request_id}" } }
max_body_size = "1KiB"
timeouts = { request = "10s", response_head = "1s", between_bytes = "1s" }
"#;

/// Reads until what was read ends so.
fn read_until(stream: &mut TcpStream, end: &[u8], buffer: &mut [u8]) -> Option<()> {
    let mut filled = 0;
    while !buffer[..filled].ends_with(end) {
        let read = stream.read(&mut buffer[filled..]).ok()?;
        filled += (read > 0).then_some(read)?;
    }
    Some(())
}

/// An origin that allocates nothing either.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while read_until(&mut stream, b"\r\n\r\n", &mut buffer).is_some() && stream.write_all(ANSWER).is_ok() {}
            });
        }
    });
    address
}

#[test]
fn a_request_allocates_nothing_once_everything_is_warm() {
    let _alone = alone();
    // One after the other: what is counted is the whole process.
    for host in ["127.0.0.1", "localhost"] {
        let allocations = allocations_of_10_000_requests(&format!("{host}:{}", origin().port()));
        // Not one per request. What happens once a second, such as looking through idle connections, may take a few.
        assert!(allocations < 10, "{allocations} allocations in 10,000 requests to {host}");
    }
}

fn allocations_of_10_000_requests(origin: &str) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meridian.toml");
    let text = format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n[[pools.shop.origins]]\naddress = \"{origin}\"\n\
         [[routes]]\nhost = \"shop.example\"\npool = \"shop\"\n{ROUTE}"
    );
    std::fs::write(&path, text).unwrap();
    let identity = Identity {
        state_directory: Some(folder.path().into()),
        http: vec!["127.0.0.1:0".parse().unwrap()],
        ..Identity::default()
    };
    let config = Arc::new(config::load(&path, &identity).config.unwrap());
    let clock = Clock::system();
    let directory = Directory::of(&config, &Directory::default());
    let lookups = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut resolver = Resolver::default();
    // Once a connection is there, a name has been looked up, and the lookups may stand still.
    let connected = lookups.block_on(async {
        resolver.follow(&directory, &config.resolver);
        directory.reach(&config.pools[0].origins[0].address).connect().await
    });
    drop(connected.unwrap());
    let (_control, _commands, table) = Control::open(Start {
        config: Arc::clone(&config),
        compiled: Compiled::default()
            .with(proxy::Routing::build(
                &config,
                None,
                &meridian::tls::Outward::none(&config),
                Arc::new(meridian::policy::Flow::of(&config, None)),
            ))
            .with(health::watchlist(&config, None))
            .with(directory.clone()),
        build_selector: Some(Box::new(balance::build)),
        clock: clock.clone(),
        was_away: false,
    })
    .unwrap();
    let server = proxy::Server::bind(&config.listen, 1).unwrap();
    let address = server.http()[0];
    // Nobody listens: what is dropped costs as much.
    let (judge, _) = tokio::sync::mpsc::channel(16);
    let running = server.start(&table, &clock, || Box::new(Nobody), &judge).unwrap();

    let mut client = TcpStream::connect(address).unwrap();
    let mut buffer = [0; 4096];
    let mut ask = |times: u32| {
        for _ in 0..times {
            client.write_all(REQUEST).unwrap();
            read_until(&mut client, b"hello", &mut buffer).unwrap();
        }
    };
    ask(1000);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    ask(10_000);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    drop(client);
    running.stop();
    allocations
}

/// A name, a type, and what the client says in OPT.
type Question = (&'static str, u16, &'static [u8]);

/// Every way to an answer.
const QUESTIONS: [Question; 16] = [
    ("ns1", 1, b""),
    ("types", 16, b""),
    ("app", 1, b"\0\x08\0\x07\0\x01\x18\0\xc6\x33\x64"),
    ("app", 28, b"\0\x08\0\x0a\0\x02\x30\0\x20\x01\x0d\xb8\0\x0a"),
    ("app", 65, b""),
    ("hashed", 1, b""),
    ("several", 1, b""),
    ("ftp", 1, b""),
    ("a.moved", 1, b""),
    ("host3.w", 16, b""),
    ("www.sub", 1, b""),
    ("none", 1, b""),
    ("ns1", 16, b""),
    ("middle", 16, b"\0\x0c\0\0"),
    ("ns1", 1, b"\0\x0a\0\x08\x24\x64\xc4\xab\xcf\x10\xc9\x57\0\x03\0\0\0\x0b\0\0"),
    ("ns1", 1, b"\0\x0a\0\x18\x24\x64\xc4\xab\xcf\x10\xc9\x57\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
];

fn query((name, kind, options): Question) -> Vec<u8> {
    let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    for label in name.split('.').chain(["shop", "example"]) {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend_from_slice(label.as_bytes());
    }
    query.push(0);
    query.extend_from_slice([kind, 1].map(u16::to_be_bytes).as_flattened());
    query.extend_from_slice(b"\0\0\x29\x04\xd0\0\0\x80\0\0");
    query.push(u8::try_from(options.len()).unwrap());
    query.extend_from_slice(options);
    query
}

#[test]
fn a_query_allocates_nothing_once_the_buffer_has_grown() {
    let _alone = alone();
    let world = std::fs::read_to_string("tests/dns/configs/world.toml").unwrap();
    let everything = std::fs::read_to_string("tests/dns/zones/everything.zone").unwrap();
    // The zone of one beside the regions of the other.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.zone");
    std::fs::write(&file, everything).unwrap();
    let (before, _) = world.split_once("[zones.").unwrap();
    // Nobody but loopback is exempt, so what comes from elsewhere is counted, and some of it is too much.
    let text = before.replace("[dns.rate_limit]\nenabled = false", "[dns]\nnsid = \"fra-1\"");
    let steer = |name: &str, policy: &str| {
        format!(
            "[zones.\"shop.example\".steer.{name}]\npools = [\"shop\"]\npolicy = \"{policy}\"\nhttps = {{ enabled = true }}\n"
        )
    };
    let (app, hashed, several) = (steer("app", "nearest"), steer("hashed", "hash"), steer("several", "multivalue"));
    let file = file.display();
    let text = format!("{text}[zones.\"shop.example\"]\nfiles = [\"{file}\"]\n{app}{hashed}{several}");
    let loaded = config::from_text("test.toml", &text, &Identity::default());
    let config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)));
    let mut stage = stage::Stage::new(config).unwrap();
    let queries: Vec<Vec<u8>> = QUESTIONS.into_iter().map(query).collect();
    let mut out = Vec::new();
    let mut ask = |times: u32| {
        let mut answered = 0;
        for query in &queries {
            for (transport, address) in
                Transport::ALL.into_iter().flat_map(|one| [(one, [127, 0, 0, 1]), (one, [203, 0, 113, 9])])
            {
                for _ in 0..times {
                    let client = Client { address: address.into(), transport };
                    answered += u32::from(matches!(stage.respond(query, client, &mut out), Asked::Answered(_)));
                }
            }
        }
        answered
    };
    ask(1);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let answered = ask(500);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    let asked = 500 * 8 * u32::try_from(queries.len()).unwrap();
    assert!(answered > asked / 8 * 7 && answered < asked, "{answered} of {asked}");
    assert!(allocations < 10, "{allocations} allocations in {asked} queries");
}
