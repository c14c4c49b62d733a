//! Clients: 1,000 requests a second over kept connections, and a resolver that asks all the time.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use hickory_proto::rr::RecordType;
use meridian::clock::Clock;

use crate::scene::{Connection, ask};

const CLIENTS: u32 = 64;
const PER_SECOND: u32 = 1_000;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n";
/// An answer that took longer is none.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// One request.
pub(crate) struct Request {
    pub(crate) ended: Duration,
    pub(crate) is_good: bool,
    /// Whether the other region answered.
    pub(crate) is_elsewhere: bool,
}

/// Clients at work.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Request>>>,
    threads: Vec<JoinHandle<()>>,
    resolver: JoinHandle<Vec<(Duration, bool)>>,
}

impl Load {
    pub(crate) fn begin(clock: &Clock, http: SocketAddr, dns: SocketAddr, near: &'static str) -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let threads = (0..CLIENTS).map(|number| {
            let (clock, stop, seen) = (clock.clone(), Arc::clone(&stop), Arc::clone(&seen));
            thread::spawn(move || client(&clock, http, number, &stop, &seen))
        });
        let threads = threads.collect();
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
        Self { stop, seen, threads, resolver }
    }

    /// What they saw: every request, and when which answer was clean.
    pub(crate) fn end(self) -> (Vec<Request>, Vec<(Duration, bool)>) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().expect("a client ends"));
        let answers = self.resolver.join().expect("a resolver ends");
        (std::mem::take(&mut self.seen.lock().expect("no client panicked")), answers)
    }
}

fn client(clock: &Clock, http: SocketAddr, number: u32, stop: &AtomicBool, seen: &Mutex<Vec<Request>>) {
    let pause = Duration::from_secs(1) * CLIENTS / PER_SECOND;
    let mut due = clock.now() + pause * number / CLIENTS;
    let mut connection = Connection::open(http);
    while !stop.load(Ordering::Relaxed) {
        thread::park_timeout(due.saturating_sub(clock.now()));
        let began = clock.now();
        due = (due + pause).max(began);
        let answer = connection.ask(REQUEST);
        let ended = clock.now();
        let is_good =
            answer.as_ref().is_some_and(|answer| answer.status == 200) && ended.saturating_sub(began) < PATIENCE;
        let is_elsewhere = answer.as_ref().is_some_and(|answer| answer.body == b"far");
        if answer.is_none_or(|answer| answer.header("connection") == Some("close")) {
            connection = Connection::open(http);
        }
        seen.lock().expect("no client panicked").push(Request { ended, is_good, is_elsewhere });
    }
}
