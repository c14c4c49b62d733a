//! What is probed: every origin, and every address of every front door.

use std::{net::SocketAddr, sync::Arc};

use crate::{
    config::{Check, Config},
    fleet::{Address, Subject},
};

/// One thing to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What the verdict is about.
    pub subject: Subject,
    /// The addresses that are asked. It works if one of them does: clients of a front door try its addresses in turn.
    pub addresses: Vec<Address>,
    /// How.
    pub check: Check,
}

/// Everything that a config wants probed.
pub fn targets(config: &Config) -> Vec<Target> {
    let origins = config.pools.iter().flat_map(|pool| {
        pool.origins.iter().map(|origin| Target {
            subject: Subject::Origin { pool: Arc::clone(&pool.name), address: origin.address.clone() },
            addresses: vec![
                pool.check.port.map_or_else(|| origin.address.clone(), |port| origin.address.with_port(port)),
            ],
            check: pool.check.clone(),
        })
    });
    let front_doors = config.regions.iter().map(|region| Target {
        subject: Subject::FrontDoor { region: Arc::clone(&region.name) },
        addresses: region
            .addresses
            .iter()
            .map(|ip| SocketAddr::new(*ip, region.check.port.unwrap_or(80)).into())
            .collect(),
        check: region.check.clone(),
    });
    origins.chain(front_doors).collect()
}
