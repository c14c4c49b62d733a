//! Routes, and which of them a host leads to.

use std::{collections::HashMap, sync::Arc};

use super::{
    actions, conditions,
    edits::{self, Of},
    names::Names,
    twice::duplicate,
};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{Document, Text, Written},
        resolved::{Conditions, HostPattern, Route},
    },
    fleet::{DnsName, PoolId},
};

/// Routes of one host and path that one config may hold: those are tried one after the other.
const MAX_ALIKE: usize = 100;

pub(super) fn resolve(document: &Document, pools: &Names<'_>, problems: &mut Diagnostics) -> Vec<Route> {
    let mut seen = Seen::default();
    let mut routes = Vec::with_capacity(document.routes.items.len());
    for route in &document.routes.items {
        let path_at = route.path_exact.as_ref().and_then(|path| path.place).or(route.path.place);
        let at = route.host.place.or(path_at).or(route.place);
        let (conditions, is_read) = conditions::resolve(route, problems);
        let action = actions::resolve(route, at, pools, problems);
        let response_headers = edits::resolve(&route.response_headers, Of::Answers, problems);
        let name = seen.name(route.name.as_ref(), &conditions, at, problems);
        if is_read {
            seen.conditions(&conditions, at, problems);
        }
        if let Some(action) = action {
            routes.push(Route { name, conditions, action, response_headers });
        }
    }
    routes
}

/// What the routes so far have taken, with where.
#[derive(Default)]
struct Seen {
    conditions: HashMap<Conditions, Option<Place>>,
    names: HashMap<Arc<str>, Option<Place>>,
    /// How many there are of each host and path.
    alike: HashMap<String, usize>,
}

impl Seen {
    /// Looks whether another route asks for the same.
    fn conditions(&mut self, conditions: &Conditions, at: Option<Place>, problems: &mut Diagnostics) {
        let Some(first) = self.conditions.insert(conditions.clone(), at) else { return };
        let Conditions { host, path, further } = conditions;
        let more = if further.count() > 0 { ", and the same further conditions" } else { "" };
        let hint = "the second could never be chosen: change its host or path, or remove it".to_owned();
        let message = format!("two routes have host `{host}` and path `{path}`{more}");
        problems.push(duplicate(Code::DuplicateRoute, message, at, first).hint(hint));
    }

    /// The route's name: as it is written, or one made from host and path that nobody has.
    fn name(
        &mut self,
        written: Option<&Written<Text>>,
        conditions: &Conditions,
        at: Option<Place>,
        problems: &mut Diagnostics,
    ) -> Arc<str> {
        let alike = format!("{}{}", conditions.host, conditions.path);
        let number = self.alike.entry(alike.clone()).or_default();
        *number += 1;
        if *number == MAX_ALIKE + 1 {
            let message =
                format!("more than {MAX_ALIKE} routes have host `{}` and path `{}`", conditions.host, conditions.path);
            let hint = "they are tried one after the other: tell them apart by host or path".to_owned();
            problems.push(Diagnostic::error(Code::TooMany, message).at(at, "one too many").hint(hint));
        }
        let name: Arc<str> = match written {
            Some(name) => name.0.as_str().into(),
            None if *number == 1 && !self.names.contains_key(alike.as_str()) => alike.into(),
            None => {
                let mut names = (*number.max(&mut 2)..).map(|number| format!("{alike}#{number}"));
                names.find(|name| !self.names.contains_key(name.as_str())).unwrap_or_default().into()
            }
        };
        let name_at = written.map_or(at, |name| name.place);
        if let Some(first) = self.names.insert(Arc::clone(&name), name_at) {
            let hint = "they would be one in logs and metrics: rename one of them".to_owned();
            let message = format!("two routes are called `{name}`");
            problems.push(duplicate(Code::DuplicateName, message, name_at, first).hint(hint));
        }
        name
    }
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
            by_host.entry(&route.conditions.host).or_default().push(route);
        }
        Self { routes: by_host, is_complete }
    }

    /// The pools that requests for a host are sent to: those of the most specific pattern that fits, and of less
    /// specific ones as long as none has taken every path.
    pub(super) fn pools_of(&self, host: &DnsName) -> Vec<PoolId> {
        let mut pools = Vec::new();
        for pattern in patterns(host) {
            let routes = self.routes.get(&pattern).map_or(&[][..], Vec::as_slice);
            pools.extend(routes.iter().filter_map(|route| route.pool()));
            let takes_all = |route: &&Route| route.conditions.path.is_every() && route.conditions.further.count() == 0;
            if routes.iter().any(takes_all) {
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
    use crate::config::{Identity, from_text};

    #[test]
    fn a_host_leads_to_the_pools_of_its_most_specific_routes() {
        let text = "[regions.a]\naddresses = [\"192.0.2.1\"]\n";
        let pools = (0..4).map(|at| format!("[[pools.p{at}.origins]]\naddress = \"10.0.0.{at}:80\"\n"));
        let route =
            |host: &str, more: &str, pool: u32| format!("[[routes]]\nhost = \"{host}\"\npool = \"p{pool}\"\n{more}\n");
        let routes = [
            route("*", "", 0),
            route("*.shop.example", "", 1),
            route("www.shop.example", "path = \"/cart\"", 2),
            route("www.shop.example", "methods = [\"GET\"]", 3),
            route("api.shop.example", "", 3),
        ];
        let text = format!("{text}{}{}", pools.collect::<String>(), routes.concat());
        let loaded = from_text("test.toml", &text, &Identity::default());
        let routes = loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false))).routes;
        let by_host = ByHost::new(&routes, true);
        let pools = |host: &str| by_host.pools_of(&host.parse().unwrap()).iter().map(|pool| pool.0).collect::<Vec<_>>();
        assert_eq!(pools("www.shop.example"), [1, 2, 3]);
        assert_eq!(pools("api.shop.example"), [3]);
        assert_eq!(pools("*.shop.example"), [1]);
        assert_eq!(pools("a.b.shop.example"), [1]);
        assert_eq!(pools("shop.example"), [0]);
    }
}
