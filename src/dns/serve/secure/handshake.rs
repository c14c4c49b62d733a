//! The handshake: by what is known of the client's host now, with the protocol that this listener speaks.

use std::{io, sync::Arc, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpStream, time};
use tokio_rustls::{
    LazyConfigAcceptor, StartHandshake,
    rustls::{HandshakeKind, server::Acceptor},
    server::TlsStream,
};

use super::accept::Entrance;
use crate::{
    config::Config,
    dns::outcome::Transport,
    tls::{Found, ServerTls, UNRECOGNIZED_NAME},
};

/// What encrypted listeners need of one config. It lives in the table's generation, beside the zones.
#[derive(Clone, Debug)]
pub struct Encrypted {
    tls: Option<ServerTls>,
    handshake_timeout: Duration,
}

impl Encrypted {
    /// Of a config, and the certificates that were read for it.
    pub fn build(config: &Config, tls: Option<ServerTls>) -> Self {
        Self { tls, handshake_timeout: config.tls.handshake_timeout }
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
    fn count(self, transport: Transport) {
        let result = match self {
            Self::Full => "full",
            Self::Resumed => "resumed",
            Self::UnknownHost => "unknown-host",
            Self::TimedOut => "timed-out",
            Self::Failed => "failed",
        };
        let transport = transport.as_str();
        metrics::counter!("meridian_dns_handshakes_total", "transport" => transport, "result" => result).increment(1);
    }
}

/// Shakes hands; nothing where that did not work out, which is counted.
pub(super) async fn shake(stream: TcpStream, entrance: &Entrance) -> Option<TlsStream<TcpStream>> {
    let generation = entrance.table.load();
    let encrypted: Option<Encrypted> = generation.compiled().cloned();
    drop(generation);
    let encrypted = encrypted?;
    let shaking = shake_hands(stream, encrypted.tls?, entrance.transport);
    let (ending, shaken) = match time::timeout(encrypted.handshake_timeout, shaking).await {
        Ok(Ok(stream)) => match stream.get_ref().1.handshake_kind() {
            Some(HandshakeKind::Resumed) => (Ending::Resumed, Some(stream)),
            _ => (Ending::Full, Some(stream)),
        },
        Ok(Err(ending)) => (ending, None),
        Err(_) => (Ending::TimedOut, None),
    };
    ending.count(entrance.transport);
    shaken
}

async fn shake_hands(stream: TcpStream, tls: ServerTls, transport: Transport) -> Result<TlsStream<TcpStream>, Ending> {
    let failed = |error: io::Error| {
        tracing::debug!(%error, "a TLS handshake for DNS failed");
        Ending::Failed
    };
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.map_err(failed)?;
    // Resolvers know a server by its address, and many name no host.
    let config = match tls.find_or_first(start.client_hello().server_name()) {
        Found::Ready(config) => Some(config),
        Found::Load(loading) => loading.await,
        Found::Unknown => None,
    };
    let Some(config) = config else {
        refuse(start).await;
        return Err(Ending::UnknownHost);
    };
    // The host's certificates and demands are those of HTTPS; what is spoken is not (RFC 7858 §3.2, RFC 8484 §5.2).
    let mut config = config.as_ref().clone();
    config.alpn_protocols = vec![if transport == Transport::Https { b"h2".to_vec() } else { b"dot".to_vec() }];
    start.into_stream(Arc::new(config)).await.map_err(failed)
}

/// Says that no such host is known here, in the clear, as no keys were agreed upon (RFC 8446 §6).
async fn refuse(mut start: StartHandshake<TcpStream>) {
    // Who does not take seven bytes will notice anyway.
    _ = start.io.write_all(&UNRECOGNIZED_NAME).await;
    _ = start.io.shutdown().await;
}
