//! A server that fails as it is told to. It is this program, started again, so that it can be killed, stopped and cut off like any other.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Fault, namespace::Namespace};

/// The argument that makes this program the server.
pub(crate) const SERVER: &str = "--victim";

/// How it answers now: 0 well, 1 two seconds late, 2 with one error in a hundred. Its health page always answers well.
type Mood = Arc<AtomicU32>;

/// The server: until it is killed, or nobody holds its standard input any more.
#[allow(clippy::exit, reason = "whoever started it is gone")]
pub(crate) fn server(arguments: &[String]) {
    let (address, name) = (&arguments[0], arguments[1].clone());
    let listener = TcpListener::bind(address).expect("an address");
    writeln!(std::io::stdout(), "{}", listener.local_addr().expect("an address")).expect("somebody who reads");
    let mood = Mood::default();
    let heard = Arc::clone(&mood);
    thread::spawn(move || {
        for word in std::io::stdin().lines().map_while(Result::ok) {
            heard.store(word.parse().expect("a number"), Ordering::Relaxed);
        }
        std::process::exit(0);
    });
    for stream in listener.incoming().map_while(Result::ok) {
        let (mood, name) = (Arc::clone(&mood), name.clone());
        thread::spawn(move || serve(stream, &name, &mood));
    }
}

fn serve(mut stream: TcpStream, name: &str, mood: &Mood) {
    let (mut buffer, mut filled, mut count) = (vec![0; 16 << 10], 0, 0_u32);
    loop {
        let Some(end) = buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            match stream.read(&mut buffer[filled..]) {
                Ok(read @ 1..) => filled += read,
                _ => return,
            }
            continue;
        };
        let is_health = buffer.starts_with(b"GET /healthz");
        buffer.copy_within(end + 4..filled, 0);
        filled -= end + 4;
        count += 1;
        let mood = if is_health { 0 } else { mood.load(Ordering::Relaxed) };
        if mood == 1 {
            thread::park_timeout(Duration::from_secs(2));
        }
        let status = if mood == 2 && count.is_multiple_of(100) { "502 Bad" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{name}", name.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A running server; it is killed with the value.
pub(crate) struct Victim {
    child: Child,
    pub(crate) address: SocketAddr,
    namespace: Option<Namespace>,
}

impl Victim {
    /// On this address, within a network namespace where there is one.
    pub(crate) fn start(address: &str, name: &str, namespace: Option<Namespace>) -> Self {
        let program = env::current_exe().expect("a path");
        let mut command = match &namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", &namespace.name]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let mut child = command
            .args([SERVER, address, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        Self { child, address: line.trim().parse().expect("an address"), namespace }
    }

    /// Lets it fail.
    pub(crate) fn suffer(&mut self, fault: Fault) {
        match fault {
            Fault::Killed | Fault::DoorLost => self.signal(Signal::KILL),
            Fault::Stopped => self.signal(Signal::STOP),
            Fault::CutOff => self.namespace.as_ref().expect("a namespace").cut(),
            Fault::Slow => self.tell("1"),
            Fault::Errors => self.tell("2"),
        }
    }

    fn tell(&mut self, word: &str) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "{word}").expect("a server that listens");
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a process of ours");
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
