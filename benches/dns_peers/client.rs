//! A client of our own, which is never what limits a server: it sends and takes datagrams by the batch, and never sleeps, so that no
//! server pays for waking it. It is this program, started again on the second core.

use std::{
    env,
    io::{self, BufRead, BufReader, Read},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    process::{Command, Stdio},
    time::Duration,
};

use meridian::clock::Clock;

use crate::{
    batch::{Batch, To, WIDTH},
    question::{LONGEST, Questions},
    scenes::{Over, Scene},
    streams::{self, Stream},
    window::{Tally, Window},
};

/// The argument that makes this program the client.
pub(crate) const CLIENT: &str = "--client";

/// Datagrams under way: they fit the smallest receive buffer that any of the servers has.
pub(crate) const WINDOW: usize = 128;

/// Without an answer for so long, what is under way is lost.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the client saw.
pub(crate) struct Seen {
    pub(crate) answers: f64,
    pub(crate) seconds: f64,
    /// Only of scenes with a fixed rate: at full speed they say how long the queue is.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// What the client needs to know of a server.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Static names.
    pub(crate) names: u32,
    /// Whether its answers have to be right.
    pub(crate) is_checked: bool,
}

/// Loads a server for so long. `look` is called while the client still has its connections: the thread of one that is closed would
/// take its time with it.
pub(crate) fn load<T>(target: Target, scene: &Scene, seconds: f64, look: impl FnOnce() -> T) -> (Seen, T) {
    let Target { address, names, is_checked } = target;
    let mut client = Command::new("taskset")
        .args(["-c", "1"])
        .arg(env::current_exe().unwrap())
        .args([CLIENT, scene.name, &address.to_string()])
        .args([&names.to_string(), &is_checked.to_string(), &seconds.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(client.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let looked = look();
    drop(client.stdin.take());
    assert!(client.wait().unwrap().success(), "{}: the client of {address} failed", scene.name);
    let mut numbers = line.split_whitespace().map(|number| number.parse().unwrap());
    let mut next = || numbers.next().unwrap();
    (Seen { answers: next(), seconds: next(), p50_ms: next(), p99_ms: next() }, looked)
}

/// The client: what [`load`] gives it, after [`CLIENT`].
pub(crate) fn client(arguments: &[String]) {
    let [scene, address, names, is_checked, seconds] = arguments else { panic!("five arguments, from this program") };
    let (scene, address): (_, SocketAddr) = (Scene::named(scene), address.parse().unwrap());
    // Connecting is not what is measured.
    let mut streams = if scene.over == Over::Tcp { Stream::open_all(address) } else { Vec::new() };
    let clock = Clock::system();
    let began = clock.now();
    let mut run = Run {
        questions: Questions::new(scene, names.parse().unwrap()),
        tally: Tally {
            answers: 0,
            lost: 0,
            took: matches!(scene.over, Over::PacedUdp(_)).then(Vec::new),
            is_checked: is_checked.parse().unwrap(),
        },
        clock,
        end: began + Duration::from_secs_f64(seconds.parse().unwrap()),
    };
    match scene.over {
        Over::Udp => run.datagrams(address, WIDTH, Duration::ZERO),
        Over::PacedUdp(rate) => run.datagrams(address, 1, Duration::from_secs(1) / rate),
        Over::Tcp => streams::saturate(&mut run, &mut streams),
    }
    let took = run.clock.now().saturating_sub(began).as_secs_f64();
    let Tally { answers, lost, took: latencies, .. } = run.tally;
    assert!(lost <= answers / 100, "{}: {lost} queries were lost, and {answers} answered", scene.name);
    let mut latencies = latencies.unwrap_or_default();
    latencies.sort_by(f64::total_cmp);
    let at = |part: f64| latencies.get((latencies.len() as f64 * part) as usize).copied().unwrap_or(f64::NAN);
    println!("{answers} {took} {} {}", at(0.5), at(0.99));
    // Until somebody has looked.
    _ = io::stdin().read(&mut [0]);
    drop(streams);
}

/// One run of the client.
pub(crate) struct Run {
    pub(crate) questions: Questions,
    pub(crate) tally: Tally,
    pub(crate) clock: Clock,
    pub(crate) end: Duration,
}

impl Run {
    /// Sends so many datagrams whenever there is room for them, and `pause` is over since the last time.
    fn datagrams(&mut self, address: SocketAddr, at_once: usize, pause: Duration) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect(address).unwrap();
        let (mut queries, mut answers, mut window) = (Batch::new(), Batch::new(), Window::new());
        let mut due = self.clock.now();
        let mut progress = due;
        loop {
            let now = self.clock.now();
            if now >= self.end && window.outstanding == 0 {
                return;
            }
            if now < self.end && now >= due && window.outstanding + at_once <= WINDOW {
                for at in 0..at_once {
                    queries
                        .write(at, |into| window.ask(&mut self.questions, &mut self.tally, now, &mut into[..LONGEST]));
                }
                queries.send(&socket, at_once, To::Peer).unwrap();
                due += pause;
            }
            let count = answers.receive(&socket, libc::MSG_DONTWAIT).unwrap();
            let now = if count > 0 { self.clock.now() } else { now };
            for at in 0..count {
                window.take(answers.datagram(at), &mut self.tally, now);
            }
            if count > 0 || window.outstanding == 0 {
                progress = now;
            } else if now.saturating_sub(progress) > PATIENCE {
                window.give_up(&mut self.tally);
            }
        }
    }
}
