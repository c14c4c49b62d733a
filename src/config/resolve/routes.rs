//! Routes, and which of them a host leads to.

use std::collections::HashMap;

use super::{names::Names, twice::duplicate};
use crate::{
    config::{
        diagnostic::{Code, Diagnostics},
        document::Document,
        resolved::{HostPattern, Route},
    },
    fleet::{DnsName, PoolId},
};

pub(super) fn resolve(document: &Document, pools: &Names<'_>, problems: &mut Diagnostics) -> Vec<Route> {
    let (mut seen, mut names) = (HashMap::new(), HashMap::new());
    let mut routes = Vec::with_capacity(document.routes.items.len());
    for route in &document.routes.items {
        let (host, path) = (&route.host.value, &route.path.value.0);
        let at = route.host.place.or(route.path.place).or(route.place);
        let is_read = !route.host.is_stand_in && !route.path.is_stand_in;
        if let Some(first) = is_read.then(|| seen.insert((host, path), at)).flatten() {
            let message = format!("two routes have host `{host}` and path `{path}`");
            let hint = "the second could never be chosen: change its host or path, or remove it".to_owned();
            problems.push(duplicate(Code::DuplicateRoute, message, at, first).hint(hint));
        }
        let Some(pool) = &route.pool else { continue };
        let Some(position) = pools.find(pool, pool.place, problems) else { continue };
        let name = route.name.as_ref().map_or_else(|| format!("{host}{path}"), |name| name.0.clone());
        let name_at = route.name.as_ref().and_then(|name| name.place).or(at);
        if let Some(first) = names.insert(name.clone(), name_at).filter(|_| route.name.as_ref().is_some()) {
            let hint = "they would be one in logs and metrics: rename one of them".to_owned();
            let message = format!("two routes are called `{name}`");
            problems.push(duplicate(Code::DuplicateName, message, name_at, first).hint(hint));
        }
        let (host, path) = (host.clone(), path.as_str().into());
        routes.push(Route { name: name.into(), host, path, pool: pool_id(position) });
    }
    routes
}

/// An id from a position. There are at most 20,000 pools, so the cast loses nothing.
pub(super) fn pool_id(position: usize) -> PoolId {
    PoolId(u32::try_from(position).unwrap_or(u32::MAX))
}

/// Routes by host.
pub(super) struct ByHost<'a> {
    routes: HashMap<&'a HostPattern, Vec<&'a Route>>,
    /// Whether no route was left out because of a mistake in it.
    pub(super) is_complete: bool,
}

impl<'a> ByHost<'a> {
    pub(super) fn new(routes: &'a [Route], is_complete: bool) -> Self {
        let mut by_host: HashMap<_, Vec<_>> = HashMap::new();
        for route in routes {
            by_host.entry(&route.host).or_default().push(route);
        }
        Self { routes: by_host, is_complete }
    }

    /// The pools that requests for a host are sent to: those of the most specific pattern that fits, and of less
    /// specific ones as long as none has taken every path.
    pub(super) fn pools_of(&self, host: &DnsName) -> Vec<PoolId> {
        let mut pools = Vec::new();
        for pattern in patterns(host) {
            let routes = self.routes.get(&pattern).map_or(&[][..], Vec::as_slice);
            pools.extend(routes.iter().map(|route| route.pool));
            if routes.iter().any(|route| &*route.path == "/") {
                break;
            }
        }
        pools.sort_unstable();
        pools.dedup();
        pools
    }
}

/// The patterns that fit a host, most specific first. A wildcard name stands for hosts below it.
fn patterns(host: &DnsName) -> Vec<HostPattern> {
    let text = host.to_string();
    let text = text.as_str();
    let exact = (!text.starts_with("*.")).then(|| HostPattern::Exact(text.into()));
    let parents = text.match_indices('.').map(|(dot, _)| HostPattern::Below(text[dot + 1..].into()));
    exact.into_iter().chain(parents).chain([HostPattern::Any]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_leads_to_the_pools_of_its_most_specific_routes() {
        let route = |host: &str, path: &str, pool| Route {
            name: "".into(),
            host: match host {
                "*" => HostPattern::Any,
                _ => host
                    .strip_prefix("*.")
                    .map_or_else(|| HostPattern::Exact(host.into()), |below| HostPattern::Below(below.into())),
            },
            path: path.into(),
            pool: PoolId(pool),
        };
        let routes = [
            route("*", "/", 0),
            route("*.shop.example", "/", 1),
            route("www.shop.example", "/cart", 2),
            route("api.shop.example", "/", 3),
        ];
        let by_host = ByHost::new(&routes, true);
        let pools = |host: &str| by_host.pools_of(&host.parse().unwrap()).iter().map(|pool| pool.0).collect::<Vec<_>>();
        assert_eq!(pools("www.shop.example"), [1, 2]);
        assert_eq!(pools("api.shop.example"), [3]);
        assert_eq!(pools("*.shop.example"), [1]);
        assert_eq!(pools("a.b.shop.example"), [1]);
        assert_eq!(pools("shop.example"), [0]);
    }
}
