//! Steered names: which pools they follow, how a region is chosen, and where they may lead at all.

use std::{collections::BTreeMap, sync::Arc};

use super::{Owners, draft::Following, owner::owner};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, List, Text, Written, duration_as_written},
        resolve::{
            names::Names,
            node::region_id,
            policies::{Policies, choice},
            routes::{ByHost, pool_id},
            twice::duplicate,
        },
        resolved::{Https, Region, Steered},
    },
    fleet::{DnsName, PoolId, RegionId},
};

/// Protocols that one HTTPS record names.
const MAX_PROTOCOLS: usize = 8;

/// What steered names are resolved with.
pub(in crate::config::resolve) struct Steering<'a> {
    pub(in crate::config::resolve) regions: &'a Names<'a>,
    pub(in crate::config::resolve) pools: &'a Names<'a>,
    pub(in crate::config::resolve) by_host: ByHost<'a>,
    pub(in crate::config::resolve) policies: Policies<'a>,
    jurisdictions: BTreeMap<Arc<str>, Vec<RegionId>>,
    /// Whether this node listens for HTTPS.
    has_https: bool,
}

impl<'a> Steering<'a> {
    pub(in crate::config::resolve) fn new(
        regions: &'a Names<'a>,
        pools: &'a Names<'a>,
        by_host: ByHost<'a>,
        policies: Policies<'a>,
        resolved: &[Arc<Region>],
        has_https: bool,
    ) -> Self {
        let mut jurisdictions: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (id, region) in (0..).map(RegionId).zip(resolved) {
            if let Some(jurisdiction) = &region.jurisdiction {
                jurisdictions.entry(Arc::clone(jurisdiction)).or_default().push(id);
            }
        }
        Self { regions, pools, by_host, policies, jurisdictions, has_https }
    }

    /// Those of a zone. One that has a mistake is left out.
    pub(super) fn names(
        &mut self,
        apex: &DnsName,
        zone: &document::Zone,
        problems: &mut Diagnostics,
    ) -> Vec<Following> {
        let mut owners = Owners::new();
        let mut names = Vec::with_capacity(zone.steer.len());
        for entry in zone.steer.iter() {
            let Some(owner) = owner(&entry.name, entry.place, apex, problems) else { continue };
            if let Some(first) = owners.insert(owner.clone(), entry.place) {
                let message = format!("`{owner}` is steered twice");
                problems.push(duplicate(Code::DuplicateName, message, entry.place, first));
                continue;
            }
            let steered = self.name(owner, entry.place, &entry.value, problems);
            names.extend(steered.map(|steered| Following { steered, place: entry.place }));
        }
        names
    }

    fn name(
        &mut self,
        owner: DnsName,
        place: Option<Place>,
        written: &document::Steer,
        problems: &mut Diagnostics,
    ) -> Option<Steered> {
        let pools = self.followed(&owner, place, written, problems);
        let residency = self.permitted(written.residency.as_ref(), problems);
        let policy = choice::resolve(&mut self.policies, &owner, place, written, problems);
        let (ttl, min_ttl) = ttls(written, problems);
        let https = self.https(&written.https, problems);
        let policy = policy?;
        let mut regions = self.policies.reach(policy).to_vec();
        if let Some(permitted) = &residency {
            let had = regions.len();
            regions.retain(|region| permitted.contains(region));
            if regions.is_empty() && had > 0 && self.policies.is_sound {
                let message =
                    format!("`{owner}` may be served nowhere: its policy has no region that `residency` permits");
                let error = Diagnostic::error(Code::NothingToSteer, message);
                let residency = written.residency.as_ref().and_then(|residency| residency.place);
                problems.push(error.at(residency.or(place), "no region is left"));
            }
        }
        Some(Steered { owner, pools, policy, permitted: regions, residency, ttl, min_ttl, https })
    }

    fn followed(
        &self,
        owner: &DnsName,
        place: Option<Place>,
        steer: &document::Steer,
        problems: &mut Diagnostics,
    ) -> Vec<PoolId> {
        let (found, label_at) = match steer.pools.as_ref() {
            Some(written) => {
                let mut found: Vec<_> = written
                    .items
                    .iter()
                    .filter_map(|name: &Written<_>| self.pools.find(name, name.place, problems).map(pool_id))
                    .collect();
                found.sort_unstable();
                found.dedup();
                if !written.items.is_empty() || written.is_broken {
                    return found;
                }
                (found, written.place)
            }
            None => (self.by_host.pools_of(owner), place),
        };
        // Without a list of its own it follows routes, and one of those may be what is wrong.
        let is_read = steer.pools.as_ref().is_some() || (self.by_host.is_complete && !steer.pools.is_unreadable());
        if found.is_empty() && is_read {
            let message = format!("`{owner}` has no pool to follow");
            let hint = format!("add `pools = [\"...\"]`, or a route whose host is `{owner}`");
            let error = Diagnostic::error(Code::NothingToSteer, message);
            problems.push(error.at(label_at, "which pools must a region be able to serve?").hint(hint));
        }
        found
    }

    /// The regions that residency leaves, in any order; nothing where it does not matter.
    fn permitted(&self, written: Option<&Written<List<Text>>>, problems: &mut Diagnostics) -> Option<Vec<RegionId>> {
        let written = written?;
        let (mut permitted, mut is_known) = (Vec::new(), true);
        for item in &written.items {
            let name: &str = &item.value;
            match (self.jurisdictions.get(name), self.regions.position(name)) {
                (Some(regions), _) => permitted.extend(regions),
                (None, Some(region)) => permitted.push(region_id(region)),
                (None, None) if !self.regions.is_complete() => return None,
                (None, None) => {
                    is_known = false;
                    let known: Vec<_> =
                        self.jurisdictions.keys().map(|name| &**name).chain(self.regions.iter()).collect();
                    let hint = problems
                        .did_you_mean(name, known.iter().copied())
                        .unwrap_or_else(|| format!("say where that is: `jurisdiction = \"{name}\"` in its regions"));
                    let message = format!("there is no jurisdiction and no region `{name}`");
                    let error = Diagnostic::error(Code::UnknownJurisdiction, message);
                    problems.push(error.at(item.place, "nowhere").hint(hint));
                }
            }
        }
        is_known.then_some(permitted)
    }

    fn https(&self, written: &document::SteerHttps, problems: &mut Diagnostics) -> Option<Https> {
        if !written.enabled.as_ref().map_or(self.has_https, |enabled| enabled.value) {
            return None;
        }
        let alpn = &written.alpn;
        if alpn.items.len() > MAX_PROTOCOLS || (alpn.items.is_empty() && !alpn.is_broken) {
            let message = format!("an HTTPS record names 1 to {MAX_PROTOCOLS} protocols");
            let code = if alpn.items.is_empty() { Code::MissingKey } else { Code::TooMany };
            problems.push(Diagnostic::error(code, message).at(alpn.place, format!("{} are named", alpn.items.len())));
        }
        let port = written.port.value;
        let alpn = alpn.items.iter().map(|protocol| Arc::from(&*protocol.value.0)).collect();
        Some(Https { alpn, port: (port != 443).then_some(port) })
    }
}

fn ttls(written: &document::Steer, problems: &mut Diagnostics) -> (u32, u32) {
    let (ttl, min_ttl) = (&written.ttl, &written.min_ttl);
    if min_ttl.value.0 > ttl.value.0 && !min_ttl.is_stand_in && !ttl.is_stand_in {
        let shown = |seconds: u32| duration_as_written(std::time::Duration::from_secs(seconds.into()));
        let (high, low) = (shown(min_ttl.value.0), shown(ttl.value.0));
        let message = format!("`min_ttl` ({high}) is longer than `ttl` ({low})");
        let error = Diagnostic::error(Code::Contradiction, message);
        let error = error.at(min_ttl.place.or(ttl.place), "answers are kept shorter while something moves, not longer");
        problems.push(error.hint(format!("set `min_ttl` to at most `{low}`")));
    }
    (ttl.value.0, min_ttl.value.0.min(ttl.value.0))
}
