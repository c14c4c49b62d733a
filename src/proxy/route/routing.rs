//! Everything HTTP compiled from one config; it lives in the table's generation, so routes and pools always agree.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use super::{
    Asked,
    action::{Action, Redirect},
    edits::Edits,
    hosts::Hosts,
    segments::Path,
    template::Fixed,
};
use crate::{
    config::{self, Config},
    fleet::{PoolId, RegionId},
    govern::RetryBudget,
    policy::Spare,
    proxy::{
        Refusal,
        observe::{PoolMetrics, RouteMetrics},
    },
    tls::{OriginTls, ServerTls},
};

/// Routes, what their pools need, and the settings of the proxy.
#[derive(Debug)]
pub struct Routing {
    hosts: Hosts,
    routes: Box<[RoutePlan]>,
    pools: Box<[PoolPlan]>,
    /// Counts what no route claims.
    pub(in crate::proxy) unrouted: RouteMetrics,
    /// The region this node stands in.
    pub(in crate::proxy) home: RegionId,
    /// What was sent to each region.
    pub(in crate::proxy) spare: Spare,
    /// Limits and timeouts of client connections.
    pub(in crate::proxy) settings: Arc<config::Http>,
    pub(in crate::proxy) tls: ClientTls,
    /// Where clients are sent that ask in the clear.
    pub(in crate::proxy) https_redirect: Option<Redirect>,
}

/// How TLS is spoken with clients.
#[derive(Debug)]
pub(in crate::proxy) struct ClientTls {
    /// Nothing where nobody listens for it.
    pub(in crate::proxy) server: Option<ServerTls>,
    pub(in crate::proxy) handshake_timeout: Duration,
}

/// One route, ready for use.
#[derive(Debug)]
pub(in crate::proxy) struct RoutePlan {
    pub(in crate::proxy) action: Action,
    /// What is changed in the headers of answers.
    pub(in crate::proxy) response_headers: Edits,
    pub(in crate::proxy) metrics: RouteMetrics,
}

/// One pool, ready for use.
#[derive(Debug)]
pub(in crate::proxy) struct PoolPlan {
    pub(in crate::proxy) settings: Arc<config::Pool>,
    /// How its origins are spoken to where not in the clear.
    pub(in crate::proxy) tls: Option<OriginTls>,
    /// Equal for pools whose connections are made alike, and not for others: only those may share them.
    pub(in crate::proxy) manner: u64,
    /// The regions with origins of this pool: home first, then the others, nearest first.
    pub(in crate::proxy) regions: Box<[RegionId]>,
    pub(in crate::proxy) budget: Arc<RetryBudget>,
    pub(in crate::proxy) metrics: Arc<PoolMetrics>,
}

impl PoolPlan {
    /// `http` or `https`: how its origins are asked.
    pub(in crate::proxy) fn scheme(&self) -> &'static str {
        if self.settings.tls.is_some() { "https" } else { "http" }
    }
}

impl Routing {
    /// Compiles a config. `origins` are by pool.
    pub fn build(config: &Config, server: Option<ServerTls>, origins: Vec<Option<OriginTls>>) -> Self {
        let home = config.node.region;
        let neighbours = config.regions.get(home.index()).map(|region| &region.neighbours[..]).unwrap_or_default();
        let plan = |(pool, tls): (&Arc<config::Pool>, Option<OriginTls>)| PoolPlan {
            settings: Arc::clone(pool),
            tls,
            manner: manner(pool),
            regions: std::iter::once(home)
                .chain(neighbours.iter().copied())
                .filter(|region| pool.origins.iter().any(|origin| origin.region == *region))
                .collect(),
            budget: RetryBudget::new(&pool.retry),
            metrics: Arc::new(PoolMetrics::new(&pool.name)),
        };
        let region = config.regions.get(home.index()).map(|region| &*region.name).unwrap_or_default();
        let route = |route: &config::Route| {
            let fixed = Fixed { route: &route.name, region, node: &config.node.name };
            let pool = route.pool().map_or("none", |pool| &config.pools[pool.index()].name);
            RoutePlan {
                action: Action::new(route, config, fixed),
                response_headers: Edits::new(&route.response_headers, fixed),
                metrics: RouteMetrics::new(&route.name, pool),
            }
        };
        Self {
            hosts: Hosts::new(&config.routes),
            routes: config.routes.iter().map(route).collect(),
            pools: config.pools.iter().zip(origins).map(plan).collect(),
            unrouted: RouteMetrics::new("none", "none"),
            home,
            spare: Spare::new(config.regions.len()),
            settings: Arc::new(config.http.clone()),
            tls: ClientTls { server, handshake_timeout: config.tls.handshake_timeout },
            https_redirect: config.http.https_redirect.as_ref().map(Redirect::plain),
        }
    }

    /// The position of the route that takes a request.
    pub fn find(&self, asked: &Asked<'_>) -> Result<usize, Refusal> {
        let path = Path::read(asked.path).ok_or(Refusal::AmbiguousPath)?;
        self.hosts.find(path, asked).ok_or(Refusal::NoRoute)
    }

    pub(in crate::proxy) fn route(&self, position: usize) -> &RoutePlan {
        &self.routes[position]
    }

    pub(in crate::proxy) fn pool(&self, id: PoolId) -> &PoolPlan {
        &self.pools[id.index()]
    }
}

/// How connections to a pool's origins are made, as a number. It is the same after a reload that did not change it, so that connections stay.
fn manner(pool: &config::Pool) -> u64 {
    let mut hasher = DefaultHasher::new();
    (pool.protocol, &pool.tls).hash(&mut hasher);
    hasher.finish()
}
