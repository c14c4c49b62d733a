//! Configs for geo's own tests: regions where they stand, policies, and names that use them.

use std::sync::Arc;

use crate::{
    config::{self, Config, Policy, PolicyKind, Steered},
    fleet::{Location, PolicyId, RegionId},
};

pub(super) const FRANKFURT: Location = Location { latitude: 50.1, longitude: 8.7 };
pub(super) const VIRGINIA: Location = Location { latitude: 38.9, longitude: -77.5 };
pub(super) const SINGAPORE: Location = Location { latitude: 1.3, longitude: 103.8 };

pub(super) const EU: RegionId = RegionId(0);
pub(super) const US: RegionId = RegionId(1);
pub(super) const ASIA: RegionId = RegionId(2);

/// What nobody asks here is as it is where nobody wrote it. This node stands in the first region; the names use `roots`.
pub(super) fn config(regions: &[(&str, Option<Location>)], kinds: Vec<PolicyKind>, roots: &[u16]) -> Config {
    let text = "[regions.here]\naddresses = [\"192.0.2.1\"]\n[pools.shop]\norigins = [{ address = \"127.0.0.1:1\" }]\n\
                [zones.\"shop.test\"]\nnameservers = [\"ns.example\"]\n[zones.\"shop.test\".steer.app]\npools = [\"shop\"]\n";
    let loaded = config::from_text("scene.toml", text, &config::Identity::default());
    let mut config = loaded.config.unwrap();
    let region = (*config.regions[0]).clone();
    config.regions = regions
        .iter()
        .map(|(name, location)| {
            Arc::new(config::Region { name: (*name).into(), location: *location, ..region.clone() })
        })
        .collect();
    let policy = |(at, kind)| Arc::new(Policy { name: format!("p{at}").into(), kind });
    config.policies = kinds.into_iter().enumerate().map(policy).collect();
    let mut zone = (*config.zones[0]).clone();
    let name = zone.steered.remove(0);
    zone.steered = roots.iter().map(|root| Steered { policy: PolicyId(*root), ..name.clone() }).collect();
    config.zones = vec![Arc::new(zone)];
    config
}

/// Frankfurt, Virginia, Singapore.
pub(super) fn world(kinds: Vec<PolicyKind>, roots: &[u16]) -> Config {
    config(&[("eu", Some(FRANKFURT)), ("us", Some(VIRGINIA)), ("asia", Some(SINGAPORE))], kinds, roots)
}
