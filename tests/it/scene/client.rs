//! An HTTP client of raw sockets: it sends exactly the bytes it is given.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body ended where its framing says.
    pub(crate) is_complete: bool,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// One client connection.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// One request, one answer. `None` where the connection ended without one.
    pub(crate) fn ask(&mut self, bytes: &[u8]) -> Option<Answer> {
        self.send(bytes).ok()?;
        self.receive(bytes.starts_with(b"HEAD "))
    }

    /// The next answer.
    pub(crate) fn receive(&mut self, is_to_head: bool) -> Option<Answer> {
        let mut answer = Answer { status: self.line()?.split(' ').nth(1)?.parse().ok()?, ..Answer::default() };
        while let Some((name, value)) = self.line()?.split_once(':') {
            answer.headers.push((name.to_ascii_lowercase(), value.trim().into()));
        }
        answer.is_complete = is_to_head || answer.status == 204 || self.body(&mut answer).is_some();
        Some(answer)
    }

    /// Whether the other side has closed: reads to the end, or meets a reset.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        Some(line.strip_suffix("\r\n")?.to_owned())
    }

    fn body(&mut self, answer: &mut Answer) -> Option<()> {
        if answer.header("transfer-encoding").is_some() {
            loop {
                let size = usize::from_str_radix(&self.line()?, 16).ok()?;
                let mut chunk = vec![0; size];
                self.0.read_exact(&mut chunk).ok()?;
                answer.body.extend(chunk);
                self.line()?;
                if size == 0 {
                    return Some(());
                }
            }
        }
        let length: u64 = answer.header("content-length")?.parse().ok()?;
        self.0.by_ref().take(length).read_to_end(&mut answer.body).ok()?;
        (answer.body.len() as u64 == length).then_some(())
    }
}

/// A GET on a connection of its own.
pub(crate) fn get(address: SocketAddr, host: &str, path: &str) -> Option<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    Connection::open(address).ask(request.as_bytes())
}
