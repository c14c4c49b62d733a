//! The TLS handshake.
//!
//! Its cost is one signature and one key exchange, a hundred times that of a small request, at the moment when the client's first message is answered.
//! Those moments come one at a time, with a turn for everything else that is ready in between: however many clients come at once,
//! requests on connections that are there wait for one handshake, not for all.

use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Semaphore, task::yield_now};
use tokio_rustls::{
    LazyConfigAcceptor, StartHandshake, TlsStream,
    rustls::{HandshakeKind, ServerConfig, server::Acceptor},
};

use crate::{
    proxy::{
        io::Stream,
        peer::{Seat, TlsFacts},
    },
    tls::{ClientIdentity, Found, UNRECOGNIZED_NAME, client_identity},
};

/// Lets one handshake through at a time.
#[derive(Debug)]
pub(in crate::proxy) struct Turnstile(Semaphore);

impl Default for Turnstile {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

/// How a handshake ended; its word is the metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Full,
    Resumed,
    UnknownHost,
    TimedOut,
    Failed,
}

impl Ending {
    fn count(self) {
        let ending = match self {
            Self::Full => "full",
            Self::Resumed => "resumed",
            Self::UnknownHost => "unknown-host",
            Self::TimedOut => "timed-out",
            Self::Failed => "failed",
        };
        metrics::counter!("meridian_tls_handshakes_total", "result" => ending).increment(1);
    }
}

/// Shakes hands; nothing where that did not work out, which is counted.
pub(super) async fn shake(stream: TcpStream, seat: &Seat) -> Option<(Stream, TlsFacts)> {
    let view = seat.worker.view();
    let limit = view.routing().map_or(Duration::ZERO, |routing| routing.tls.handshake_timeout);
    drop(view);
    seat.deadline.set(limit);
    let mut shaking = pin!(shake_hands(stream, seat));
    let shaken = poll_fn(|cx| match shaking.as_mut().poll(cx) {
        Poll::Pending if seat.deadline.is_over(cx) => Poll::Ready(Err(Ending::TimedOut)),
        shaken => shaken,
    });
    match shaken.await {
        Ok((stream, facts, ending)) => {
            ending.count();
            Some((stream, facts))
        }
        Err(ending) => {
            ending.count();
            None
        }
    }
}

async fn shake_hands(stream: TcpStream, seat: &Seat) -> Result<(Stream, TlsFacts, Ending), Ending> {
    let failed = |error: io::Error| {
        tracing::debug!(%error, "a TLS handshake failed");
        Ending::Failed
    };
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.map_err(failed)?;
    let view = seat.worker.view();
    let tls = view.routing().and_then(|routing| routing.tls.server.clone()).ok_or(Ending::Failed)?;
    drop(view);
    let server_name = start.client_hello().server_name().map(str::to_owned);
    let config = match tls.find(server_name.as_deref()) {
        Found::Ready(config) => Some(config),
        Found::Load(loading) => loading.await,
        Found::Unknown => None,
    };
    let Some(config) = config else {
        refuse(start).await;
        return Err(Ending::UnknownHost);
    };
    let stream = answer(start, config, seat).await.map_err(failed)?;
    let session = stream.get_ref().1;
    let ending = match session.handshake_kind() {
        Some(HandshakeKind::Resumed) => Ending::Resumed,
        _ => Ending::Full,
    };
    let facts = TlsFacts {
        is_h2: session.alpn_protocol() == Some(b"h2"),
        demands: tls.demands_of(server_name.as_deref().unwrap_or_default()),
        certificate: session.peer_certificates().and_then(client_identity).map(|identity| told(&identity).into()),
    };
    Ok((Stream::Tls(Box::new(TlsStream::Server(stream))), facts, ending))
}

/// Says that no such host is known here, in the clear, as no keys were agreed upon (RFC 8446 §6).
async fn refuse(mut start: StartHandshake<TcpStream>) {
    // Who does not take seven bytes will notice anyway.
    _ = start.io.write_all(&UNRECOGNIZED_NAME).await;
    _ = start.io.shutdown().await;
}

/// Who a client is by its certificate, in the form that Envoy made known as `X-Forwarded-Client-Cert`.
fn told(identity: &ClientIdentity) -> String {
    let mut told = format!("Hash={};Subject=\"{}\"", identity.fingerprint, quoted(&identity.subject));
    for name in &identity.alternative_names {
        if let Some((kind @ ("DNS" | "URI"), name)) = name.split_once(':') {
            // Names of hosts and URIs have no quotes; what has been put into one anyway must not end the value.
            told.extend([";", kind, "=\"", &quoted(name), "\""]);
        }
    }
    told
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Answers a client's first message in its turn, and goes on from there.
async fn answer(
    start: StartHandshake<TcpStream>,
    config: Arc<ServerConfig>,
    seat: &Seat,
) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
    // Never closed, so there is always a turn to come.
    let turn = seat.worker.turnstile.0.acquire().await;
    let mut accepting = pin!(start.into_stream(config));
    let first = poll_fn(|cx| Poll::Ready(accepting.as_mut().poll(cx))).await;
    yield_now().await;
    drop(turn);
    match first {
        Poll::Ready(stream) => stream,
        Poll::Pending => accepting.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_told_who_a_client_is_in_one_line() {
        let identity = ClientIdentity {
            subject: "CN=a \"b\"".into(),
            alternative_names: vec!["DNS:a.example".into(), "IP:192.0.2.1".into(), "URI:spiffe://a.example/b".into()],
            fingerprint: "0a1b".into(),
        };
        let expected = r#"Hash=0a1b;Subject="CN=a \"b\"";DNS="a.example";URI="spiffe://a.example/b""#;
        assert_eq!(told(&identity), expected);
    }
}
