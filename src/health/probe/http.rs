//! Does it answer a request as it should?

use std::io;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header, request, response};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::{
    Answer, Failure, Good, MAX_SEEN,
    connect::{Stream, connect},
    report,
};
use crate::{
    config::{HttpCheck, Protocol},
    resolver::Reach,
    tls::OriginTls,
};

/// Bytes of an answer's head.
const MAX_HEAD: u16 = 16 * 1024;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("meridian-probe/", env!("CARGO_PKG_VERSION")));

/// Asks, and judges by status, header and body, in this order.
pub(super) async fn ask(target: &Reach, tls: Option<&OriginTls>, check: &HttpCheck) -> Answer {
    let answered = async {
        let stream = connect(target, tls).await?;
        match check.protocol {
            Protocol::H1 => ask_h1(stream, check).await,
            Protocol::H2 => ask_h2(stream, check, tls.is_some()).await,
        }
    };
    match answered.await {
        Err(failure) => failure.into(),
        Ok((head, body)) => Answer {
            result: judge(check, &head, &body),
            report: check.reporting.as_ref().map(|reporting| report::read(reporting, &head.headers, &body)),
        },
    }
}

fn judge(check: &HttpCheck, head: &response::Parts, body: &[u8]) -> Result<Good, Failure> {
    let status = head.status.as_u16();
    if !check.statuses.iter().any(|(first, last)| (*first..=*last).contains(&status)) {
        return Err(Failure::Status(status));
    }
    if let Some(wanted) = &check.header {
        let mut values = head.headers.get_all(&*wanted.name).iter();
        let fits = |value: &HeaderValue| wanted.value.as_ref().is_none_or(|pattern| pattern.is_in(value.as_bytes()));
        if !values.any(fits) {
            return Err(Failure::Header);
        }
    }
    if check.body.as_ref().is_some_and(|pattern| !pattern.is_in(body)) {
        return Err(Failure::Body);
    }
    Ok(Good::Status(status))
}

/// Whether anybody looks at the body; it is not waited for otherwise.
fn wants_body(check: &HttpCheck) -> bool {
    check.body.is_some() || check.reporting.is_some()
}

fn request(check: &HttpCheck) -> request::Builder {
    let mut request = Request::builder().method(&*check.method).header(header::USER_AGENT, AGENT);
    for (name, value) in &*check.headers {
        // One that is written takes the place of our own.
        if let (Ok(name), Some(headers)) = (HeaderName::try_from(&**name), request.headers_mut())
            && let Ok(value) = HeaderValue::try_from(&**value)
        {
            headers.insert(name, value);
        }
    }
    request
}

async fn ask_h1(stream: Box<dyn Stream>, check: &HttpCheck) -> Result<(response::Parts, Vec<u8>), Failure> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD.into())
        .handshake(TokioIo::new(stream))
        .await
        .map_err(Failure::Protocol)?;
    let request = request(check)
        .uri(&*check.path)
        .header(header::HOST, &*check.host)
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(unaskable)?;
    let answer = async {
        let (head, mut body) = sender.send_request(request).await.map_err(Failure::Protocol)?.into_parts();
        let mut seen = Vec::new();
        while wants_body(check) && seen.len() < MAX_SEEN {
            let Some(frame) = body.frame().await else { break };
            if let Ok(data) = frame.map_err(Failure::Protocol)?.into_data() {
                seen.extend_from_slice(&data[..data.len().min(MAX_SEEN - seen.len())]);
            }
        }
        Ok((head, seen))
    };
    // The connection moves while the answer is awaited, and both are dropped together when the time is up.
    tokio::select! {
        biased;
        answer = answer => answer,
        Err(error) = connection => Err(Failure::Protocol(error)),
    }
}

async fn ask_h2(
    stream: Box<dyn Stream>,
    check: &HttpCheck,
    is_secured: bool,
) -> Result<(response::Parts, Vec<u8>), Failure> {
    let (sender, connection) = handshake_h2(stream).await?;
    let request = request(check).uri(uri(is_secured, &check.host, &check.path)?).body(()).map_err(unaskable)?;
    let answer = async {
        let (answer, _) = sender.ready().await?.send_request(request, true)?;
        let (head, mut body) = answer.await?.into_parts();
        let mut seen = Vec::new();
        while wants_body(check) && seen.len() < MAX_SEEN {
            let Some(data) = body.data().await else { break };
            let data = data?;
            seen.extend_from_slice(&data[..data.len().min(MAX_SEEN - seen.len())]);
        }
        Ok((head, seen))
    };
    tokio::select! {
        biased;
        answer = answer => answer.map_err(Failure::Http2),
        Err(error) = connection => Err(Failure::Http2(error)),
    }
}

type H2 = (h2::client::SendRequest<Bytes>, h2::client::Connection<Box<dyn Stream>, Bytes>);

pub(super) async fn handshake_h2(stream: Box<dyn Stream>) -> Result<H2, Failure> {
    let mut settings = h2::client::Builder::new();
    settings.max_header_list_size(MAX_HEAD.into()).enable_push(false);
    settings.handshake(stream).await.map_err(Failure::Http2)
}

pub(super) fn uri(is_secured: bool, host: &str, path: &str) -> Result<http::Uri, Failure> {
    let scheme = if is_secured { "https" } else { "http" };
    http::Uri::builder().scheme(scheme).authority(host).path_and_query(path).build().map_err(unaskable)
}

pub(super) fn unaskable(error: http::Error) -> Failure {
    Failure::Connection(io::Error::other(error))
}
