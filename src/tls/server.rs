//! The clients' side: what a `ClientHello` leads to.

use std::{fmt, io, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{ServerConfig, server::ProducesTickets};

use super::{
    demands::DemandTable,
    expiry::{ExpiryGauge, ExpiryGauges},
    loader::{Loader, Loading},
    names,
    problem::LoadError,
    rounds::Rounds,
    state::{Files, State},
    store::{Look, Store},
    tickets::TicketKeys,
};
use crate::{
    clock::{self, Clock},
    config::{Code, Diagnostic, Tls, UnknownHost},
};

/// Everything that `https` listeners need of one config; clones are the same one. Two threads of its own read and watch files; the
/// last clone to go tells them to stop, and does not wait for the file they are at: it may go on a worker.
#[derive(Clone)]
pub struct ServerTls(Arc<Shared>);

struct Shared {
    core: Arc<Core>,
    /// Where there is a directory to read from.
    loader: Option<Loader>,
    _watching: Rounds,
}

/// The record that tells a client that its host is unknown, to be sent in place of a `ServerHello`, before the connection is closed:
/// a fatal alert, 112 (RFC 6066, 3). rustls has no way to send it.
pub const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// What a `ClientHello` leads to.
#[derive(Debug)]
pub enum Found {
    /// Go on with this.
    Ready(Arc<ServerConfig>),
    /// A file has to be read first.
    Load(Loading),
    /// Nothing: the client gets [`UNRECOGNIZED_NAME`].
    Unknown,
}

impl ServerTls {
    /// Reads every file that the settings name, and begins to watch them. Blocks, so it is not for a worker.
    ///
    /// What `previous` has in memory goes on where the settings for it are the same: certificates from the directory, and keys of
    /// tickets that were made here. Both may be used at the same time.
    ///
    /// # Errors
    /// Everything that is wrong with the files. An expired certificate is not wrong; the log has a warning.
    pub fn load(settings: &Tls, offers_h2: bool, previous: Option<&Self>, clock: &Clock) -> Result<Self, LoadError> {
        let previous = previous.map(|tls| &*tls.0.core);
        let files = Files::open(settings);
        let store = settings.directory.as_deref().map(|directory| {
            let before = previous.and_then(|core| core.store.clone());
            match before.filter(|store| store.is_for(directory, settings.max_loaded)) {
                Some(store) => Ok(store),
                None => Store::open(directory, settings.max_loaded).map(Arc::new),
            }
        });
        let (files, store) = match (files, store.transpose()) {
            (Ok(files), Ok(store)) => (files, store),
            (files, store) => {
                return Err(LoadError(files.err().unwrap_or_default().into_iter().chain(store.err()).collect()));
            }
        };
        for warning in files.expired(clock::unix_time()) {
            tracing::warn!("{}", warning.message);
        }
        let (tickets, are_made) = match (&files.tickets, previous) {
            (Some(read), _) => (Arc::new(TicketKeys::given(read.value().to_vec(), clock)), false),
            (None, Some(core)) if core.are_tickets_made => (Arc::clone(&core.tickets), true),
            (None, _) => (Arc::new(TicketKeys::made(clock)), true),
        };
        let gauges =
            files.labels().map(|file| (Arc::clone(file), ExpiryGauge::of(file, previous.map(|core| &core.gauges))));
        let core = Core {
            gauges: gauges.collect(),
            demands: DemandTable::new(settings, previous.map(|core| &core.demands)),
            state: ArcSwap::from_pointee(State::default()),
            store,
            tickets,
            are_tickets_made: are_made,
            is_first_for_unknown: settings.unknown_host == UnknownHost::First,
            offers_h2,
        };
        core.take_over(&files).map_err(|why| failed(&why))?;
        Self::start(Arc::new(core), files, settings).map_err(|error| failed(&error.to_string()))
    }

    fn start(core: Arc<Core>, mut files: Files, settings: &Tls) -> io::Result<Self> {
        files.tell(&core.gauges);
        let loader = core.store.is_some().then(|| Loader::start(Arc::clone(&core))).transpose()?;
        let watched = Arc::clone(&core);
        let watching = Rounds::start("tls-watch", settings.watch_interval, move |owner| {
            watched.renew(&mut files);
            if let Some(store) = &watched.store {
                store.renew(owner);
            }
        })?;
        Ok(Self(Arc::new(Shared { core, loader, _watching: watching })))
    }

    /// What a `ClientHello` that names this host leads to. Touches no disk and waits for nothing.
    pub fn find(&self, server_name: Option<&str>) -> Found {
        // What cannot be a host has no certificate either.
        let host = server_name.and_then(names::host).unwrap_or_default();
        match (self.0.core.look(&host), &self.0.loader) {
            (Step::Ready(config), _) => Found::Ready(config),
            (Step::Read(_), Some(loader)) => Found::Load(Loading::begin(loader, &host, self.clone())),
            (Step::Read(_), None) | (Step::Unknown, _) => Found::Unknown,
        }
    }

    /// The same for listeners that are known by their address: who names no host gets the first of `certificates`.
    pub fn find_or_first(&self, server_name: Option<&str>) -> Found {
        match self.find(server_name) {
            Found::Unknown if server_name.is_none() => self.0.core.first().map_or(Found::Unknown, Found::Ready),
            found => found,
        }
    }

    /// A number that is equal for two hosts exactly where the same demands on clients apply: client certificates, the file of
    /// their authorities, the oldest version. A request for a host whose number is not that of the host that the connection was made for is misdirected
    /// (421). Numbers mean the same in every [`ServerTls`] that descends from the same first one by `previous`. `host` comes without a
    /// port; one that is none gets the number that hosts have without an entry of their own, as does a connection that named no host.
    pub fn demands_of(&self, host: &str) -> u32 {
        let demands = &self.0.core.demands;
        // Asked for every request, and mostly needless.
        if demands.is_uniform() {
            return demands.of("");
        }
        // What is no host still stands below those it is written below.
        match names::host(host) {
            Some(host) => demands.of(&host),
            None => demands.of(&host.to_ascii_lowercase()),
        }
    }
}

#[cfg(test)]
impl ServerTls {
    /// Hosts of the directory that are in memory.
    pub(super) fn loaded(&self) -> usize {
        self.0.core.store.as_ref().map_or(0, |store| store.loaded())
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("demands", &self.0.core.demands).finish_non_exhaustive()
    }
}

fn failed(why: &str) -> LoadError {
    LoadError(vec![Diagnostic::error(Code::BadCertificate, format!("TLS cannot be set up: {why}"))])
}

/// What workers and the threads share.
pub(super) struct Core {
    demands: DemandTable,
    state: ArcSwap<State>,
    store: Option<Arc<Store>>,
    tickets: Arc<TicketKeys>,
    /// Whether their keys come from no file.
    are_tickets_made: bool,
    is_first_for_unknown: bool,
    gauges: ExpiryGauges,
    offers_h2: bool,
}

enum Step {
    Ready(Arc<ServerConfig>),
    /// The file of this key has to be read.
    Read(Box<str>),
    Unknown,
}

impl Core {
    /// The more specific name wins, and of the same name what the config lists.
    fn look(&self, host: &str) -> Step {
        let state = self.state.load();
        let ready = |keys| state.config(self.demands.of(host), keys).map_or(Step::Unknown, Step::Ready);
        for key in names::keys(host) {
            if let Some(keys) = state.hosts.get(key) {
                return ready(Arc::clone(keys));
            }
            match self.store.as_ref().map_or(Look::Nothing, |store| store.look(key)) {
                Look::Ready(keys) => return ready(keys),
                Look::NotRead => return Step::Read(key.into()),
                Look::Nothing => {}
            }
        }
        match &state.first {
            Some(first) if self.is_first_for_unknown => ready(Arc::clone(first)),
            _ => Step::Unknown,
        }
    }

    fn first(&self) -> Option<Arc<ServerConfig>> {
        let state = self.state.load();
        state.config(self.demands.of(""), Arc::clone(state.first.as_ref()?))
    }

    /// As [`Self::look`], with what has to be read. Blocks.
    pub(super) fn fetch(&self, host: &str) -> Option<Arc<ServerConfig>> {
        // Its own file and that of the wildcard; a little more where others push them out at once.
        for _ in 0..4 {
            match self.look(host) {
                Step::Ready(config) => return Some(config),
                Step::Read(key) => self.store.as_ref()?.read(&key),
                Step::Unknown => return None,
            }
        }
        None
    }

    fn take_over(&self, files: &Files) -> Result<(), String> {
        let tickets: Arc<dyn ProducesTickets> = self.tickets.clone();
        let state = State::build(files, &self.demands, &tickets, self.offers_h2)?;
        self.state.store(Arc::new(state));
        Ok(())
    }

    fn renew(&self, files: &mut Files) {
        let renewed = files.renew();
        if self.are_tickets_made {
            self.tickets.rotate();
        } else if let Some(read) = files.tickets.as_ref().filter(|_| renewed.has_new_tickets) {
            self.tickets.replace(read.value().to_vec());
        }
        if renewed.has_new {
            match self.take_over(files) {
                Ok(()) => tracing::info!("certificates or authorities changed and are in force"),
                Err(why) => tracing::warn!(%why, "new files for TLS cannot be used: the old ones stay"),
            }
            files.tell(&self.gauges);
        }
    }
}
