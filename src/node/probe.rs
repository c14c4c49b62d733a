//! Asking origins and front doors once, from here and now, without a node: what a person needs when a check is red.

use std::{fmt, sync::Arc};

use super::BuildError;
pub use crate::health::{Asked, Brought, Outcome};
use crate::{
    config::Config,
    fleet::Subject,
    health::{Target, ask_once, targets},
    resolver::{Directory, Resolver},
    tls::Outward,
};

/// Why nobody was asked.
#[derive(Debug)]
pub enum ProbeError {
    /// No pool and no region is called so.
    NoSuchName(String),
    /// What the config names cannot be used.
    Build(BuildError),
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchName(name) => write!(f, "there is no pool and no region `{}`", name.escape_debug()),
            Self::Build(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProbeError {}

/// Asks the origins of a pool, or the front door of a region, by their checks; all of them where none is named. Those that nobody checks
/// are not among the outcomes.
///
/// # Errors
/// When there is no such name, or files that the config names cannot be used.
pub fn probe(config: &Config, name: Option<&str>) -> Result<Vec<Outcome>, ProbeError> {
    let is_named = |other: &Arc<str>| name.is_none_or(|name| name == &**other);
    let names = config.pools.iter().map(|pool| &pool.name).chain(config.regions.iter().map(|region| &region.name));
    if let Some(name) = name.filter(|_| !names.into_iter().any(is_named)) {
        return Err(ProbeError::NoSuchName(name.to_owned()));
    }
    let is_wanted = |target: &Target| match &target.subject {
        Subject::Origin { pool, .. } => is_named(pool),
        Subject::FrontDoor { region } => is_named(region),
    };
    let wanted: Vec<_> = targets(config).into_iter().filter(is_wanted).collect();
    let secured = Outward::load(config).map_err(|error| ProbeError::Build(error.into()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ProbeError::Build(error.into()))?;
    Ok(runtime.block_on(async {
        let directory = Directory::of(config, &Directory::default());
        let mut resolver = Resolver::default();
        resolver.follow(&directory, &config.resolver);
        let outcomes = ask_once(&wanted, &config.health, &directory, &secured).await;
        resolver.stop().await;
        outcomes
    }))
}
