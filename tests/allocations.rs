//! What a request costs the allocator, with everything warm: nothing. A binary of its own, because it counts for the whole process.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use meridian::{
    balance,
    clock::Clock,
    config::{self, Identity},
    control::{Control, Start},
    proxy,
    resolver::{Directory, Resolver},
    table::Compiled,
};

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
            .with(proxy::Routing::build(&config, None, &meridian::tls::Outward::none(&config)))
            .with(directory.clone()),
        build_selector: Some(Box::new(balance::build)),
        clock: clock.clone(),
    })
    .unwrap();
    let server = proxy::Server::bind(&config.listen, 1).unwrap();
    let address = server.http()[0];
    let running = server.start(&table, &clock).unwrap();

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
