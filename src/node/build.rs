//! Everything a node needs before it runs.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    alive::{Alive, was_region_lost},
    places::{Places, Seen},
    secured::Secured,
};
use crate::{
    admin::{self, Token, TokenError},
    balance,
    clock::Clock,
    config::{Config, Identity},
    control::{self, Control, Start},
    dns,
    fleet::Watchlist,
    geo::{AtlasError, ChartError},
    health,
    policy::Flow,
    proxy,
    resolver::Directory,
    table::{Compiled, Table},
    telemetry::Exporter,
    tls::{self, LoadError},
};

/// Where a config came from, to read it again.
#[derive(Clone, Debug)]
pub struct Source {
    /// A file or a directory.
    pub path: PathBuf,
    /// What flags and the environment say over it.
    pub identity: Identity,
}

/// A node, built but not running.
pub struct Node {
    pub(super) config: Arc<Config>,
    pub(super) secured: Arc<Secured>,
    pub(super) places: Arc<Places>,
    pub(super) seen: Vec<Seen>,
    pub(super) revision: u64,
    pub(super) source: Option<Source>,
    pub(super) clock: Clock,
    pub(super) exporter: Exporter,
    pub(super) token: Token,
    pub(super) http: proxy::Server,
    pub(super) dns: dns::Server,
    pub(super) admin: admin::Server,
    pub(super) control: Control,
    pub(super) commands: control::Handle,
    pub(super) table: Table,
    pub(super) directory: Directory,
    pub(super) alive: Alive,
    /// Held as long as the node lives: two nodes would overwrite each other's state.
    pub(super) state: File,
}

/// Why a node cannot run.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An HTTP listener.
    #[error("{0}\nhint: another process may have it, or ports below 1024 may need a privilege; see `listen.http`")]
    Http(#[from] proxy::BindError),
    /// A DNS listener.
    #[error(
        "{0}\nhint: another process may have it (a local resolver?), or ports below 1024 may need a privilege; see `listen.dns`, \
         `listen.dns_tls` and `listen.dns_https`"
    )]
    Dns(#[from] dns::BindError),
    /// The admin listener.
    #[error("{0}\nhint: another process may have it; see `listen.admin`")]
    Admin(#[from] admin::BindError),
    /// The admin token.
    #[error("{0}\nhint: see `admin.token_file` and `state.directory`")]
    Token(#[from] TokenError),
    /// The overrides of the last run.
    #[error(transparent)]
    Overrides(#[from] control::OverrideFileError),
    /// The state directory.
    #[error(
        "the state directory {0} is used by another node\nhint: give each node its own with `--state-directory` or `state.directory`"
    )]
    StateInUse(String),
    /// Certificates, keys and the like.
    #[error(transparent)]
    Tls(#[from] LoadError),
    /// Where clients are.
    #[error(transparent)]
    Atlas(#[from] AtlasError),
    /// What policies make of where clients are.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The secrets of DNS cookies.
    #[error(transparent)]
    Guard(#[from] dns::GuardError),
    /// The secrets of sticky cookies.
    #[error(transparent)]
    Sticky(#[from] balance::SecretsError),
    /// A thread or runtime could not be had.
    #[error("the node cannot start: {0}")]
    Threads(#[from] io::Error),
    /// The task that keeps the table ended before its time.
    #[error("the node stopped because its control task ended; see the log")]
    Blind,
    /// A second signal came while it drained.
    #[error("ended by a second signal while requests were in flight")]
    Interrupted,
}

impl Node {
    /// Binds every listener and reads what is kept on disk. Nothing runs yet.
    ///
    /// # Errors
    /// Names what could not be had.
    pub fn build(config: Config, source: Option<Source>) -> Result<Self, BuildError> {
        let clock = Clock::system();
        let exporter = Exporter::install();
        tls::install_provider();
        let secured = Secured::load(&config, None, &clock)?;
        let state = claim(&config.state_directory)?;
        let directory = Directory::of(&config, &Directory::default());
        // Before there are listeners of its own that would answer.
        let was_away = was_region_lost(&config, &secured.outward, &directory)?;
        let alive = Alive::in_directory(&config.state_directory);
        let alive = if was_away { alive.holding(config.failover.region_hold) } else { alive };
        let http = proxy::Server::bind(&config.listen, config.http.workers)?;
        let dns = dns::Server::bind(&config.listen.dns, &config.dns)?;
        let admin = admin::Server::bind(config.listen.admin)?;
        let token = Token::load_or_make(&config.admin.token_file)?;
        let revision = super::reload::revision(source.as_ref(), &config);
        let config = Arc::new(config);
        // Looked at before they are read: what changes meanwhile is seen afterwards.
        let seen = Places::look(&config);
        let places = Arc::new(Places::load(&config, None)?);
        let (control, commands, table) = Control::open(Start {
            config: Arc::clone(&config),
            compiled: compile(&config, &secured, &places, revision, directory.clone(), Compiled::default())?,
            build_selector: Some(Box::new(balance::build)),
            clock: clock.clone(),
            was_away,
        })?;
        Ok(Self {
            config,
            secured,
            places,
            seen,
            revision,
            source,
            clock,
            exporter,
            token,
            http,
            dns,
            admin,
            control,
            commands,
            table,
            directory,
            alive,
            state,
        })
    }
}

/// Locks the state directory for this process.
fn claim(directory: &Path) -> Result<File, BuildError> {
    fs::create_dir_all(directory)?;
    let file = File::create(directory.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BuildError::StateInUse(directory.display().to_string())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// What DNS and HTTP make of a config; it travels in the generation, so both halves change together. `before` is what was in force.
pub(super) fn compile(
    config: &Config,
    secured: &Secured,
    places: &Places,
    revision: u64,
    directory: Directory,
    before: Compiled,
) -> Result<Compiled, BuildError> {
    let flow = Arc::new(Flow::of(config, before.find::<Arc<Flow>>().map(|flow| &**flow)));
    let routing = proxy::Routing::build(config, secured.server.clone(), &secured.outward, Arc::clone(&flow));
    let encrypted = dns::Encrypted::build(config, secured.server.clone());
    let watched = health::watchlist(config, before.find::<Watchlist>());
    let others = before.with(watched).with(routing).with(flow).with(encrypted).with(directory);
    places.compile(config, revision, others)
}
