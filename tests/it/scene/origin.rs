//! A small HTTP/1.1 origin of raw sockets, so that nothing is shared with the code under test.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// A running origin; it dies with the value.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    name: String,
    shared: Arc<Shared>,
}

struct Shared {
    is_dead: AtomicBool,
    connections: AtomicUsize,
    streams: Mutex<Vec<TcpStream>>,
}

/// An origin that says its name, on a port the system chose.
pub(crate) fn origin(name: &str) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Origin { address: listener.local_addr().unwrap(), name: name.into(), shared: start(listener, name) }
}

fn start(listener: TcpListener, name: &str) -> Arc<Shared> {
    let shared = Arc::new(Shared {
        is_dead: AtomicBool::new(false),
        connections: AtomicUsize::new(0),
        streams: Mutex::default(),
    });
    let (served, name) = (Arc::clone(&shared), name.to_owned());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if served.is_dead.load(Ordering::SeqCst) {
                return;
            }
            served.connections.fetch_add(1, Ordering::SeqCst);
            served.streams.lock().unwrap().push(stream.try_clone().unwrap());
            let name = name.clone();
            thread::spawn(move || serve(&stream, &name));
        }
    });
    shared
}

impl Origin {
    /// Dies as a killed process does: no listener, all connections gone.
    pub(crate) fn kill(&self) {
        self.shared.is_dead.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then drops the listener.
        drop(TcpStream::connect(self.address));
        for stream in self.shared.streams.lock().unwrap().drain(..) {
            _ = stream.shutdown(Shutdown::Both);
        }
        super::eventually("the listener is gone", || TcpStream::connect(self.address).is_err().then_some(()));
    }

    /// Comes back on the same address.
    pub(crate) fn revive(&mut self) {
        self.shared = start(TcpListener::bind(self.address).unwrap(), &self.name);
    }

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if !self.shared.is_dead.load(Ordering::SeqCst) {
            self.kill();
        }
    }
}

/// Answers requests on one connection until it ends.
fn serve(stream: &TcpStream, name: &str) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (head, body) = request(&mut reader)?;
        let path = head.split(' ').nth(1)?.to_owned();
        answer(stream, &path, &head, &body, name)?;
        // The answer looked like any other; the next request meets a connection that is being closed.
        if path == "/last" {
            request(&mut reader)?;
            return stream.shutdown(Shutdown::Both).ok();
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let lower = head.to_ascii_lowercase();
    let field = |name: &str| lower.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()));
    let mut body = Vec::new();
    if let Some(length) = field("content-length:") {
        body.resize(length.parse().ok()?, 0);
        reader.read_exact(&mut body).ok()?;
    } else if field("transfer-encoding:").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let size = usize::from_str_radix(line.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    }
    Some((head, body))
}

fn answer(mut stream: &TcpStream, path: &str, head: &str, body: &[u8], name: &str) -> Option<()> {
    let mut send = |bytes: &[u8]| stream.write_all(bytes).ok();
    let mut whole = |body: &[u8]| {
        send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes())?;
        send(body)
    };
    match path {
        "/echo" => whole(body),
        "/head" => whole(head.as_bytes()),
        // Never answers.
        "/stall" => {
            thread::park_timeout(Duration::from_secs(20));
            None
        }
        // Breaks off in the middle of its answer.
        "/cut" => {
            send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")?;
            stream.shutdown(Shutdown::Both).ok()
        }
        // Falls silent in the middle of its answer.
        "/silent" => {
            send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")?;
            thread::park_timeout(Duration::from_secs(20));
            None
        }
        "/chunked" => send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
        "/garbage" => send(b"this is not HTTP\r\n\r\n"),
        // Answers, then closes the connection without saying so.
        "/close" => {
            whole(name.as_bytes())?;
            stream.shutdown(Shutdown::Both).ok()
        }
        "/hop" => send(
            b"HTTP/1.1 200 OK\r\nconnection: x-private\r\nx-private: 1\r\nkeep-alive: timeout=5\r\nx-public: 1\r\ncontent-length: 0\r\n\r\n",
        ),
        _ if head.starts_with("HEAD ") => send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        _ => whole(name.as_bytes()),
    }
}
