//! What TLS means on both sides. Files are named here and read by `tls`.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::HostPattern;

/// How TLS is spoken with clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Read when the config is applied, in the order they were written.
    pub certificates: Vec<Pair>,
    /// Where those lie that are read when their host is first named.
    pub directory: Option<PathBuf>,
    /// Hosts of `directory` whose certificates are kept in memory.
    pub max_loaded: usize,
    /// What a client gets that names no host with a certificate.
    pub unknown_host: UnknownHost,
    /// The keys of session tickets; nothing where the node makes its own.
    pub ticket_keys: Option<PathBuf>,
    /// Time for a client to finish its handshake.
    pub handshake_timeout: Duration,
    /// How often files are looked at.
    pub watch_interval: Duration,
    /// What is asked of clients of every host that is not among `hosts`.
    pub demands: Demands,
    /// What is asked of clients of these instead, in name order; never [`HostPattern::Any`].
    pub hosts: Vec<(HostPattern, Demands)>,
}

/// A certificate with those above it, and its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The file of the certificates.
    pub chain: PathBuf,
    /// The file of the key.
    pub key: PathBuf,
}

/// What a client gets that names no host, or one without a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownHost {
    /// The alert `unrecognized_name`.
    Refuse,
    /// The first of the certificates that were written; there is one.
    First,
}

/// What is asked of clients.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Demands {
    /// The oldest version they may speak.
    pub min_version: TlsVersion,
    /// The certificates they must show.
    pub client_certificates: ClientCertificates,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsVersion {
    /// 1.2.
    V12,
    /// 1.3.
    V13,
}

/// Which certificates clients must show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientCertificates {
    /// None is asked for.
    Off,
    /// None, or one from an authority in this file.
    Optional(PathBuf),
    /// One from an authority in this file.
    Required(PathBuf),
}

/// How TLS is spoken with origins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginTls {
    /// Who may have issued their certificates.
    pub trust: Trust,
    /// The host their certificates must be for; nothing where it is each origin's address.
    pub server_name: Option<Arc<str>>,
    /// What is shown to them.
    pub client: Option<Pair>,
}

/// Which authorities are believed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Those of the system.
    Platform,
    /// Those that browsers trust, as built in.
    WebPki,
    /// Those in this file.
    Ca(PathBuf),
}
