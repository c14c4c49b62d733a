//! An origin in any tongue. What it does is in the path that it is asked for; what it saw can be asked of it.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use h2::{Reason, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response, request};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncWriteExt, BufReader, ReadHalf, WriteHalf, split},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, TlsStream};

use super::{
    body::{Framing, Sink, Source, fields, line, write_fields},
    certificates::{Authority, Issued},
    line::{Cord, Io, Tongue, background, wait},
};

/// A running origin; it ends with the value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    accepting: JoinHandle<()>,
}

/// What happened at it, and what it waits for.
pub(crate) struct Seen {
    requests: AtomicUsize,
    /// Exchanges that the other side broke off.
    broken_off: AtomicUsize,
    /// Bytes of bodies that went out, or came in.
    moved: AtomicUsize,
    /// Lets one waiting exchange on.
    gate: Semaphore,
}

impl Seen {
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn broken_off(&self) -> usize {
        self.broken_off.load(Ordering::SeqCst)
    }

    pub(crate) fn moved(&self) -> usize {
        self.moved.load(Ordering::SeqCst)
    }

    pub(crate) fn let_on(&self) {
        self.gate.add_permits(1);
    }

    async fn wait(&self) {
        self.gate.acquire().await.unwrap().forget();
    }
}

/// An origin that speaks so, on a port the system chose.
pub(crate) fn server(tongue: Tongue, shown: &Issued) -> Server {
    let tls = tongue.is_tls().then(|| Authority::server(shown, tongue.protocol()));
    let listener = wait("a listener", TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Seen {
        requests: AtomicUsize::new(0),
        broken_off: AtomicUsize::new(0),
        moved: AtomicUsize::new(0),
        gate: Semaphore::new(0),
    });
    let (served, is_h2) = (Arc::clone(&seen), tongue.is_h2());
    let accepting = background().spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            background().spawn(serve(stream, tls.clone(), is_h2, Arc::clone(&served)));
        }
    });
    Server { address, seen, accepting }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: TcpStream, tls: Option<Arc<ServerConfig>>, is_h2: bool, seen: Arc<Seen>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let io = match tls {
        None => Io::Plain(stream),
        Some(config) => {
            let accepted = TlsAcceptor::from(config).accept(stream).await.ok()?;
            Io::Tls(Box::new(TlsStream::Server(accepted)))
        }
    };
    if is_h2 { serve_h2(io, seen).await } else { serve_h1(io, seen).await }
}

async fn serve_h1(io: Io, seen: Arc<Seen>) -> Option<()> {
    let cord = Arc::new(io.cord());
    let (read, mut write) = split(io);
    let mut read = BufReader::new(read);
    loop {
        let (head, framing) = h1_head(&mut read).await.ok()?;
        let asked = Asked {
            is_to_head: head.method == "HEAD",
            head,
            body: Source::h1(read, framing),
            answer: Answering::H1(write),
            cord: Arc::clone(&cord),
            killed: Arc::default(),
            seen: Arc::clone(&seen),
        };
        let (source, sink) = asked.act().await.ok()??;
        (read, write) = (source.into_h1()?, sink.into_h1()?);
    }
}

async fn serve_h2(io: Io, seen: Arc<Seen>) -> Option<()> {
    let (cord, killed) = (Arc::new(io.cord()), Arc::<Notify>::default());
    let mut connection = h2::server::handshake(io).await.ok()?;
    loop {
        let accepted = tokio::select! {
            accepted = connection.accept() => accepted?.ok()?,
            () = killed.notified() => return None,
        };
        let (head, recv) = accepted.0.into_parts();
        let asked = Asked {
            is_to_head: head.method == "HEAD",
            head,
            body: Source::h2(recv),
            answer: Answering::H2(accepted.1),
            cord: Arc::clone(&cord),
            killed: Arc::clone(&killed),
            seen: Arc::clone(&seen),
        };
        background().spawn(asked.act());
    }
}

async fn h1_head(read: &mut BufReader<ReadHalf<Io>>) -> io::Result<(request::Parts, Framing)> {
    let first = line(read).await?;
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut request = Request::builder().method(method).uri(target).body(()).map_err(io::Error::other)?;
    *request.headers_mut() = fields(read).await?;
    let framing = match request.headers().get("content-length") {
        Some(length) => Framing::Length(length.to_str().unwrap().parse().unwrap()),
        None if request.headers().contains_key("transfer-encoding") => Framing::Chunked,
        None => Framing::Over,
    };
    Ok((request.into_parts().0, framing))
}

enum Answering {
    H1(WriteHalf<Io>),
    H2(SendResponse<Bytes>),
}

impl Answering {
    async fn interim(&mut self, response: Response<()>) -> io::Result<()> {
        match self {
            Self::H1(write) => {
                write.write_all(head_of(&response).as_bytes()).await?;
                write.flush().await
            }
            Self::H2(respond) => respond.send_informational(response).map_err(io::Error::other),
        }
    }

    /// Sends the head; chunks follow where it says nothing of length and that it is not the end.
    async fn head(self, mut response: Response<()>, is_end: bool) -> io::Result<Sink> {
        match self {
            Self::H1(mut write) => {
                let framing = match response.headers().get("content-length") {
                    _ if is_end => Framing::Over,
                    Some(length) => Framing::Length(length.to_str().unwrap().parse().unwrap()),
                    None => {
                        response.headers_mut().insert("transfer-encoding", HeaderValue::from_static("chunked"));
                        Framing::Chunked
                    }
                };
                write.write_all(head_of(&response).as_bytes()).await?;
                write.flush().await?;
                Ok(Sink::H1(write, framing))
            }
            Self::H2(mut respond) => respond.send_response(response, is_end).map(Sink::H2).map_err(io::Error::other),
        }
    }
}

fn head_of(response: &Response<()>) -> String {
    let mut head = format!("HTTP/1.1 {} Fine\r\n", response.status().as_u16());
    write_fields(&mut head, response.headers());
    head + "\r\n"
}

/// One request, and all that is needed to answer it or to break it.
struct Asked {
    is_to_head: bool,
    head: request::Parts,
    body: Source,
    answer: Answering,
    cord: Arc<Cord>,
    killed: Arc<Notify>,
    seen: Arc<Seen>,
}

fn response(status: u16) -> Response<()> {
    Response::builder().status(status).body(()).unwrap()
}

fn lengthy(length: usize) -> Response<()> {
    Response::builder().header("content-length", length).body(()).unwrap()
}

/// Trailers of these names and values.
pub(crate) fn trailers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
}

type Done = io::Result<Option<(Source, Sink)>>;

impl Asked {
    async fn act(self) -> Done {
        self.seen.requests.fetch_add(1, Ordering::SeqCst);
        let path = self.head.uri.path().to_owned();
        match path.as_str() {
            "/echo" => self.echo().await,
            "/tell" | "*" => self.tell().await,
            "/204" => self.empty(response(204)).await,
            "/304" => {
                let tagged = Response::builder().status(304).header("etag", "\"a\"").body(()).unwrap();
                self.empty(tagged).await
            }
            "/hints" => self.hints().await,
            "/continue" => self.go_on().await,
            "/early" => self.early().await,
            "/events" => self.events().await,
            "/hold" => self.hold().await,
            "/flow" => self.flow().await,
            "/deaf" => self.deaf().await,
            "/trailers-only" => {
                let only = Response::builder().header("grpc-status", "12").header("content-type", "application/grpc");
                self.empty(only.body(()).unwrap()).await
            }
            "/unary" => self.unary().await,
            _ if path.starts_with("/cut/") => self.cut(&path).await,
            _ if path.starts_with("/stray/") => self.stray(&path).await,
            _ => self.whole(b"here").await,
        }
    }

    async fn whole(self, body: &[u8]) -> Done {
        let mut sink = self.answer.head(lengthy(body.len()), self.is_to_head || body.is_empty()).await?;
        if !self.is_to_head && !body.is_empty() {
            sink.data(body).await?;
            sink.end(HeaderMap::new()).await?;
        }
        Ok(Some((self.body, sink)))
    }

    async fn empty(mut self, mut response: Response<()>) -> Done {
        _ = self.body.rest().await;
        if matches!(self.answer, Answering::H1(_)) && response.status() == 200 {
            response.headers_mut().insert("content-length", HeaderValue::from_static("0"));
        }
        Ok(Some((self.body, self.answer.head(response, true).await?)))
    }

    /// Everything comes back as it came: pieces, and trailers.
    async fn echo(mut self) -> Done {
        let stated = self.head.headers.get("content-length").cloned();
        let mut response = response(200);
        if let Some(length) = stated {
            response.headers_mut().insert("content-length", length);
        }
        let mut sink = self.answer.head(response, false).await?;
        loop {
            match self.body.next().await {
                Ok(Some(data)) => {
                    self.seen.moved.fetch_add(data.len(), Ordering::SeqCst);
                    sink.data(&data).await?;
                }
                Ok(None) => break,
                Err(error) => {
                    self.seen.broken_off.fetch_add(1, Ordering::SeqCst);
                    return Err(error);
                }
            }
        }
        sink.end(self.body.trailers.clone()).await?;
        Ok(Some((self.body, sink)))
    }

    /// What was asked, as lines, then the number of bytes of the body, and its trailers.
    async fn tell(mut self) -> Done {
        let whole = self.body.rest().await;
        if !whole.is_complete {
            self.seen.broken_off.fetch_add(1, Ordering::SeqCst);
        }
        let mut told = format!("{} {}\n", self.head.method, self.head.uri.path_and_query().unwrap());
        told += &self.head.uri.authority().map(|authority| format!(":authority: {authority}\n")).unwrap_or_default();
        for (name, value) in &self.head.headers {
            told += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
        }
        told += &format!("bytes: {}\n", whole.bytes.len());
        for (name, value) in &whole.trailers {
            told += &format!("trailer {name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
        }
        self.whole(told.as_bytes()).await
    }

    async fn hints(mut self) -> Done {
        let hint = Response::builder().status(103).header("link", "</a.css>").body(()).unwrap();
        self.answer.interim(hint).await?;
        self.whole(b"hinted").await
    }

    /// Asks for the body, then gives it back.
    async fn go_on(mut self) -> Done {
        self.answer.interim(response(100)).await?;
        let body = self.body.rest().await;
        self.whole(&body.bytes).await
    }

    /// Refuses without reading on.
    async fn early(self) -> Done {
        let no = Response::builder().status(413).header("content-length", 2).body(()).unwrap();
        let mut sink = self.answer.head(no, false).await?;
        sink.data(b"no").await?;
        sink.end(HeaderMap::new()).await?;
        // Closing at once would reset the connection, and the answer with it.
        let mut body = self.body;
        if !sink.is_h2() {
            _ = body.rest().await;
        }
        Ok(None)
    }

    /// One event, and another when it is let on.
    async fn events(self) -> Done {
        let head = Response::builder().header("content-type", "text/event-stream").body(()).unwrap();
        let mut sink = self.answer.head(head, false).await?;
        sink.data(b"data: 1\n\n").await?;
        self.seen.wait().await;
        sink.data(b"data: 2\n\n").await?;
        sink.end(HeaderMap::new()).await?;
        Ok(Some((self.body, sink)))
    }

    /// Begins an answer and waits until nobody wants it any more.
    async fn hold(mut self) -> Done {
        let mut sink = self.answer.head(response(200), false).await?;
        sink.data(b"held").await?;
        sink.rejected(&mut self.body).await;
        self.seen.broken_off.fetch_add(1, Ordering::SeqCst);
        Ok(None)
    }

    /// Sends as much as is taken, up to 32 MiB.
    async fn flow(self) -> Done {
        let mut sink = self.answer.head(response(200), false).await?;
        for _ in 0..512 {
            sink.data(&vec![b'f'; 64 * 1024]).await?;
            self.seen.moved.fetch_add(64 * 1024, Ordering::SeqCst);
        }
        sink.end(HeaderMap::new()).await?;
        Ok(Some((self.body, sink)))
    }

    /// Reads nothing of a body until it is let on.
    async fn deaf(mut self) -> Done {
        self.seen.wait().await;
        let whole = self.body.rest().await;
        self.whole(whole.bytes.len().to_string().as_bytes()).await
    }

    /// As gRPC answers one message with one.
    async fn unary(mut self) -> Done {
        let body = self.body.rest().await;
        let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
        let mut sink = self.answer.head(head, false).await?;
        sink.data(&body.bytes).await?;
        sink.end(trailers(&[("grpc-status", "0"), ("grpc-message", "fine")])).await?;
        Ok(Some((self.body, sink)))
    }

    /// Sends a body where there can be none: behind which status, whether its length is stated, and whether it is sent when it is let on only.
    async fn stray(self, path: &str) -> Done {
        let mut words = path.split('/').skip(2);
        let mut response = response(words.next().unwrap().parse().unwrap());
        let words: Vec<&str> = words.collect();
        if words.contains(&"length") {
            response.headers_mut().insert("content-length", HeaderValue::from(STRAY.len()));
        }
        let mut sink = self.answer.head(response, false).await?;
        if words.contains(&"late") {
            self.seen.wait().await;
        }
        sink.data(STRAY).await?;
        sink.end(HeaderMap::new()).await?;
        Ok(None)
    }

    /// Breaks off: where, then how.
    async fn cut(mut self, path: &str) -> Done {
        let mut words = path.split('/').skip(2);
        let (place, manner) = (words.next().unwrap(), words.next().unwrap());
        if self.head.method == "POST" {
            // A request has to be there as a whole, or its end is a reset of unread bytes.
            _ = self.body.rest().await;
        }
        let mut open = None;
        match (place, &mut self.answer) {
            ("before", _) => {}
            ("head", Answering::H1(write)) => write.write_all(b"HTTP/1.1 200 Fine\r\ncontent-le").await?,
            ("length", _) => open = Some((self.answer.head(lengthy(100), false).await?, &b"only this"[..])),
            ("chunk", _) => open = Some((self.answer.head(response(200), false).await?, b"9\r\nonly")),
            ("chunks", _) => open = Some((self.answer.head(response(200), false).await?, b"4\r\nonly\r\n")),
            _ => unreachable!("{path}"),
        }
        let mut sink = None;
        if let Some((mut begun, data)) = open {
            begun.raw(data).await?;
            // What comes before the cut is read before it.
            self.seen.wait().await;
            sink = Some(begun);
        }
        match (manner, &mut sink) {
            ("close", _) => self.cord.cut(),
            ("half-close", _) => self.cord.half_close(),
            ("reset", _) => self.cord.fray(),
            ("stream", Some(sink)) => sink.reset(Reason::INTERNAL_ERROR),
            ("stream", None) => {}
            _ => unreachable!("{path}"),
        }
        if manner != "stream" {
            self.killed.notify_one();
        }
        Ok(None)
    }
}

/// What would be an answer of its own where it is not taken for the body that it is.
const STRAY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstray";

impl Sink {
    fn is_h2(&self) -> bool {
        matches!(self, Self::H2(_))
    }
}
