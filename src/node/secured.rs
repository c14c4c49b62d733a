//! What TLS needs of one config, read before anything uses it.

use std::sync::Arc;

use super::BuildError;
use crate::{
    clock::Clock,
    config::Config,
    tls::{self, LoadError, OriginTls, Rounds, ServerTls},
};

/// Certificates and keys, and who looks whether their files changed.
#[derive(Debug)]
pub(super) struct Secured {
    /// Nothing where nobody listens for HTTPS.
    pub(super) server: Option<ServerTls>,
    /// By pool.
    pub(super) origins: Vec<Option<OriginTls>>,
    /// Nothing where no pool has any.
    _watching: Option<Rounds>,
}

impl Secured {
    /// Reads everything. What `previous` made itself goes on.
    pub(super) fn load(config: &Config, previous: Option<&Self>, clock: &Clock) -> Result<Arc<Self>, BuildError> {
        let previous = previous.and_then(|previous| previous.server.as_ref());
        let is_needed = !config.listen.https.is_empty();
        let server = is_needed.then(|| ServerTls::load(&config.tls, true, previous, clock)).transpose();
        let (server, origins) = match (server, tls::load_origins(&config.pools)) {
            (Ok(server), Ok(origins)) => (server, origins),
            (server, origins) => {
                let failed = server.err().into_iter().chain(origins.err());
                return Err(LoadError::from(failed.flat_map(LoadError::into_diagnostics).collect::<Vec<_>>()).into());
            }
        };
        let watched: Vec<OriginTls> = origins.iter().flatten().cloned().collect();
        let watching = (!watched.is_empty()).then(|| tls::watch_origins(watched, config.tls.watch_interval));
        Ok(Arc::new(Self { server, origins, _watching: watching.transpose()? }))
    }
}
