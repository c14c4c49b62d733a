//! A client comes in: who it is, by its socket or by the balancer in front of us, then TLS, then whatever it speaks.

mod guests;
mod handshake;
mod preamble;

use std::{future::poll_fn, io, net::SocketAddr, pin::pin, rc::Rc, task::Poll, time::Duration};

use tokio::{io::AsyncReadExt, net::TcpStream};

pub(super) use guests::Guest;
pub(super) use handshake::Turnstile;
use preamble::{Preamble, Told};

use super::{
    h2,
    io::Stream,
    peer::{Peer, Seat},
    serve::Client,
    tally::Counted,
    worker::Worker,
};

/// What a listener expects of those who connect to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Plain,
    Tls,
}

/// Why a client was sent away before it could ask anything; its word is the metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SentAway {
    /// It has as many connections as one client may have.
    TooMany,
    /// It should have begun with a PROXY header.
    NoPreamble,
}

impl SentAway {
    fn count(self) {
        let why = match self {
            Self::TooMany => "too-many-of-one-client",
            Self::NoPreamble => "no-proxy-header",
        };
        metrics::counter!("meridian_http_connections_refused_total", "why" => why).increment(1);
    }
}

/// A client that may ask.
struct Arrived {
    stream: Stream,
    peer: Peer,
    seat: Seat,
    is_h2: bool,
    /// Counts as one of its connections.
    guest: Counted<Guest>,
}

/// Serves a connection from its first byte to its last. What few connections do is boxed, as all would have room for it.
pub(super) async fn welcome(stream: TcpStream, from: SocketAddr, door: Door, worker: Rc<Worker>) {
    let Some(Arrived { stream, peer, seat, is_h2, guest }) = arrive(stream, from, door, worker).await else { return };
    if is_h2 {
        Box::pin(h2::serve(stream, None, peer, seat)).await;
    } else {
        let mut client = Client::new(stream, peer, seat);
        if client.serve().await {
            let (stream, ahead, peer, seat) = client.into_parts();
            Box::pin(h2::serve(stream, ahead, peer, seat)).await;
        }
    }
    drop(guest);
}

async fn arrive(mut stream: TcpStream, from: SocketAddr, door: Door, worker: Rc<Worker>) -> Option<Arrived> {
    let view = worker.view();
    let settings = &view.routing()?.settings;
    let mut address = from.ip().to_canonical();
    let is_in = |networks: &[ipnet::IpNet]| networks.iter().any(|network| network.contains(&address));
    let (is_passed_on, is_trusted) = (is_in(&settings.proxy_protocol), is_in(&settings.trusted_proxies));
    let (most, head_timeout) = (settings.max_connections_per_client, settings.head_timeout);
    drop(view);
    let seat = Seat::new(worker);
    if is_passed_on {
        match Box::pin(told(&mut stream, &seat, head_timeout)).await {
            Ok(Told::Client(client)) => address = client.ip().to_canonical(),
            Ok(Told::Nothing) => {}
            Err(error) => {
                tracing::debug!(%from, %error, "a connection without a proper PROXY header");
                SentAway::NoPreamble.count();
                return None;
            }
        }
    }
    // Those who speak for others have the connections of many.
    let most = if is_trusted { u32::MAX } else { most };
    let Some(guest) = seat.worker.guests.admit(address.into(), most) else {
        SentAway::TooMany.count();
        return None;
    };
    let (stream, facts) = match door {
        Door::Plain => (Stream::Plain(stream), None),
        Door::Tls => {
            let (stream, facts) = Box::pin(handshake::shake(stream, &seat)).await?;
            (stream, Some(facts))
        }
    };
    let is_h2 = facts.as_ref().is_some_and(|facts| facts.is_h2);
    Some(Arrived { stream, peer: seat.worker.meet(address, facts), seat, is_h2, guest })
}

/// How many more bytes of a PROXY header have to come, unless it is whole or none.
pub(super) fn read_preamble(bytes: &[u8]) -> Option<usize> {
    match preamble::read(bytes) {
        Preamble::Needs(more) => Some(more),
        Preamble::Whole(_) | Preamble::Malformed => None,
    }
}

/// What the balancer says. Reads its header and nothing more.
async fn told(stream: &mut TcpStream, seat: &Seat, limit: Duration) -> io::Result<Told> {
    let mut header = Vec::new();
    seat.deadline.set(limit);
    loop {
        let more = match preamble::read(&header) {
            Preamble::Needs(more) => more,
            Preamble::Whole(told) => return Ok(told),
            Preamble::Malformed => return Err(io::Error::new(io::ErrorKind::InvalidData, "not a PROXY header")),
        };
        let seen = header.len();
        header.resize(seen + more, 0);
        let mut reading = pin!(stream.read_exact(&mut header[seen..]));
        poll_fn(|cx| match reading.as_mut().poll(cx) {
            Poll::Pending if seat.deadline.is_over(cx) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            read => read,
        })
        .await?;
    }
}
