//! Does it answer a GET with a good status?

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::Failure;
use crate::resolver::Reach;

/// A fresh connection each time: a kept one would not notice that nobody new can connect.
pub(super) async fn ask(target: &Reach, path: &str, host: &str, statuses: (u16, u16)) -> Result<(), Failure> {
    let (stream, _) = target.connect().await.map_err(Failure::Connection)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Failure::Protocol)?;
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, concat!("meridian-probe/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| Failure::Connection(std::io::Error::other(error)))?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(Failure::Protocol)?;
        let status = response.status().as_u16();
        if (statuses.0..=statuses.1).contains(&status) { Ok(()) } else { Err(Failure::Status(status)) }
    };
    // The connection moves while the answer is awaited, and both are dropped together when the time is up.
    tokio::select! {
        answer = answer => answer,
        Err(error) = connection => Err(Failure::Protocol(error)),
    }
}
