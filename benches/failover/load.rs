//! Clients: 1,000 requests a second, each sent at its time whatever became of those before, and a resolver that asks all the time.

use std::{
    cell::RefCell,
    io,
    net::SocketAddr,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use hickory_proto::rr::RecordType;
use meridian::clock::Clock;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime,
    task::{JoinSet, LocalSet},
    time::{sleep, timeout},
};

use crate::scene::ask;

/// From one request to the next.
const SLOT: Duration = Duration::from_millis(1);
/// Requests under way at once; one more is not sent, and has failed. With nobody answering there are as many as slots in [`PATIENCE`].
const MOST: usize = 2_500;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n";
/// An answer that took longer, from its slot's time, is none.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// One request.
pub(crate) struct Request {
    pub(crate) ended: Duration,
    pub(crate) is_good: bool,
    /// Whether the other region answered.
    pub(crate) is_elsewhere: bool,
    pub(crate) was_sent: bool,
}

/// Clients at work.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    clients: JoinHandle<Vec<Request>>,
    resolver: JoinHandle<Vec<(Duration, bool)>>,
}

impl Load {
    pub(crate) fn begin(clock: &Clock, http: SocketAddr, dns: SocketAddr, near: &'static str) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let (asking, end) = (clock.clone(), Arc::clone(&stop));
        let clients = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            LocalSet::new().block_on(&runtime, clients(asking, http, &end))
        });
        let (resolving, halt) = (clock.clone(), Arc::clone(&stop));
        let resolver = thread::spawn(move || {
            let (mut answers, near) = (Vec::new(), near.parse().expect("an address"));
            while !halt.load(Ordering::Relaxed) {
                let is_clean = !ask(dns, "shop.example.", RecordType::A).addresses().contains(&near);
                answers.push((resolving.now(), is_clean));
                thread::park_timeout(Duration::from_millis(2));
            }
            answers
        });
        Self { stop, clients, resolver }
    }

    /// What they saw: every request, and when which answer was clean.
    pub(crate) fn end(self) -> (Vec<Request>, Vec<(Duration, bool)>) {
        self.stop.store(true, Ordering::Relaxed);
        (self.clients.join().expect("clients end"), self.resolver.join().expect("a resolver ends"))
    }
}

/// Connections that are free.
type Free = Rc<RefCell<Vec<TcpStream>>>;

async fn clients(clock: Clock, http: SocketAddr, stop: &AtomicBool) -> Vec<Request> {
    let (free, mut seen, mut under_way) = (Free::default(), Vec::new(), JoinSet::new());
    let mut due = clock.now();
    while !stop.load(Ordering::Relaxed) {
        // Slots that passed meanwhile are made up for at once, and their requests are late: the shortest sleep is longer than a slot.
        let left = due.saturating_sub(clock.now());
        if !left.is_zero() {
            sleep(left).await;
        }
        while let Some(ended) = under_way.try_join_next() {
            seen.push(ended.expect("a request ends"));
        }
        if under_way.len() < MOST {
            under_way.spawn_local(request(clock.clone(), http, due, Rc::clone(&free)));
        } else {
            seen.push(Request { ended: clock.now(), is_good: false, is_elsewhere: false, was_sent: false });
        }
        due += SLOT;
    }
    seen.extend(under_way.join_all().await);
    seen
}

async fn request(clock: Clock, http: SocketAddr, due: Duration, free: Free) -> Request {
    let left = (due + PATIENCE).saturating_sub(clock.now());
    let answer = timeout(left, exchange(http, &free)).await;
    let answer = answer.ok().and_then(Result::ok);
    Request {
        ended: clock.now(),
        is_good: answer.as_ref().is_some_and(|answer| answer.status == 200),
        is_elsewhere: answer.is_some_and(|answer| answer.body == b"far"),
        was_sent: true,
    }
}

struct Answer {
    status: u16,
    body: Vec<u8>,
}

/// Asks over a connection that is free, or over a new one.
async fn exchange(http: SocketAddr, free: &Free) -> io::Result<Answer> {
    let kept = free.borrow_mut().pop();
    let mut stream = match kept {
        Some(stream) => stream,
        None => TcpStream::connect(http).await?,
    };
    stream.set_nodelay(true)?;
    stream.write_all(REQUEST).await?;
    let mut bytes = Vec::with_capacity(1_024);
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).ok_or(io::ErrorKind::InvalidData);
    let status = number(head.split(' ').nth(1))?;
    let length = usize::from(number(field("content-length:"))?);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    if field("connection:") != Some("close") {
        free.borrow_mut().push(stream);
    }
    Ok(Answer { status, body: bytes.split_off(end) })
}
