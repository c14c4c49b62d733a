//! The whole config from the whole document, and how much one config may hold.

use super::{
    check::SharedChecks,
    dns, geo,
    names::Names,
    node,
    policies::{MAX_POLICIES, Policies},
    pools, regions,
    routes::{self, ByHost},
    tls, unused,
    zones::{self, Steering},
};
use crate::config::{
    Config, Diagnostics, Identity,
    diagnostic::{Code, Diagnostic},
    document::Document,
    resolved::Health,
};

/// Regions that one config may hold.
const MAX_REGIONS: usize = 1_000;
/// Pools that one config may hold.
const MAX_POOLS: usize = 20_000;
/// Origins that all pools together may hold.
const MAX_ORIGINS: usize = 200_000;
/// Routes that one config may hold.
const MAX_ROUTES: usize = 20_000;
/// Checks that one config may name.
const MAX_CHECKS: usize = 10_000;
/// Zones that one config may hold.
const MAX_ZONES: usize = 10_000;

/// The config that a document means. Only to be used where no error was reported.
pub(crate) fn resolve(document: &Document, identity: &Identity, problems: &mut Diagnostics) -> Option<Config> {
    if !is_within_limits(document, problems) {
        return None;
    }
    let (listen, dns_tls, dns_https) = node::listen(document, identity, problems);
    let region_names = Names::new("region", &document.regions);
    let pool_names = Names::new("pool", &document.pools);

    let checks = SharedChecks::look(document, problems);
    let regions = regions::resolve(document, &listen, &checks, problems);
    let pools = pools::resolve(document, &region_names, &checks, &pool_names, problems);
    let routes = routes::resolve(document, &pool_names, problems);
    let policies = Policies::named(&document.policies, &region_names, &regions, problems);
    let written = &document.routes;
    let is_complete = !written.is_stand_in && !written.is_broken && routes.len() == written.items.len();
    let by_host = ByHost::new(&routes, is_complete);
    let has_https = !listen.https.is_empty();
    let mut steering = Steering::new(&region_names, &pool_names, by_host, policies, &regions, has_https);
    let zones = zones::resolve(document, &mut steering, problems);
    let policies = steering.policies.finish(&document.policies, problems);
    let tls = tls::tls(document, has_https, problems);
    // What is unused is certain only where every reference leads somewhere.
    if !problems.has_errors() {
        unused::warn(document, &pools, &routes, &zones, problems);
        checks.report_unused(problems);
    }
    let geo = geo::resolve(document, problems);
    let node = node::node(document, identity, &region_names, problems)?;
    let resolver = node::resolver(document, problems);
    let state_directory = node::state_directory(document, identity);
    Some(Config {
        node,
        listen,
        http: node::http(document),
        tls,
        dns: dns::resolve(document, dns_tls, dns_https),
        geo,
        health: Health {
            max_in_flight: document.health.max_in_flight.value as usize,
            max_commands: document.health.max_commands.value as usize,
        },
        failover: node::failover(document),
        resolver,
        admin: node::admin(document, &state_directory),
        state_directory,
        regions,
        pools,
        routes,
        policies,
        zones,
    })
}

fn is_within_limits(document: &Document, problems: &mut Diagnostics) -> bool {
    let origins =
        document.pools.iter().filter_map(|pool| pool.value.origins.as_ref()).map(|origins| origins.items.len()).sum();
    let mut is_within = true;
    for (count, limit, what, place) in [
        (document.regions.len(), MAX_REGIONS, "regions", document.regions.last().and_then(|last| last.place)),
        (document.pools.len(), MAX_POOLS, "pools", document.pools.last().and_then(|last| last.place)),
        (origins, MAX_ORIGINS, "origins", None),
        (document.routes.items.len(), MAX_ROUTES, "routes", document.routes.items.last().and_then(|last| last.place)),
        (document.policies.len(), MAX_POLICIES, "policies", document.policies.last().and_then(|last| last.place)),
        (document.checks.len(), MAX_CHECKS, "checks", document.checks.last().and_then(|last| last.place)),
        (document.zones.len(), MAX_ZONES, "zones", document.zones.last().and_then(|last| last.place)),
    ] {
        if count > limit {
            let message = format!("there are {count} {what}, and one config holds at most {limit}");
            problems.push(Diagnostic::error(Code::TooMany, message).at(place, "the last of them"));
            is_within = false;
        }
    }
    is_within
}
