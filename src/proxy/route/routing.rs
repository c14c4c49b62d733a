//! Everything HTTP compiled from one config; it lives in the table's generation, so routes and pools always agree.

use std::{sync::Arc, time::Duration};

use super::{
    Asked,
    action::{Action, Redirect},
    edits::Edits,
    fences::Fences,
    hosts::Hosts,
    line::{Door, Line},
    segments::Path,
    template::Fixed,
};
use crate::{
    config::{self, Config},
    fleet::{PoolId, RegionId},
    govern::RetryBudget,
    policy::Flow,
    proxy::{Refusal, looped::Mark, observe::RouteMetrics},
    tls::{OriginTls, Outward, ServerTls},
};

/// Routes, what their pools need, and the settings of the proxy.
#[derive(Debug)]
pub struct Routing {
    hosts: Hosts,
    routes: Box<[RoutePlan]>,
    pools: Box<[PoolPlan]>,
    pub(in crate::proxy) fences: Fences,
    /// Counts what no route claims.
    pub(in crate::proxy) unrouted: RouteMetrics,
    /// The region this node stands in.
    pub(in crate::proxy) home: RegionId,
    /// How requests say that they came through here.
    pub(in crate::proxy) mark: Mark,
    /// What comes, and what goes to each region.
    pub(in crate::proxy) flow: Arc<Flow>,
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
    /// To its origins.
    pub(in crate::proxy) line: Line,
    /// By region, where origins of other regions are reached by its front door; else empty.
    pub(in crate::proxy) doors: Box<[Door]>,
    /// The regions with origins of this pool: home first, then the others, nearest first.
    pub(in crate::proxy) regions: Box<[RegionId]>,
    pub(in crate::proxy) budget: Arc<RetryBudget>,
}

impl Routing {
    /// Compiles a config, with what was read for TLS on both sides and what is seen of requests.
    pub fn build(config: &Config, server: Option<ServerTls>, outward: &Outward, flow: Arc<Flow>) -> Self {
        let home = config.node.region;
        let neighbours = config.regions.get(home.index()).map(|region| &region.neighbours[..]).unwrap_or_default();
        let plan = |(pool, tls): (&Arc<config::Pool>, &Option<OriginTls>)| {
            let line = Line::to_origins(pool, tls.clone());
            PoolPlan {
                doors: Door::all(config, &line, outward),
                line,
                regions: std::iter::once(home)
                    .chain(neighbours.iter().copied())
                    .filter(|region| pool.origins.iter().any(|origin| origin.region == *region))
                    .collect(),
                budget: RetryBudget::new(&pool.retry),
            }
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
            pools: config.pools.iter().zip(&outward.origins).map(plan).collect(),
            fences: Fences::new(config),
            unrouted: RouteMetrics::new("none", "none"),
            home,
            mark: Mark::new(region),
            flow,
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
