//! Asking a node's admin API.

use std::{net::SocketAddr, path::Path, time::Duration};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A node answers its admin API within milliseconds; two seconds mean that it does not.
const PATIENCE: Duration = Duration::from_secs(2);
/// Enough for the status of 100,000 origins.
const MAX_ANSWER: usize = 64 << 20;

/// What a node answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn is_good(&self) -> bool {
        self.status.is_success()
    }
}

/// What a node answers somebody who has its token; otherwise why not, for people.
pub(super) fn question(admin: SocketAddr, token_file: &Path, path: &str) -> Result<String, String> {
    call(admin, token_file, Method::GET, path, String::new())
}

/// The same for anything else that can be asked of it.
pub(super) fn call(
    admin: SocketAddr,
    token_file: &Path,
    method: Method,
    path: &str,
    body: String,
) -> Result<String, String> {
    let token = std::fs::read_to_string(token_file).map_err(|error| {
        let file = token_file.display();
        format!("cannot read the admin token from {file}: {error}\nhint: name the file with --token-file\n")
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}\n"))?;
    let answer = runtime
        .block_on(within_patience(ask(admin, method, path, Some(token.trim()), body)))
        .ok_or_else(|| format!("no node answers at {admin}\nhint: name its admin address with --admin\n"))?;
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    if answer.is_good() { Ok(body) } else { Err(format!("{admin} refused with {}: {body}\n", answer.status)) }
}

/// Asks once; `None` where no answer came.
pub(super) async fn get(address: SocketAddr, path: &str, token: Option<&str>) -> Option<Answer> {
    within_patience(ask(address, Method::GET, path, token, String::new())).await
}

async fn within_patience<E>(asked: impl Future<Output = Result<Answer, E>>) -> Option<Answer> {
    tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()
}

async fn ask(
    address: SocketAddr,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: String,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, address.to_string());
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Full::new(Bytes::from(body)))?;
    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await?.to_bytes();
        Ok(Answer { status, body })
    };
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // The connection may end right after its last byte, before the answer was taken from it.
        _ = &mut connection => answer.await,
    }
}
