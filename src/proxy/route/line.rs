//! How connections are made: to a pool's origins, or to the front door of a region that has some.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    sync::Arc,
};

use crate::{
    config::{self, Config, Protocol, Region},
    fleet::Address,
    proxy::observe::PoolMetrics,
    tls::{OriginTls, Outward},
};

/// One way of making them.
#[derive(Debug)]
pub(in crate::proxy) struct Line {
    pub(in crate::proxy) settings: Arc<config::Pool>,
    /// Nothing where they are made in the clear.
    pub(in crate::proxy) tls: Option<OriginTls>,
    /// Equal for connections that are made alike, and not for others: only those may stand in for each other. It is the same after a reload that
    /// did not change it, so that connections stay.
    pub(in crate::proxy) manner: u64,
    pub(in crate::proxy) metrics: Arc<PoolMetrics>,
}

/// A region's front door, as requests for one pool go there.
#[derive(Debug)]
pub(in crate::proxy) struct Door {
    addresses: Box<[Address]>,
    pub(in crate::proxy) line: Line,
    /// Counts by its references who passes through.
    passing: Passing,
}

/// A request under way through a front door, as long as it is held.
#[derive(Clone, Debug, Default)]
pub(in crate::proxy) struct Passing(Arc<()>);

impl Line {
    pub(super) fn to_origins(pool: &Arc<config::Pool>, tls: Option<OriginTls>) -> Self {
        let metrics = Arc::new(PoolMetrics::new(&pool.name));
        Self { settings: Arc::clone(pool), tls, manner: manner(pool.protocol, pool.tls.as_ref()), metrics }
    }

    /// `http` or `https`.
    pub(in crate::proxy) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

impl Door {
    /// All of them, by region, for a pool whose origins in other regions are reached so; none for others.
    pub(super) fn all(config: &Config, pool: &Line, outward: &Outward) -> Box<[Self]> {
        if pool.settings.via == config::Via::Direct {
            return Box::default();
        }
        config.regions.iter().zip(&outward.doors).map(|(region, doors)| Self::new(region, doors, pool)).collect()
    }

    fn new(region: &Region, [h1, h2]: &[Option<OriginTls>; 2], pool: &Line) -> Self {
        let at = |ip: &std::net::IpAddr| Address::Fixed(SocketAddr::new(*ip, region.front_door.port));
        let protocol = pool.settings.protocol;
        let line = Line {
            settings: Arc::clone(&pool.settings),
            tls: if protocol == Protocol::H1 { h1 } else { h2 }.clone(),
            manner: manner(protocol, region.front_door.tls.as_ref()),
            metrics: Arc::clone(&pool.metrics),
        };
        Self { addresses: region.addresses.iter().map(at).collect(), line, passing: Passing::default() }
    }

    /// Counts a request: it is no load of any origin that is known here, but it is under way.
    pub(in crate::proxy) fn pass(&self) -> Passing {
        self.passing.clone()
    }

    /// Requests under way through it.
    pub(in crate::proxy) fn under_way(&self) -> u64 {
        // One is the door's own.
        Arc::strong_count(&self.passing.0) as u64 - 1
    }

    /// Where it is. Another try asks at another address, where there are several.
    pub(in crate::proxy) fn address(&self, tries_before: usize) -> Option<&Address> {
        self.addresses.get(tries_before % self.addresses.len().max(1))
    }
}

fn manner(protocol: Protocol, tls: Option<&config::OriginTls>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (protocol, tls).hash(&mut hasher);
    hasher.finish()
}
