//! Where requests for a host may be answered at all: what `residency` says of the steered name, for HTTP as for DNS.
//!
//! The fence is the host's, whichever route takes the request. A wildcard's holds for every host below it. Costs one look-up of the host where any
//! name has a fence, and a list of regions for each request that is fenced.

use std::collections::HashMap;

use crate::{config::Config, fleet::RegionId};

/// All fences, by host in lower case.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Fences {
    exact: HashMap<Box<str>, Fence>,
    below: HashMap<Box<str>, Fence>,
    regions: Vec<Box<[RegionId]>>,
}

/// Which of the fences of one config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) struct Fence(usize);

impl Fences {
    pub(super) fn new(config: &Config) -> Self {
        let mut fences = Self::default();
        for steered in config.zones.iter().flat_map(|zone| &zone.steered) {
            let Some(residency) = &steered.residency else { continue };
            let fence = Fence(fences.regions.len());
            fences.regions.push(residency.as_slice().into());
            let owner = steered.owner.to_string();
            match owner.strip_prefix("*.") {
                Some(parent) => fences.below.insert(parent.into(), fence),
                None => fences.exact.insert(owner.into(), fence),
            };
        }
        fences
    }

    /// The fence around a host, where it has one.
    pub(in crate::proxy) fn find(&self, host: &str) -> Option<Fence> {
        if self.regions.is_empty() {
            return None;
        }
        let parents = || host.match_indices('.').map(|(at, _)| &host[at + 1..]);
        self.exact.get(host).or_else(|| parents().find_map(|parent| self.below.get(parent))).copied()
    }

    /// Those of the regions that are inside.
    pub(in crate::proxy) fn keep(&self, fence: Fence, regions: &[RegionId]) -> Vec<RegionId> {
        let inside = self.regions.get(fence.0).map_or(&[][..], |inside| inside);
        regions.iter().copied().filter(|region| inside.contains(region)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Identity};

    #[test]
    fn a_fence_is_the_hosts_and_a_wildcards_is_around_all_below() {
        let text = "node.region = \"eu\"\n[regions.eu]\naddresses = [\"192.0.2.1\"]\njurisdiction = \"EU\"\n[regions.us]\n\
                    addresses = [\"192.0.2.2\"]\n[pools.shop]\norigins = [{ address = \"127.0.0.1:1\", region = \"eu\" }]\n\
                    [zones.\"shop.test\"]\nnameservers = [\"ns.example\"]\n[zones.\"shop.test\".steer]\n\
                    app = { pools = [\"shop\"], residency = [\"EU\"] }\n\"*.eu\" = { pools = [\"shop\"], residency = [\"EU\"] }\n\
                    open = { pools = [\"shop\"] }\n";
        let config = config::from_text("test.toml", text, &Identity::default()).config.unwrap();
        let fences = Fences::new(&config);
        let all = [RegionId(0), RegionId(1)];
        for host in ["app.shop.test", "a.eu.shop.test", "a.b.eu.shop.test"] {
            let fence = fences.find(host).unwrap_or_else(|| panic!("{host}"));
            assert_eq!(fences.keep(fence, &all), [RegionId(0)], "{host}");
        }
        for host in ["open.shop.test", "eu.shop.test", "shop.test", "test", "", "xapp.shop.test", "x.app.shop.test"] {
            assert_eq!(fences.find(host), None, "{host}");
        }
    }
}
