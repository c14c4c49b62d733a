//! How many files the process may have open: every connection is one.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::config::Config;

/// Raises the soft limit to the hard one, as far as it goes, and says so where the configured connections do not fit.
pub(super) fn make_room(config: &Config) {
    let limit = getrlimit(Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    // A client and its origin, per worker; queries over TCP; a probe is a file, too.
    let wanted = config.http.workers * config.http.max_connections * 2
        + config.dns.threads * config.dns.max_tcp_connections
        + config.health.max_in_flight;
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if most < wanted as u64 {
        tracing::warn!(
            limit = most,
            wanted,
            "fewer files may be open than connections are configured: raise the limit (`ulimit -n`, `LimitNOFILE`), or lower \
             `http.max_connections`"
        );
    }
}
