//! Taking a changed config: whole, or not at all.

use std::{
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    BuildError, Source,
    build::compile,
    places::{Places, Seen},
    secured::Secured,
};
use crate::{
    clock::{self, Clock},
    config::{self, Change, Config, Identity, Loaded},
    control,
    health::{self, Ejector, Prober},
    resolver::{Directory, Resolver},
    table::Table,
};

/// What a reload needs and changes.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) source: Option<Source>,
    pub(super) config: Arc<Config>,
    pub(super) secured: Arc<Secured>,
    pub(super) places: Arc<Places>,
    pub(super) seen: Vec<Seen>,
    pub(super) clock: Clock,
    pub(super) revision: u64,
    pub(super) commands: control::Handle,
    pub(super) table: Table,
    pub(super) directory: Directory,
    pub(super) resolver: Resolver,
    pub(super) prober: Prober,
    pub(super) ejector: Ejector,
}

impl Reloader {
    /// Looks up and probes what the config names, and says which config that is.
    pub(super) fn watch(&mut self) {
        self.resolver.follow(&self.directory, &self.config.resolver);
        self.prober.set_targets(
            &health::targets(&self.config),
            &self.config.health,
            &self.directory,
            &self.secured.outward,
        );
        self.ejector.follow(&self.config);
        metrics::gauge!("meridian_config_revision").set(precise(self.revision));
    }

    /// Reads the config again. A bad one changes nothing and says so.
    pub(super) async fn reload(&mut self) {
        let outcome = self.try_reload().await;
        metrics::counter!("meridian_reloads_total", "result" => outcome).increment(1);
    }

    /// Looks whether the files changed that say where clients are, and if so draws new charts. One that is no good changes nothing.
    pub(super) async fn look_at_places(&mut self) {
        let seen = Places::look(&self.config);
        if seen == self.seen {
            return;
        }
        // What is no good is not tried again before it changes again.
        self.seen = seen;
        let (config, known) = (Arc::clone(&self.config), Arc::clone(&self.places));
        let (running, revision) = (self.table.load(), self.revision);
        let drawing = tokio::task::spawn_blocking(move || {
            let places = Places::load(&config, Some(&known))?;
            let compiled = places.compile(&config, revision, running.parts())?;
            Ok::<_, BuildError>((places, compiled))
        });
        let result = match drawing.await {
            Ok(Ok((places, compiled))) => {
                self.places = Arc::new(places);
                self.commands.apply(Arc::clone(&self.config), compiled).await.map_err(|error| error.to_string())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let outcome = match result {
            Ok(_) => {
                tracing::info!("what says where clients are has changed, and is in force");
                "applied"
            }
            Err(error) => {
                tracing::error!(%error, "what says where clients are has changed, and cannot be used: nothing was changed");
                "refused"
            }
        };
        metrics::counter!("meridian_places_reloads_total", "result" => outcome).increment(1);
    }

    async fn try_reload(&mut self) -> &'static str {
        let Some(source) = self.source.clone() else {
            tracing::warn!("there is no file to read the config from again");
            return "refused";
        };
        let began = clock::unix_time();
        let before = Arc::clone(&self.config);
        let from = source.clone();
        let loading = tokio::task::spawn_blocking(move || load(&from, &before));
        let Ok((loaded, changes)) = loading.await else {
            tracing::error!("reading the config failed: nothing was changed");
            return "refused";
        };
        let mistakes = loaded.diagnostics.render_text(false);
        let Some(config) = loaded.config else {
            tracing::error!(%mistakes, "the new config has mistakes: nothing was changed");
            return "refused";
        };
        if !mistakes.is_empty() {
            tracing::warn!(%mistakes, "the new config has warnings");
        }
        let revision = revision(Some(&source), &config).max(self.revision + 1);
        let config = Arc::new(config);
        let (new, before, clock) = (Arc::clone(&config), Arc::clone(&self.secured), self.clock.clone());
        let directory = Directory::of(&config, &self.directory);
        let names = directory.clone();
        let (running, known) = (self.table.load(), Arc::clone(&self.places));
        // A large fleet takes a while to compile; probes go on meanwhile.
        let compiling = tokio::task::spawn_blocking(move || {
            let secured = Secured::load(&new, Some(&before), &clock)?;
            let seen = Places::look(&new);
            let places = Arc::new(Places::load(&new, Some(&known))?);
            let compiled = compile(&new, &secured, &places, revision, names, running.parts())?;
            Ok::<_, BuildError>((compiled, secured, (places, seen)))
        });
        let (compiled, secured, (places, seen)) = match compiling.await {
            Ok(Ok(compiled)) => compiled,
            Ok(Err(error)) => {
                tracing::error!(%error, "what the new config names cannot be used: nothing was changed");
                return "refused";
            }
            Err(error) => {
                tracing::error!(%error, "compiling the config failed: nothing was changed");
                return "refused";
            }
        };
        if let Err(error) = self.commands.apply(Arc::clone(&config), compiled).await {
            tracing::error!(%error, "the new config could not be applied: nothing was changed");
            return "refused";
        }
        (self.config, self.secured) = (config, secured);
        (self.places, self.seen) = (places, seen);
        (self.revision, self.directory) = (revision, directory);
        self.watch();
        for change in &changes {
            tracing::info!(%change, "changed");
        }
        let took = clock::unix_time().saturating_sub(began);
        tracing::info!(revision, changes = changes.len(), ?took, "the new config is in force");
        "applied"
    }
}

/// The config to put in force, and what changed in the files. What needs a restart stays as it runs: a front door is still probed where
/// this node listens, and it stays in its region.
fn load(source: &Source, running: &Config) -> (Loaded, Vec<Change>) {
    let loaded = config::load(&source.path, &source.identity);
    let Some(config) = &loaded.config else { return (loaded, Vec::new()) };
    let changes = config::changes(running, config);
    let region = |config: &Config| Arc::clone(&config.regions[config.node.region.index()].name);
    if (&config.listen.http, &config.listen.https) == (&running.listen.http, &running.listen.https)
        && region(config) == region(running)
    {
        return (loaded, changes);
    }
    let pinned = Identity {
        http: running.listen.http.clone(),
        https: running.listen.https.clone(),
        region: Some(region(running).to_string()),
        ..source.identity.clone()
    };
    (config::load(&source.path, &pinned), changes)
}

/// When the config last changed, in seconds of calendar time: the same on all nodes that got the same files with their times.
pub(super) fn revision(source: Option<&Source>, config: &Config) -> u64 {
    let newest = source.and_then(|source| newest_change(&source.path, config));
    newest.unwrap_or_else(|| clock::unix_time().as_secs())
}

fn newest_change(path: &Path, config: &Config) -> Option<u64> {
    let changed = |path: &Path| {
        let time: SystemTime = path.metadata().ok()?.modified().ok()?;
        Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
    };
    let files = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let configs = files.filter(|file| file.extension().is_some_and(|extension| extension == "toml"));
    let zones = config.zones.iter().flat_map(|zone| &zone.files).filter_map(|file| changed(file));
    configs.filter_map(|file| changed(&file)).chain(changed(path)).chain(zones).max()
}

#[allow(clippy::cast_precision_loss, reason = "seconds of calendar time are far below 2^52")]
fn precise(revision: u64) -> f64 {
    revision as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_restart_stays_as_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let source = Source { path: folder.path().join("meridian.toml"), identity: Identity::default() };
        let write = |port: u16, region: &str| {
            let text = format!(
                "node.region = \"{region}\"\n[listen]\nhttp = [\"127.0.0.1:{port}\"]\n\
                 [regions.eu]\naddresses = [\"192.0.2.1\"]\n[regions.us]\naddresses = [\"192.0.2.2\"]\n"
            );
            std::fs::write(&source.path, text).unwrap();
        };
        write(8080, "eu");
        let running = config::load(&source.path, &source.identity).config.unwrap();
        write(9090, "us");
        let (loaded, changes) = load(&source, &running);
        let config = loaded.config.unwrap();
        assert_eq!(
            config.regions[0].check.only().unwrap().port,
            Some(8080),
            "the front door is probed where this node listens"
        );
        assert_eq!((config.node.region, &config.listen.http), (running.node.region, &running.listen.http));
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        for key in ["listen.http", "node.region"] {
            assert!(changes.iter().any(|change| change.contains(key) && change.contains("restart")), "{changes:?}");
        }
    }
}
