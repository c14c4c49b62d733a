//! What does it answer to a GET?

use std::io;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use super::{Failure, Manner};
use crate::{config::Protocol, resolver::Reach};

/// The status. A fresh connection each time: a kept one would not notice that nobody new can connect.
pub(super) async fn ask(target: &Reach, manner: &Manner, path: &str, host: &str) -> Result<u16, Failure> {
    let (stream, _) = target.connect().await.map_err(Failure::Connection)?;
    let Some(tls) = &manner.tls else { return get(stream, manner.protocol, "http", path, host).await };
    let name = tls.server_name(target.address());
    let stream = TlsConnector::from(tls.config()).connect(name, stream).await.map_err(Failure::Connection)?;
    get(stream, manner.protocol, "https", path, host).await
}

async fn get<S>(stream: S, protocol: Protocol, scheme: &str, path: &str, host: &str) -> Result<u16, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    match protocol {
        Protocol::H1 => get_h1(stream, path, host).await,
        Protocol::H2 => get_h2(stream, scheme, path, host).await,
    }
}

async fn get_h1<S>(stream: S, path: &str, host: &str) -> Result<u16, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Failure::Protocol)?;
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, AGENT)
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(unaskable)?;
    // The connection moves while the answer is awaited, and both are dropped together when the time is up.
    tokio::select! {
        answer = sender.send_request(request) => Ok(answer.map_err(Failure::Protocol)?.status().as_u16()),
        Err(error) = connection => Err(Failure::Protocol(error)),
    }
}

async fn get_h2<S>(stream: S, scheme: &str, path: &str, host: &str) -> Result<u16, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (sender, connection) = h2::client::handshake(stream).await.map_err(Failure::Http2)?;
    let uri = http::Uri::builder().scheme(scheme).authority(host).path_and_query(path).build().map_err(unaskable)?;
    let request = Request::get(uri).header(header::USER_AGENT, AGENT).body(()).map_err(unaskable)?;
    let answer = async {
        let (answer, _) = sender.ready().await?.send_request(request, true)?;
        Ok(answer.await?.status().as_u16())
    };
    tokio::select! {
        answer = answer => answer.map_err(Failure::Http2),
        Err(error) = connection => Err(Failure::Http2(error)),
    }
}

const AGENT: &str = concat!("meridian-probe/", env!("CARGO_PKG_VERSION"));

fn unaskable(error: http::Error) -> Failure {
    Failure::Connection(io::Error::other(error))
}
