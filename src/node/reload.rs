//! Taking a changed config: whole, or not at all.

use std::{
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{Source, build::compile};
use crate::{
    clock,
    config::{self, Config},
    control,
    health::{self, Prober},
};

/// What a reload needs and changes.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) source: Option<Source>,
    pub(super) config: Arc<Config>,
    pub(super) revision: u64,
    pub(super) commands: control::Handle,
    pub(super) prober: Prober,
}

impl Reloader {
    /// Probes what the config names, and says which config that is.
    pub(super) fn watch(&mut self) {
        self.prober.set_targets(health::targets(&self.config), self.config.health.max_in_flight);
        metrics::gauge!("meridian_config_revision").set(precise(self.revision));
    }

    /// Reads the config again. A bad one changes nothing and says so.
    pub(super) async fn reload(&mut self) {
        let outcome = self.try_reload().await;
        metrics::counter!("meridian_reloads_total", "result" => outcome).increment(1);
    }

    async fn try_reload(&mut self) -> &'static str {
        let Some(source) = self.source.clone() else {
            tracing::warn!("there is no file to read the config from again");
            return "refused";
        };
        let began = clock::unix_time();
        let revision = revision(Some(&source)).max(self.revision + 1);
        let loading = tokio::task::spawn_blocking(move || config::load(&source.path, &source.identity));
        let Ok(loaded) = loading.await else {
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
        let (before, config) = (Arc::clone(&self.config), Arc::new(config));
        let new = Arc::clone(&config);
        // A large fleet takes a while to compare and compile; probes go on meanwhile.
        let compiling = tokio::task::spawn_blocking(move || (config::changes(&before, &new), compile(&new, revision)));
        let Ok((changes, compiled)) = compiling.await else {
            tracing::error!("compiling the config failed: nothing was changed");
            return "refused";
        };
        if let Err(error) = self.commands.apply(Arc::clone(&config), compiled).await {
            tracing::error!(%error, "the new config could not be applied: nothing was changed");
            return "refused";
        }
        (self.config, self.revision) = (config, revision);
        self.watch();
        for change in &changes {
            tracing::info!(%change, "changed");
        }
        let took = clock::unix_time().saturating_sub(began);
        tracing::info!(revision, changes = changes.len(), ?took, "the new config is in force");
        "applied"
    }
}

/// When the config last changed, in seconds of calendar time: the same on all nodes that got the same files with their times.
pub(super) fn revision(source: Option<&Source>) -> u64 {
    let newest = source.and_then(|source| newest_change(&source.path));
    newest.unwrap_or_else(|| clock::unix_time().as_secs())
}

fn newest_change(path: &Path) -> Option<u64> {
    let changed = |path: &Path| {
        let time: SystemTime = path.metadata().ok()?.modified().ok()?;
        Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
    };
    let files = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let configs = files.filter(|file| file.extension().is_some_and(|extension| extension == "toml"));
    configs.filter_map(|file| changed(&file)).chain(changed(path)).max()
}

#[allow(clippy::cast_precision_loss, reason = "seconds of calendar time are far below 2^52")]
fn precise(revision: u64) -> f64 {
    revision as f64
}
