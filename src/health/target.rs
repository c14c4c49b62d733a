//! What is probed: every origin, and every address of every front door.

use std::{net::SocketAddr, sync::Arc};

use crate::{
    config::{Check, CheckKind, Config, Protocol},
    fleet::{Address, Subject},
    tls::OriginTls,
};

/// One thing to ask.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What the verdict is about.
    pub subject: Subject,
    /// The addresses that are asked. It works if one of them does: clients of a front door try its addresses in turn.
    pub addresses: Vec<Address>,
    /// How.
    pub check: Check,
    /// How HTTP is spoken with it.
    pub manner: Manner,
}

/// How HTTP is spoken with a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Manner {
    /// Which version.
    pub protocol: Protocol,
    /// Nothing where it is spoken in the clear.
    pub tls: Option<OriginTls>,
}

impl Manner {
    /// As most do.
    pub(super) const PLAIN: Self = Self { protocol: Protocol::H1, tls: None };
}

/// Everything that a config wants probed. `secured` says by pool how TLS is spoken with its origins.
pub fn targets(config: &Config, secured: &[Option<OriginTls>]) -> Vec<Target> {
    let origins = config.pools.iter().zip(secured).flat_map(|(pool, tls)| {
        let manner = match pool.check.kind {
            CheckKind::Http { is_plain: true, .. } => Manner::PLAIN,
            _ => Manner { protocol: pool.protocol, tls: tls.clone() },
        };
        pool.origins.iter().map(move |origin| Target {
            subject: Subject::Origin { pool: Arc::clone(&pool.name), address: origin.address.clone() },
            addresses: vec![
                pool.check.port.map_or_else(|| origin.address.clone(), |port| origin.address.with_port(port)),
            ],
            check: pool.check.clone(),
            manner: manner.clone(),
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
        manner: Manner::PLAIN,
    });
    origins.chain(front_doors).collect()
}
