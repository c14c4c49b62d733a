//! What the clients do.

use std::path::Path;

use crate::{h2load, handshakes, proxies::Proxy, wrk};

/// One kind of traffic.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    path: &'static str,
    pub(crate) connections: u32,
    over: Over,
    kind: Kind,
}

/// What is below HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// TCP and nothing else.
    Clear,
    /// TLS 1.3, with a P-256 certificate, X25519 and AES-GCM.
    Tls,
}

enum Kind {
    /// As fast as it goes, over kept connections.
    Keep,
    /// A connection for each request; with TLS, a full handshake for each.
    Fresh,
    /// So many requests a second.
    Paced(u32),
    /// HTTP/2, so many requests under way on each connection.
    Streams(u32),
}

/// What the clients saw.
pub(crate) struct Seen {
    pub(crate) requests: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Scene {
    pub(crate) const ALL: [Self; 8] = [
        Self::new("keep-alive 128 B", "small", 64, Over::Clear, Kind::Keep),
        Self::new("8,000/s fixed", "small", 64, Over::Clear, Kind::Paced(8000)),
        Self::new("connection per request", "small", 64, Over::Clear, Kind::Fresh),
        Self::new("64 KiB", "64k", 32, Over::Clear, Kind::Keep),
        Self::new("1 MiB", "1m", 16, Over::Clear, Kind::Keep),
        Self::new("TLS keep-alive 128 B", "small", 64, Over::Tls, Kind::Keep),
        Self::new("TLS handshake per request", "small", 32, Over::Tls, Kind::Fresh),
        Self::new("TLS h2 128 B", "small", 16, Over::Tls, Kind::Streams(16)),
    ];

    const fn new(name: &'static str, path: &'static str, connections: u32, over: Over, kind: Kind) -> Self {
        Self { name, path, connections, over, kind }
    }

    /// Loads a proxy for so long, from the second core. `folder` is the farm's.
    pub(crate) fn load(&self, proxy: &Proxy, seconds: f64, folder: &Path) -> Seen {
        let (scheme, address) = match self.over {
            Over::Clear => ("http", proxy.clear),
            Over::Tls => ("https", proxy.tls),
        };
        let url = format!("{scheme}://{address}/{}", self.path);
        match (&self.kind, self.over) {
            (Kind::Keep, _) => wrk::load(self, &url, &[], seconds),
            (Kind::Fresh, Over::Clear) => wrk::load(self, &url, &["-H", "Connection: close"], seconds),
            (Kind::Fresh, Over::Tls) => handshakes::load(self, address, seconds, folder),
            (Kind::Paced(rate), _) => h2load::paced(self, &url, *rate, seconds, folder),
            (Kind::Streams(streams), _) => h2load::streams(self, &url, *streams, seconds, folder),
        }
    }
}

impl Seen {
    /// From how long each request took.
    pub(crate) fn of(mut milliseconds: Vec<f64>) -> Self {
        milliseconds.sort_by(f64::total_cmp);
        let at = |part: f64| milliseconds.get((milliseconds.len() as f64 * part) as usize).copied().unwrap_or(f64::NAN);
        Self { requests: milliseconds.len() as f64, p50_ms: at(0.5), p99_ms: at(0.99) }
    }
}
