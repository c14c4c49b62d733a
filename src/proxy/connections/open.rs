//! Opening a connection to an origin.

use std::{
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::pin,
    task::Poll,
};

use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};

use super::{
    Lent,
    idle::Counted,
    way::{Key, Way},
};
use crate::{
    config::Protocol,
    fleet::Address,
    proxy::{
        Refusal,
        io::{Stream, Wire},
        peer::Seat,
        route::Line,
    },
    resolver::{Reach, is_out_of_means},
    tls::OriginTls,
};

/// Connects within the pool's limits, for HTTP/1. Where as many connect as may at the same time, it waits for its turn, or for a connection that
/// is given back, if that may be.
pub(in crate::proxy) async fn open(
    origin: &Reach,
    line: &Line,
    seat: &Seat,
    may_be_kept: bool,
) -> Result<Opened, Refusal> {
    let (worker, key, most) = (&seat.worker, Key::new(origin, line), line.settings.max_connecting);
    let gates = &worker.connections.gates;
    let mut turn = gates.enter(&key, most, false);
    let has_waited = turn.is_none();
    if has_waited {
        line.metrics.waited.increment(1);
        seat.deadline.set(line.settings.timeouts.connect);
    }
    while turn.is_none() {
        if !gates.wait(&key, &seat.deadline).await {
            return Err(Refusal::OriginsBusy);
        }
        if may_be_kept && let Some(lent) = worker.connections.take(origin, line) {
            return Ok(Opened { lent, is_kept: true, has_waited });
        }
        turn = gates.enter(&key, most, true);
    }
    let (stream, way, counted) = connect(origin, line, seat).await?;
    let lent = worker.connections.lend(Wire::new(stream, &worker.buffers), way, counted, line);
    Ok(Opened { lent, is_kept: false, has_waited })
}

/// What a request gets that found no idle connection.
pub(in crate::proxy) struct Opened {
    pub(in crate::proxy) lent: Box<Lent>,
    /// Whether another request had it before.
    pub(in crate::proxy) is_kept: bool,
    /// Whether it was waited for because of others: that says nothing about the origin.
    pub(in crate::proxy) has_waited: bool,
}

/// Connects within the pool's limit, TLS included, wherever the origin is now.
pub(super) async fn connect(origin: &Reach, line: &Line, seat: &Seat) -> Result<(Stream, Way, Counted), Refusal> {
    let connections = &seat.worker.connections;
    let place = connections.open.admit(Key::new(origin, line), line.settings.max_connections);
    let place = place.ok_or(Refusal::OriginsBusy)?;
    seat.deadline.set(line.settings.timeouts.connect);
    let mut connecting = pin!(reach(origin, line));
    let connected = poll_fn(|cx| match connecting.as_mut().poll(cx) {
        Poll::Ready(connected) => Poll::Ready(Some(connected)),
        Poll::Pending if seat.deadline.is_over(cx) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match connected.await {
        Some(Ok((stream, peer))) => {
            let until = connections.clock.now() + line.settings.max_connection_age;
            let way = Way { origin: origin.clone(), peer, manner: line.manner, until };
            Ok((stream, way, Counted::new(&line.metrics, place)))
        }
        Some(Err(error)) => {
            tracing::debug!(origin = %origin.address(), %error, "origin did not accept a connection");
            Err(if is_out_of_means(&error) { Refusal::OutOfSockets } else { Refusal::ConnectFailed })
        }
        None => Err(Refusal::ConnectTimeout),
    }
}

async fn reach(origin: &Reach, line: &Line) -> io::Result<(Stream, SocketAddr)> {
    let (stream, peer) = origin.connect().await?;
    // Without it small requests wait for acknowledgements; a socket that cannot do it works all the same.
    _ = stream.set_nodelay(true);
    let stream = match &line.tls {
        None => Stream::Plain(stream),
        // Boxed: few connections are made, and every request has room for making one.
        Some(tls) => Box::pin(secure(stream, origin.address(), tls, line.settings.protocol)).await?,
    };
    Ok((stream, peer))
}

async fn secure(stream: TcpStream, origin: &Address, tls: &OriginTls, protocol: Protocol) -> io::Result<Stream> {
    let stream = TlsConnector::from(tls.config()).connect(tls.server_name(origin), stream).await?;
    if protocol == Protocol::H2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(io::Error::other("it does not speak HTTP/2"));
    }
    Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
}
