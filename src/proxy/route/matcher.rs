//! Host and path to route. The most specific host wins: exact, then the longest `*.` pattern, then `*`; within a host, the
//! longest path. Where a host matches but none of its paths does, the next less specific host is asked.
//!
//! Costs one hash look-up per label of the host, and one comparison per path of that host.

use std::{collections::HashMap, sync::Arc};

use crate::config::{HostPattern, Route};

/// All routes, by host.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    exact: HashMap<Arc<str>, Paths>,
    below: HashMap<Arc<str>, Paths>,
    any: Paths,
}

/// One host's paths, longest first, each with its route's position.
type Paths = Vec<(Arc<str>, usize)>;

impl Matcher {
    pub(super) fn new(routes: &[Route]) -> Self {
        let mut matcher = Self::default();
        for (position, route) in routes.iter().enumerate() {
            let paths = match &route.host {
                HostPattern::Exact(host) => matcher.exact.entry(Arc::clone(host)).or_default(),
                HostPattern::Below(parent) => matcher.below.entry(Arc::clone(parent)).or_default(),
                HostPattern::Any => &mut matcher.any,
            };
            paths.push((Arc::clone(&route.path), position));
        }
        let all = matcher.exact.values_mut().chain(matcher.below.values_mut()).chain([&mut matcher.any]);
        all.for_each(|paths| paths.sort_by_key(|(path, _)| std::cmp::Reverse(path.len())));
        matcher
    }

    /// The route's position. `host` is lower case and without port.
    pub(super) fn find(&self, host: &str, path: &str) -> Option<usize> {
        let parents = std::iter::successors(host.split_once('.'), |(_, parent)| parent.split_once('.'));
        let below = parents.filter_map(|(_, parent)| self.below.get(parent));
        self.exact
            .get(host)
            .into_iter()
            .chain(below)
            .chain([&self.any])
            .find_map(|paths| paths.iter().find(|(prefix, _)| is_below(path, prefix)).map(|(_, position)| *position))
    }
}

/// Whether `path` is `prefix` or below it, on whole segments.
fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::PoolId;

    fn matcher(routes: &[(&str, &str)]) -> Matcher {
        let routes: Vec<Route> = routes
            .iter()
            .map(|(host, path)| Route {
                name: "".into(),
                host: match host.strip_prefix("*.") {
                    Some(parent) => HostPattern::Below(parent.into()),
                    None if *host == "*" => HostPattern::Any,
                    None => HostPattern::Exact((*host).into()),
                },
                path: (*path).into(),
                pool: PoolId(0),
            })
            .collect();
        Matcher::new(&routes)
    }

    #[test]
    fn the_most_specific_host_wins_then_the_longest_path() {
        let routes = matcher(&[
            ("*", "/"),
            ("*.example", "/"),
            ("*.shop.example", "/"),
            ("a.shop.example", "/cart"),
            ("a.shop.example", "/cart/pay"),
        ]);
        assert_eq!(routes.find("a.shop.example", "/cart/pay/now"), Some(4));
        assert_eq!(routes.find("a.shop.example", "/cart"), Some(3));
        assert_eq!(routes.find("b.shop.example", "/cart"), Some(2));
        assert_eq!(routes.find("shop.example", "/"), Some(1));
        assert_eq!(routes.find("example", "/"), Some(0));
    }

    #[test]
    fn a_host_without_the_path_gives_way_to_a_less_specific_one() {
        let routes = matcher(&[("a.shop.example", "/cart"), ("*.shop.example", "/")]);
        assert_eq!(routes.find("a.shop.example", "/other"), Some(1));
        assert_eq!(routes.find("elsewhere.example", "/"), None);
    }

    #[test]
    fn paths_match_on_whole_segments() {
        let routes = matcher(&[("*", "/cart"), ("*", "/img/")]);
        assert_eq!(routes.find("x", "/cart/1"), Some(0));
        assert_eq!(routes.find("x", "/cartoon"), None);
        assert_eq!(routes.find("x", "/img/a"), Some(1));
        assert_eq!(routes.find("x", "/img"), None);
    }
}
