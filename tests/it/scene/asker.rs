//! A client in any tongue.

use std::{future::poll_fn, io, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header, request, response};
use rustls::ClientConfig;
use tokio::io::{AsyncWriteExt, BufReader, ReadHalf, split};

use super::{
    body::{Framing, Sink, Source, Whole, fields, line, write_fields},
    line::{Io, Tongue, background},
    node::Meridian,
};

/// One client connection.
pub(crate) struct Asker {
    speaks: Speaks,
}

enum Speaks {
    H1(Option<Io>),
    H2(h2::client::SendRequest<Bytes>),
}

/// An answer that is on its way.
pub(crate) enum Awaited {
    H1(BufReader<ReadHalf<Io>>, Method),
    H2(h2::client::ResponseFuture),
}

/// An answer, and where its body comes from.
pub(crate) struct Heard {
    pub(crate) interim: Vec<response::Parts>,
    pub(crate) head: response::Parts,
    pub(crate) body: Source,
}

/// A request without a body's length.
pub(crate) fn request(method: Method, origin: Tongue, path: &str) -> request::Builder {
    Request::builder().method(method).uri(format!("http://{}{path}", origin.host()))
}

impl Asker {
    /// Connects to the listener for this tongue.
    pub(crate) async fn open(node: &Meridian, tongue: Tongue, tls: &Arc<ClientConfig>, host: &str) -> Self {
        let (address, tls) = if tongue.is_tls() { (node.https(), Some(Arc::clone(tls))) } else { (node.http(), None) };
        let io = Io::open(address, tls, host).await.unwrap();
        Self::over(io, tongue).await
    }

    /// Over a connection that is there.
    pub(crate) async fn over(io: Io, tongue: Tongue) -> Self {
        if !tongue.is_h2() {
            return Self { speaks: Speaks::H1(Some(io)) };
        }
        let (send, connection) = h2::client::handshake(io).await.unwrap();
        background().spawn(connection);
        Self { speaks: Speaks::H2(send.ready().await.unwrap()) }
    }

    /// Sends a head. One of HTTP/1 can be asked once.
    pub(crate) async fn ask(&mut self, request: Request<()>, is_end: bool) -> io::Result<(Option<Sink>, Awaited)> {
        match &mut self.speaks {
            Speaks::H1(io) => {
                let (read, mut write) = split(io.take().unwrap());
                let (head, framing) = written(&request, is_end);
                write.write_all(head.as_bytes()).await?;
                write.flush().await?;
                let awaited = Awaited::H1(BufReader::new(read), request.method().clone());
                Ok((Some(Sink::H1(write, framing)), awaited))
            }
            Speaks::H2(send) => {
                poll_fn(|cx| send.poll_ready(cx)).await.map_err(io::Error::other)?;
                let (response, stream) = send.send_request(request, is_end).map_err(io::Error::other)?;
                Ok(((!is_end).then_some(Sink::H2(stream)), Awaited::H2(response)))
            }
        }
    }

    /// Sends a request without a body and hears the whole answer.
    pub(crate) async fn get(&mut self, request: request::Builder) -> (response::Parts, Whole) {
        let (_sink, awaited) = self.ask(request.body(()).unwrap(), true).await.unwrap();
        let mut heard = awaited.heard().await.unwrap();
        (heard.head, heard.body.rest().await)
    }

    /// The same with a body whose length is stated.
    pub(crate) async fn post(&mut self, request: request::Builder, body: &[u8]) -> (response::Parts, Whole) {
        let request = request.header("content-length", body.len()).body(()).unwrap();
        let (sink, awaited) = self.ask(request, false).await.unwrap();
        let mut sink = sink.unwrap();
        let body = body.to_vec();
        let sending = background().spawn(async move {
            _ = sink.data(&body).await;
            _ = sink.end(HeaderMap::new()).await;
            sink
        });
        let mut heard = awaited.heard().await.unwrap();
        let whole = heard.body.rest().await;
        drop(sending.await);
        (heard.head, whole)
    }
}

/// A head of HTTP/1, and how the body behind it is framed.
fn written(request: &Request<()>, is_end: bool) -> (String, Framing) {
    let (uri, headers) = (request.uri(), request.headers());
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\nhost: {}\r\n", request.method(), uri.authority().unwrap());
    write_fields(&mut head, headers);
    let framing = match headers.get(header::CONTENT_LENGTH) {
        _ if is_end => Framing::Over,
        Some(length) => Framing::Length(length.to_str().unwrap().parse().unwrap()),
        None => Framing::Chunked,
    };
    if framing == Framing::Chunked {
        head += "transfer-encoding: chunked\r\n";
    }
    (head + "\r\n", framing)
}

impl Awaited {
    /// The answer's head.
    pub(crate) async fn heard(self) -> io::Result<Heard> {
        let mut interim = Vec::new();
        match self {
            Self::H1(mut read, method) => loop {
                let head = read_head(&mut read).await?;
                if head.status.is_informational() && head.status != 101 {
                    interim.push(head);
                    continue;
                }
                let framing = framing(&head, &method);
                return Ok(Heard { interim, head, body: Source::h1(read, framing) });
            },
            Self::H2(mut response) => {
                while let Some(hint) = poll_fn(|cx| response.poll_informational(cx)).await {
                    interim.push(hint.map_err(io::Error::other)?.into_parts().0);
                }
                let (head, recv) = Pin::new(&mut response).await.map_err(io::Error::other)?.into_parts();
                Ok(Heard { interim, head, body: Source::h2(recv) })
            }
        }
    }

    /// The next interim answer.
    pub(crate) async fn interim(&mut self) -> io::Result<u16> {
        match self {
            Self::H1(read, _) => Ok(read_head(read).await?.status.as_u16()),
            Self::H2(response) => {
                let hint = poll_fn(|cx| response.poll_informational(cx)).await.ok_or(io::ErrorKind::NotFound)?;
                Ok(hint.map_err(io::Error::other)?.status().as_u16())
            }
        }
    }
}

async fn read_head(read: &mut BufReader<ReadHalf<Io>>) -> io::Result<response::Parts> {
    let first = line(read).await?;
    let mut response = Response::builder().status(first.split(' ').nth(1).unwrap_or_default()).body(()).unwrap();
    *response.headers_mut() = fields(read).await?;
    Ok(response.into_parts().0)
}

fn framing(head: &response::Parts, method: &Method) -> Framing {
    if method == Method::HEAD || head.status == 204 || head.status == 304 {
        Framing::Over
    } else if head.headers.contains_key(header::TRANSFER_ENCODING) {
        Framing::Chunked
    } else if let Some(length) = head.headers.get(header::CONTENT_LENGTH) {
        Framing::Length(length.to_str().unwrap().parse().unwrap())
    } else {
        Framing::UntilClose
    }
}
