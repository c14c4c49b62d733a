//! DNS over TLS (RFC 7858): messages with their length in front, one after the other.

use std::{net::SocketAddr, time::Duration};

use futures_util::StreamExt;
use hickory_server::{
    net::{
        BufDnsStreamHandle, DnsStreamHandle,
        runtime::{TokioTime, iocompat::AsyncIoTokioAsStd},
        tls::tls_from_stream,
        xfer::Protocol,
    },
    proto::op::{MessageType, SerialMessage},
    server::{Request, RequestHandler, ResponseHandle, TimeoutStream},
};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::{accept::Stopped, handler::Answers};
use crate::dns::outcome::Transport;

/// Answers until the client leaves, falls silent or sends what is no query, or the node ends. Who does not take its answers is not
/// read from, and counts as silent.
pub(super) async fn serve(
    io: TlsStream<TcpStream>,
    client: SocketAddr,
    answers: &Answers,
    idle: Duration,
    mut stopped: Stopped,
) {
    let (stream, answering) = tls_from_stream(AsyncIoTokioAsStd(io), client);
    let mut messages = TimeoutStream::new(stream, idle);
    loop {
        let message = tokio::select! {
            biased;
            // Looking for a message sends the answers to those before.
            message = messages.next() => message,
            _ = stopped.wait_for(|is_stopped| *is_stopped) => return,
        };
        let Some(Ok(message)) = message else { return };
        if !answer(message.into_parts().0, client, answers, answering.clone()).await {
            return;
        }
    }
}

/// Answers one message; false where it is no query.
async fn answer(message: Vec<u8>, client: SocketAddr, answers: &Answers, mut answering: BufDnsStreamHandle) -> bool {
    match Request::from_bytes(message.clone(), client, Protocol::Tls) {
        Ok(request) => {
            let response = ResponseHandle::new(client, answering, Protocol::Tls);
            answers.handle_request::<_, TokioTime>(&request, response).await;
            request.metadata.message_type == MessageType::Query
        }
        // What it cannot read is still answered with what is wrong.
        Err(_) => match answers.ask(&message, client.ip(), Transport::Tls) {
            Some(answer) => answering.send(SerialMessage::new(answer, client)).is_ok(),
            None => false,
        },
    }
}
