//! The origins' side: how connections to one pool's origins are secured.

use std::{
    collections::{HashMap, HashSet},
    fmt, io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use rustls::{
    ClientConfig, RootCertStore,
    client::{Resumption, danger::ServerCertVerifier},
    pki_types::ServerName,
    sign::SingleCertAndKey,
};

use super::{
    authorities::{self, Authorities},
    pair::Pair,
    problem::LoadError,
    rounds::Rounds,
    watched::Watched,
};
use crate::{
    config::{self, CheckTls, Code, Config, Diagnostic, Pool, Protocol, Region, Trust},
    fleet::Address,
};

/// Sessions with one server that are kept to be resumed; what rustls keeps of TLS 1.3.
const SESSIONS_PER_ORIGIN: usize = 8;
/// Those of all that one kind of check asks.
const CHECK_SESSIONS: usize = 256;

/// How connections to a pool's origins are secured; clones are the same one. Certificates are always verified.
#[derive(Clone)]
pub struct OriginTls(Arc<Inner>);

struct Inner {
    config: ArcSwap<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    files: Mutex<Files>,
}

struct Files {
    trust: Trusted,
    client: Option<Watched<Pair>>,
    alpn: &'static [&'static [u8]],
    sessions: usize,
}

enum Trusted {
    Given(Arc<dyn ServerCertVerifier>),
    Ca(Watched<RootCertStore>),
}

impl PartialEq for OriginTls {
    /// Whether they are the same one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl OriginTls {
    /// Reads what a pool needs; nothing where its origins are spoken to in the clear.
    ///
    /// # Errors
    /// Everything that is wrong with its files.
    pub fn load(pool: &Pool) -> Result<Option<Self>, LoadError> {
        Self::of_pool(pool, &mut Authorities::default())
    }

    fn of_pool(pool: &Pool, authorities: &mut Authorities) -> Result<Option<Self>, LoadError> {
        let Some(settings) = &pool.tls else { return Ok(None) };
        let subject = format!("pool `{}`", pool.name);
        let sessions = SESSIONS_PER_ORIGIN * pool.origins.len();
        Self::open(&subject, settings, alpn(pool.protocol), sessions, authorities).map(Some)
    }

    fn of_door(region: &Region, protocol: Protocol, authorities: &mut Authorities) -> Result<Option<Self>, LoadError> {
        let Some(settings) = &region.front_door.tls else { return Ok(None) };
        let subject = format!("the front door of region `{}`", region.name);
        let sessions = SESSIONS_PER_ORIGIN * region.addresses.len();
        Self::open(&subject, settings, alpn(protocol), sessions, authorities).map(Some)
    }

    fn open(
        subject: &str,
        settings: &config::OriginTls,
        alpn: &'static [&'static [u8]],
        sessions: usize,
        authorities: &mut Authorities,
    ) -> Result<Self, LoadError> {
        let trust = match &settings.trust {
            Trust::Platform => authorities.platform().map(Trusted::Given),
            Trust::WebPki => authorities.web_pki().map(Trusted::Given),
            Trust::Ca(path) => {
                let path = path.clone();
                Watched::open(vec![path.clone()], move || authorities::read(&path)).map(Trusted::Ca)
            }
        };
        let client = settings.client.as_ref().map(watched).transpose();
        let server_name = settings.server_name.as_ref().map(|name| server_name(subject, name)).transpose();
        let (trust, client, server_name) = match (trust, client, server_name) {
            (Ok(trust), Ok(client), Ok(name)) => (trust, client, name),
            (trust, client, name) => {
                return Err(LoadError([trust.err(), client.err(), name.err()].into_iter().flatten().collect()));
            }
        };
        let files = Files { trust, client, alpn, sessions };
        let config = files.config().map_err(|why| {
            let message = format!("`tls` of {subject} cannot be used: {why}");
            LoadError(vec![Diagnostic::error(Code::BadCertificate, message)])
        })?;
        Ok(Self(Arc::new(Inner { config: ArcSwap::new(config), server_name, files: Mutex::new(files) })))
    }

    fn of_check(wanted: &CheckTls, authorities: &mut Authorities) -> Result<Self, LoadError> {
        let (alpn, sessions): (&[&[u8]], _) = match wanted.protocol {
            Some(protocol) => (alpn(protocol), CHECK_SESSIONS),
            // What resumes a session sees no certificate.
            None => (&[], 0),
        };
        Self::open("a check", &wanted.settings, alpn, sessions, authorities)
    }

    /// What to connect with, now; for each connection anew, since files change. ALPN offers what the pool's `protocol` says, and
    /// nothing else.
    pub fn config(&self) -> Arc<ClientConfig> {
        self.0.config.load_full()
    }

    /// Who the origin at this address has to be: whom the config names, else the host of the address. A name is sent to it, too; an address
    /// is not, and has to be in its certificate.
    pub fn server_name(&self, address: &Address) -> ServerName<'static> {
        if let Some(name) = &self.0.server_name {
            return name.clone();
        }
        match address {
            Address::Fixed(address) => address.ip().into(),
            // What can be looked up can be a server's name; what could not would fit no certificate.
            Address::Named { host, .. } => {
                ServerName::try_from(host.to_string()).unwrap_or(ServerName::IpAddress(Ipv4Addr::UNSPECIFIED.into()))
            }
        }
    }

    /// The host that all of the pool's origins have to be, where the config names one.
    pub fn configured_name(&self) -> Option<&ServerName<'static>> {
        self.0.server_name.as_ref()
    }

    /// Looks at the files, and takes over what changed and is good. Blocks.
    pub(super) fn renew(&self) {
        let mut files = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        let is_trust_new = match &mut files.trust {
            Trusted::Ca(roots) => roots.renew(),
            Trusted::Given(_) => false,
        };
        let is_client_new = files.client.as_mut().is_some_and(Watched::renew);
        if is_trust_new || is_client_new {
            match files.config() {
                Ok(config) => self.0.config.store(config),
                Err(why) => tracing::warn!(%why, "new files for TLS with origins cannot be used: the old ones stay"),
            }
        }
    }
}

impl fmt::Debug for OriginTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginTls").field("server_name", &self.0.server_name).finish_non_exhaustive()
    }
}

impl Files {
    fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let verifier = match &self.trust {
            Trusted::Given(verifier) => Arc::clone(verifier),
            Trusted::Ca(roots) => authorities::verifier(Arc::clone(roots.value()))?,
        };
        let builder = ClientConfig::builder_with_provider(super::provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.client {
            Some(pair) => {
                let shown = SingleCertAndKey::from(Arc::clone(&pair.value().certified));
                builder.with_client_cert_resolver(Arc::new(shown))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn.iter().map(|name| name.to_vec()).collect();
        config.resumption = match self.sessions {
            0 => Resumption::disabled(),
            sessions => Resumption::in_memory_sessions(sessions),
        };
        Ok(Arc::new(config))
    }
}

fn alpn(protocol: Protocol) -> &'static [&'static [u8]] {
    match protocol {
        Protocol::H1 => &[b"http/1.1"],
        Protocol::H2 => &[b"h2"],
    }
}

fn watched(pair: &config::Pair) -> Result<Watched<Pair>, Diagnostic> {
    let config::Pair { chain, key } = pair.clone();
    Watched::open(vec![chain.clone(), key.clone()], move || Pair::read(&chain, &key))
}

fn server_name(subject: &str, name: &str) -> Result<ServerName<'static>, Diagnostic> {
    ServerName::try_from(name.to_owned()).map_err(|error| {
        let message = format!("`server_name` of {subject} cannot be `{name}`: {error}");
        Diagnostic::error(Code::BadCertificate, message)
    })
}

/// How TLS is spoken with everything that requests are sent to.
#[derive(Clone, Debug, Default)]
pub struct Outward {
    /// By pool: its origins, where they are not spoken to in the clear.
    pub origins: Vec<Option<OriginTls>>,
    /// By region: its front door, for HTTP/1 and for HTTP/2.
    pub doors: Vec<[Option<OriginTls>; 2]>,
    /// Checks, by what they want.
    checks: HashMap<CheckTls, OriginTls>,
}

impl Outward {
    /// For a config. The system's authorities are read once.
    ///
    /// # Errors
    /// Everything that is wrong with the files of all pools and front doors.
    pub fn load(config: &Config) -> Result<Self, LoadError> {
        let (mut authorities, mut problems) = (Authorities::default(), Vec::new());
        let mut collect = |opened: Result<Option<OriginTls>, LoadError>| {
            opened.unwrap_or_else(|LoadError(more)| {
                problems.extend(more);
                None
            })
        };
        let origins = config.pools.iter().map(|pool| collect(OriginTls::of_pool(pool, &mut authorities))).collect();
        let door = |region: &Arc<Region>| {
            [Protocol::H1, Protocol::H2].map(|protocol| collect(OriginTls::of_door(region, protocol, &mut authorities)))
        };
        let doors = config.regions.iter().map(door).collect();
        let mut checks = HashMap::new();
        let mut told: HashSet<_> = problems.iter().map(|problem| problem.message.clone()).collect();
        for wanted in config.checks().filter_map(|check| check.tls.as_ref()) {
            if !checks.contains_key(wanted) {
                match OriginTls::of_check(wanted, &mut authorities) {
                    Ok(opened) => drop(checks.insert(wanted.clone(), opened)),
                    // Not again what its pool has said already.
                    Err(LoadError(more)) => {
                        problems.extend(more.into_iter().filter(|one| told.insert(one.message.clone())));
                    }
                }
            }
        }
        if problems.is_empty() { Ok(Self { origins, doors, checks }) } else { Err(LoadError(problems)) }
    }

    /// All in the clear.
    pub fn none(config: &Config) -> Self {
        Self {
            origins: vec![None; config.pools.len()],
            doors: vec![[None, None]; config.regions.len()],
            checks: HashMap::new(),
        }
    }

    /// For a check that wants this.
    pub fn of_check(&self, wanted: &CheckTls) -> Option<&OriginTls> {
        self.checks.get(wanted)
    }

    /// All there are.
    pub fn all(&self) -> impl Iterator<Item = &OriginTls> {
        self.origins.iter().chain(self.doors.iter().flatten()).flatten().chain(self.checks.values())
    }
}

/// Looks at the files of all these `every` so often, until what it returns is dropped.
///
/// # Errors
/// When a thread cannot be had.
pub fn watch_origins(origins: Vec<OriginTls>, every: Duration) -> io::Result<Rounds> {
    Rounds::start("tls-origins", every, move |owner| {
        for origin in origins.iter().take_while(|_| !owner.is_gone()) {
            origin.renew();
        }
    })
}
