//! Routes by host: exact first, then the longest `*.` pattern, then `*`. Where a host fits but none of its routes takes the request, the next
//! less specific host is asked.
//!
//! Costs one look-up for the host and one for each of its labels that a pattern could begin at.

use super::{
    Asked,
    paths::{Map, Paths},
    segments::Path,
};
use crate::config::{HostPattern, Route};

/// All routes.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    exact: Map<Box<str>, Paths>,
    below: Map<Box<str>, Paths>,
    any: Paths,
    /// Bytes of the longest host in `below`: longer ones need not be looked up.
    longest: usize,
}

impl Hosts {
    pub(super) fn new(routes: &[Route]) -> Self {
        let mut hosts = Self::default();
        for (position, route) in routes.iter().enumerate() {
            let paths = match &route.conditions.host {
                HostPattern::Exact(host) => hosts.exact.entry((**host).into()).or_default(),
                HostPattern::Below(parent) => {
                    hosts.longest = hosts.longest.max(parent.len());
                    hosts.below.entry((**parent).into()).or_default()
                }
                HostPattern::Any => &mut hosts.any,
            };
            paths.add(&route.conditions, position);
        }
        hosts.exact.values_mut().chain(hosts.below.values_mut()).chain([&mut hosts.any]).for_each(Paths::finish);
        hosts
    }

    /// The position of the route that takes the request.
    pub(super) fn find(&self, path: Path<'_>, asked: &Asked<'_>) -> Option<usize> {
        let parents = std::iter::successors(asked.host.split_once('.'), |(_, parent)| parent.split_once('.'));
        let short = parents.map(|(_, parent)| parent).skip_while(|parent| parent.len() > self.longest);
        let below = short.take_while(|_| self.longest > 0).filter_map(|parent| self.below.get(parent));
        let hosts = self.exact.get(asked.host).into_iter().chain(below).chain([&self.any]);
        hosts.into_iter().find_map(|paths| paths.find(path, asked))
    }
}

#[cfg(test)]
mod tests;
