//! Everything HTTP compiled from one config; it lives in the table's generation, so routes and pools always agree.

use std::sync::Arc;

use super::matcher::Matcher;
use crate::{
    config::{self, Config},
    fleet::{PoolId, RegionId},
    policy::Spare,
    proxy::observe::{PoolMetrics, RouteMetrics},
};

/// Routes, what their pools need, and the settings of the proxy.
#[derive(Debug)]
pub struct Routing {
    matcher: Matcher,
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
}

/// One route, ready for use.
#[derive(Debug)]
pub(in crate::proxy) struct RoutePlan {
    pub(in crate::proxy) pool: PoolId,
    pub(in crate::proxy) metrics: RouteMetrics,
}

/// One pool, ready for use.
#[derive(Debug)]
pub(in crate::proxy) struct PoolPlan {
    pub(in crate::proxy) settings: Arc<config::Pool>,
    /// The regions with origins of this pool: home first, then the others, nearest first.
    pub(in crate::proxy) regions: Box<[RegionId]>,
    pub(in crate::proxy) metrics: Arc<PoolMetrics>,
}

impl PoolPlan {
    /// `http` or `https`: how its origins are asked.
    pub(in crate::proxy) fn scheme(&self) -> &'static str {
        if self.settings.tls.is_some() { "https" } else { "http" }
    }
}

impl Routing {
    /// Compiles a config.
    pub fn build(config: &Config) -> Self {
        let home = config.node.region;
        let neighbours = config.regions.get(home.index()).map(|region| &region.neighbours[..]).unwrap_or_default();
        let plan = |pool: &Arc<config::Pool>| PoolPlan {
            settings: Arc::clone(pool),
            regions: std::iter::once(home)
                .chain(neighbours.iter().copied())
                .filter(|region| pool.origins.iter().any(|origin| origin.region == *region))
                .collect(),
            metrics: Arc::new(PoolMetrics::new(&pool.name)),
        };
        let route = |route: &config::Route| RoutePlan {
            pool: route.pool,
            metrics: RouteMetrics::new(&route.name, &config.pools[route.pool.index()].name),
        };
        Self {
            matcher: Matcher::new(&config.routes),
            routes: config.routes.iter().map(route).collect(),
            pools: config.pools.iter().map(plan).collect(),
            unrouted: RouteMetrics::new("none", "none"),
            home,
            spare: Spare::new(config.regions.len()),
            settings: Arc::new(config.http.clone()),
        }
    }

    /// The position of the route for a host (lower case, without port) and path.
    pub(in crate::proxy) fn find(&self, host: &str, path: &str) -> Option<usize> {
        self.matcher.find(host, path)
    }

    pub(in crate::proxy) fn route(&self, position: usize) -> &RoutePlan {
        &self.routes[position]
    }

    pub(in crate::proxy) fn pool(&self, id: PoolId) -> &PoolPlan {
        &self.pools[id.index()]
    }
}
