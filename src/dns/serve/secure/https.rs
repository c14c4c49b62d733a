//! DNS over HTTPS (RFC 8484): GET and POST on `/dns-query`, over HTTP/2.
//!
//! Every bound is one connection's own: what one client does too much of costs it that connection and nobody else anything.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use h2::{
    RecvStream,
    server::{self, SendResponse},
};
use hickory_server::{
    net::{NetError, runtime::TokioTime, xfer::Protocol},
    proto::{rr::Record, serialize::binary::BinEncoder},
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::MessageResponse,
};
use http::{Method, StatusCode, header, request};
use tokio::{net::TcpStream, task::JoinSet, time};
use tokio_rustls::server::TlsStream;

use super::{accept::Stopped, handler::Answers};
use crate::dns::{outcome::Transport, serve::desk::least_ttl};

/// Where queries are asked.
const PATH: &str = "/dns-query";
const DNS_MESSAGE: &str = "application/dns-message";
/// Bytes of the longest query; nothing longer is one.
const LONGEST: usize = 4096;
/// Requests under way at once on a connection.
const STREAMS: u32 = 100;
/// Bytes of a request's head: a query in GET, and what browsers send along.
const HEAD: u32 = 16_384;
/// Requests that were taken back and are still remembered.
const RESETS: usize = 20;

/// Answers until the client leaves or falls silent, or the node ends.
pub(super) async fn serve(
    io: TlsStream<TcpStream>,
    client: SocketAddr,
    answers: &Arc<Answers>,
    idle: Duration,
    mut stopped: Stopped,
) {
    let beginning = server::Builder::new()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD)
        .max_concurrent_reset_streams(RESETS)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(Some(RESETS))
        .handshake::<_, Bytes>(io);
    let Ok(Ok(mut connection)) = time::timeout(idle, beginning).await else { return };
    let mut asking = JoinSet::new();
    let mut is_ending = false;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopped.wait_for(|is_stopped| *is_stopped), if !is_ending => {
                // What was asked is answered; the client goes elsewhere with the rest.
                connection.graceful_shutdown();
                is_ending = true;
                continue;
            }
            accepted = time::timeout(idle, connection.accept()) => accepted,
        };
        let Ok(Some(Ok((request, response)))) = accepted else { return };
        while asking.try_join_next().is_some() {}
        let reply = Reply(Arc::new(Mutex::new(Some(response))));
        if asking.len() < STREAMS as usize {
            asking.spawn(answer(request, reply, client, Arc::clone(answers), idle));
        } else {
            reply.refuse(StatusCode::SERVICE_UNAVAILABLE);
        }
    }
}

/// Answers one request.
async fn answer(
    request: http::Request<RecvStream>,
    reply: Reply,
    client: SocketAddr,
    answers: Arc<Answers>,
    limit: Duration,
) {
    let (head, mut body) = request.into_parts();
    let reading = async {
        let message = message_of(&head, &mut body).await;
        if message.is_err() {
            // Some clients think little of an answer that comes while they still speak.
            _ = rest(&mut body).await;
        }
        message
    };
    let message = match time::timeout(limit, reading).await {
        Ok(Ok(message)) => message,
        Ok(Err(status)) => return reply.refuse(status),
        Err(_) => return reply.refuse(StatusCode::REQUEST_TIMEOUT),
    };
    match Request::from_bytes(message.clone(), client, Protocol::Https) {
        Ok(request) => {
            answers.handle_request::<_, TokioTime>(&request, reply.clone()).await;
        }
        // What it cannot read is still answered with what is wrong.
        Err(_) => {
            if let Some(answer) = answers.ask(&message, client.ip(), Transport::Https) {
                reply.answer(answer);
            }
        }
    }
    reply.refuse(StatusCode::BAD_REQUEST);
}

/// The query in a request, or the status that says what is wrong with it.
async fn message_of(head: &request::Parts, body: &mut RecvStream) -> Result<Vec<u8>, StatusCode> {
    if head.uri.path() != PATH {
        return Err(StatusCode::NOT_FOUND);
    }
    match head.method {
        Method::GET => {
            let mut parameters = head.uri.query().unwrap_or_default().split('&');
            let text = parameters.find_map(|parameter| parameter.strip_prefix("dns="));
            let text = text.ok_or(StatusCode::BAD_REQUEST)?;
            if text.len() > LONGEST.div_ceil(3) * 4 {
                return Err(StatusCode::URI_TOO_LONG);
            }
            BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| StatusCode::BAD_REQUEST)
        }
        Method::POST => {
            let kind = head.headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes);
            if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case(DNS_MESSAGE.as_bytes())) {
                return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            }
            rest(body).await
        }
        _ => Err(StatusCode::METHOD_NOT_ALLOWED),
    }
}

/// What is left of a body, if that is not too much.
async fn rest(body: &mut RecvStream) -> Result<Vec<u8>, StatusCode> {
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.map_err(|_| StatusCode::BAD_REQUEST)?;
        if message.len() + data.len() > LONGEST {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        message.extend_from_slice(&data);
        // It is used up: the client may send as much again. An error is the connection's end, which shows by itself.
        _ = body.flow_control().release_capacity(data.len());
    }
    Ok(message)
}

/// Where an answer goes; empty once it went.
#[derive(Clone)]
struct Reply(Arc<Mutex<Option<SendResponse<Bytes>>>>);

impl Reply {
    fn take(&self) -> Option<SendResponse<Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Sends an answer. A client that has left misses it.
    fn answer(&self, answer: Vec<u8>) {
        let Some(mut stream) = self.take() else { return };
        // No cache on the way keeps it longer than a resolver would (RFC 8484 §5.1).
        let lifetime = least_ttl(&answer).unwrap_or(0);
        let head = http::Response::builder()
            .header(header::CONTENT_TYPE, DNS_MESSAGE)
            .header(header::CONTENT_LENGTH, answer.len())
            .header(header::CACHE_CONTROL, format!("private, max-age={lifetime}"));
        if let Ok(head) = head.body(())
            && let Ok(mut body) = stream.send_response(head, false)
        {
            _ = body.send_data(answer.into(), true);
        }
    }

    /// Says what is wrong with a request, unless it was answered.
    fn refuse(&self, status: StatusCode) {
        let Some(mut stream) = self.take() else { return };
        metrics::counter!("meridian_dns_https_refused_total", "status" => status.as_str().to_owned()).increment(1);
        let head = http::Response::builder().status(status);
        let head =
            if status == StatusCode::METHOD_NOT_ALLOWED { head.header(header::ALLOW, "GET, POST") } else { head };
        if let Ok(head) = head.body(()) {
            _ = stream.send_response(head, true);
        }
    }
}

#[async_trait]
impl ResponseHandler for Reply {
    async fn send_response<'a>(
        &mut self,
        response: MessageResponse<
            '_,
            'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
            impl Iterator<Item = &'a Record> + Send + 'a,
        >,
    ) -> Result<ResponseInfo, NetError> {
        let mut bytes = Vec::with_capacity(512);
        let info = response.destructive_emit(&mut BinEncoder::new(&mut bytes))?;
        self.answer(bytes);
        Ok(info)
    }
}
