//! What is made of a config and of the files beside it: for DNS where clients are, how fast regions are for them, and the secrets of cookies; for HTTP
//! the secrets of sticky cookies.
//!
//! The files are looked at every few seconds. When one changed, DNS gets new zones and charts and HTTP new cookies; everything else stays as it is. A file that
//! is no good changes nothing.

use std::{fs::Metadata, path::PathBuf, sync::Arc, time::SystemTime};

use super::BuildError;
use crate::{
    balance::Stickiness,
    config::{self, Config},
    dns::{Guard, Zones},
    geo::{Atlas, Charts},
    table::Compiled,
};

/// The atlas, and the files as they were when it was drawn.
#[derive(Debug)]
pub(super) struct Places {
    atlas: Arc<Atlas>,
    settings: config::Geo,
    database: Vec<Seen>,
}

/// A file, and what told it from others then; nothing where it was not there.
pub(super) type Seen = (PathBuf, Option<(SystemTime, u64, u64)>);

impl Places {
    /// Reads what is needed; an atlas that is still true is used again.
    pub(super) fn load(config: &Config, previous: Option<&Self>) -> Result<Self, BuildError> {
        // Looked at before they are read: whatever changes meanwhile is seen the next time.
        let database = Atlas::files(&config.geo).into_iter().map(seen).collect();
        let known = previous.filter(|previous| previous.settings == config.geo && previous.database == database);
        let atlas = match known {
            Some(previous) => Arc::clone(&previous.atlas),
            None => Arc::new(Atlas::load(&config.geo)?),
        };
        Ok(Self { atlas, settings: config.geo.clone(), database })
    }

    /// All the files, as they are now.
    pub(super) fn look(config: &Config) -> Vec<Seen> {
        let secrets = config.dns.cookies.secret_file.clone();
        let sticky = config.pools.iter().filter_map(|pool| pool.balancing.sticky.as_ref()?.secret_file.clone());
        let files = Atlas::files(&config.geo).into_iter().chain(Charts::files(config)).chain(secrets).chain(sticky);
        files.map(seen).collect()
    }

    /// Everything that files have a part in, put among the other parts.
    pub(super) fn compile(&self, config: &Config, revision: u64, others: Compiled) -> Result<Compiled, BuildError> {
        // The serial has 32 bits and goes around (RFC 1982).
        let serial = u32::try_from(revision & u64::from(u32::MAX)).unwrap_or_default();
        let charts = Charts::build(config, &self.atlas)?;
        let guard = Guard::build(&config.dns, others.find().map(Zones::guard))?;
        let zones = Zones::build(config, &charts, guard.into(), serial);
        let stickiness = Stickiness::build(&config.pools, others.find())?;
        Ok(others.with(zones).with(Arc::clone(&self.atlas)).with(stickiness))
    }
}

fn seen(path: PathBuf) -> Seen {
    let told = |metadata: Metadata| Some((metadata.modified().ok()?, metadata.len(), inode(&metadata)));
    let known = path.metadata().ok().and_then(told);
    (path, known)
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}
