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
    requests: AtomicUsize,
    streams: Mutex<Vec<TcpStream>>,
}

/// An origin that says its name, on a port the system chose.
pub(crate) fn origin(name: &str) -> Origin {
    origin_at(name, "127.0.0.1:0")
}

/// The same at a given address.
pub(crate) fn origin_at(name: &str, address: &str) -> Origin {
    let listener = TcpListener::bind(address).unwrap();
    Origin { address: listener.local_addr().unwrap(), name: name.into(), shared: start(listener, name) }
}

fn start(listener: TcpListener, name: &str) -> Arc<Shared> {
    let shared = Arc::new(Shared {
        is_dead: AtomicBool::new(false),
        connections: AtomicUsize::new(0),
        requests: AtomicUsize::new(0),
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
            let (name, served) = (name.clone(), Arc::clone(&served));
            thread::spawn(move || serve(&stream, &name, &served.requests));
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

    /// Whole requests read so far.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
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
fn serve(stream: &TcpStream, name: &str, requests: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (head, body) = request(&mut reader)?;
        requests.fetch_add(1, Ordering::SeqCst);
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
        // Hears the request, and closes.
        "/drop" => stream.shutdown(Shutdown::Both).ok().and(None),
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
        // As much as a client that reads slowly does not read at once.
        "/large" => whole(&vec![b'l'; 64 * 1024]),
        "/chunked" => send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
        "/garbage" => send(b"this is not HTTP\r\n\r\n"),
        // Answers, then closes the connection without saying so.
        "/close" => {
            whole(name.as_bytes())?;
            stream.shutdown(Shutdown::Both).ok()
        }
        "/trailers" => send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 7\r\ncontent-length: 9\r\n\r\n"),
        "/hints" => {
            send(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n")?;
            send(name.as_bytes())
        }
        // A body that ends with its connection.
        "/until-close" => {
            send(b"HTTP/1.0 200 OK\r\n\r\nall there is")?;
            stream.shutdown(Shutdown::Both).ok()
        }
        // Two events, apart.
        "/events" => {
            send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n")?;
            thread::park_timeout(Duration::from_millis(150));
            send(b"data: 2\n\n")?;
            stream.shutdown(Shutdown::Both).ok()
        }
        // Speaks a protocol of its own from here on: says everything twice.
        "/upgrade" if head.to_ascii_lowercase().contains("\r\nupgrade: echo\r\n") => {
            send(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nready")?;
            let mut byte = [0];
            while (&mut &*stream).read(&mut byte).ok()? > 0 {
                (&mut &*stream).write_all(&[byte[0]; 2]).ok()?;
            }
            stream.shutdown(Shutdown::Both).ok()
        }
        "/hop" => send(
            b"HTTP/1.1 200 OK\r\nconnection: x-private\r\nx-private: 1\r\nkeep-alive: timeout=5\r\nx-public: 1\r\ncontent-length: 0\r\n\r\n",
        ),
        // Answers after so many milliseconds.
        _ if path.starts_with("/late/") => {
            thread::park_timeout(Duration::from_millis(path[6..].parse().ok()?));
            whole(name.as_bytes())
        }
        _ if head.starts_with("HEAD ") => send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        _ => whole(name.as_bytes()),
    }
}
