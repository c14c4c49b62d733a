//! A listener: as many connections as the config allows, in all and of one client.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time,
};

use super::{handler::Answers, handshake::shake, https, stream};
use crate::{
    dns::{
        meters::ConnectionMeters,
        outcome::Transport,
        serve::connections::{Guest, Guests},
        zone::Zones,
    },
    table::Table,
};

/// How long to leave clients waiting when there is no file for them.
const STARVED: Duration = Duration::from_millis(100);

/// Told when the node ends.
pub(super) type Stopped = watch::Receiver<bool>;

/// What a listener's connections share.
pub(super) struct Entrance {
    pub(super) transport: Transport,
    pub(super) answers: Arc<Answers>,
    pub(super) table: Table,
    meters: ConnectionMeters,
    inside: Mutex<Inside>,
}

/// Who is there.
#[derive(Debug, Default)]
struct Inside {
    count: usize,
    guests: Guests,
}

/// What the config in force says of connections.
#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    all: usize,
    of_one_client: usize,
    idle: Duration,
}

impl Entrance {
    pub(super) fn new(transport: Transport, answers: Arc<Answers>, table: Table) -> Arc<Self> {
        Arc::new(Self { transport, answers, table, meters: ConnectionMeters::new(transport), inside: Mutex::default() })
    }

    fn limits(&self) -> Limits {
        let generation = self.table.load();
        let zones: Option<&Zones> = generation.compiled();
        zones.map_or_else(Limits::default, |zones| Limits {
            all: zones.settings.max_tcp_connections,
            of_one_client: zones.settings.max_tcp_connections_per_client,
            idle: zones.settings.tcp_idle_timeout,
        })
    }

    /// A place for one more, unless there are too many.
    fn admit(self: &Arc<Self>, client: SocketAddr, limits: Limits) -> Option<Place> {
        let guest = client.ip().into();
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.count >= limits.all {
            self.meters.full.increment(1);
            return None;
        }
        if !inside.guests.admit(guest, limits.of_one_client) {
            self.meters.of_one_client.increment(1);
            return None;
        }
        inside.count += 1;
        self.meters.opened.increment(1);
        Some(Place { entrance: Arc::clone(self), guest })
    }
}

/// Somebody's place; free again when it is dropped.
struct Place {
    entrance: Arc<Entrance>,
    guest: Guest,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.entrance.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.count -= 1;
        inside.guests.leave(self.guest);
        self.entrance.meters.closed.increment(1);
    }
}

/// Accepts until the node ends, then waits for those who are there.
pub(super) async fn accept(listener: TcpListener, entrance: Arc<Entrance>, mut stopped: Stopped) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopped.wait_for(|is_stopped| *is_stopped) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, client)) => {
                let limits = entrance.limits();
                if let Some(place) = entrance.admit(client, limits) {
                    connections.spawn(serve(stream, client, place, limits.idle, stopped.clone()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a client of encrypted DNS failed");
                time::sleep(STARVED).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A connection from its first byte to its last.
async fn serve(stream: TcpStream, client: SocketAddr, place: Place, idle: Duration, mut stopped: Stopped) {
    let entrance = &place.entrance;
    let shaken = tokio::select! {
        shaken = shake(stream, entrance) => shaken,
        _ = stopped.wait_for(|is_stopped| *is_stopped) => return,
    };
    let Some(io) = shaken else { return };
    if entrance.transport == Transport::Https {
        https::serve(io, client, &entrance.answers, idle, stopped).await;
    } else {
        stream::serve(io, client, &entrance.answers, idle, stopped).await;
    }
}
