//! What TLS needs of one config, read before anything uses it.

use std::sync::Arc;

use super::BuildError;
use crate::{
    clock::Clock,
    config::Config,
    tls::{self, LoadError, OriginTls, Outward, Rounds, ServerTls},
};

/// Certificates and keys, and who looks whether their files changed.
#[derive(Debug)]
pub(super) struct Secured {
    /// Nothing where nobody listens for TLS.
    pub(super) server: Option<ServerTls>,
    pub(super) outward: Outward,
    /// Nothing where no pool has any.
    _watching: Option<Rounds>,
}

impl Secured {
    /// Reads everything. What `previous` made itself goes on.
    pub(super) fn load(config: &Config, previous: Option<&Self>, clock: &Clock) -> Result<Arc<Self>, BuildError> {
        let previous = previous.and_then(|previous| previous.server.as_ref());
        let is_needed = [&config.listen.https, &config.dns.tls, &config.dns.https].iter().any(|all| !all.is_empty());
        let server = is_needed.then(|| ServerTls::load(&config.tls, true, previous, clock)).transpose();
        let (server, outward) = match (server, Outward::load(config)) {
            (Ok(server), Ok(outward)) => (server, outward),
            (server, outward) => {
                let failed = server.err().into_iter().chain(outward.err());
                return Err(LoadError::from(failed.flat_map(LoadError::into_diagnostics).collect::<Vec<_>>()).into());
            }
        };
        let watched: Vec<OriginTls> = outward.all().cloned().collect();
        let watching = (!watched.is_empty()).then(|| tls::watch_origins(watched, config.tls.watch_interval));
        Ok(Arc::new(Self { server, outward, _watching: watching.transpose()? }))
    }
}
