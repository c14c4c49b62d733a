//! A policy as it is written becomes what it means, kind by kind.

use super::{geo, targets::Targets};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, Entitled, List, Optional, Text, Written},
        resolved::{Branch, PolicyKind},
    },
    fleet::RegionId,
};

/// The policies that one leads to, with where they are named.
pub(super) type Links = Vec<(usize, Option<Place>)>;

/// One policy. After a mistake it chooses from less than it should, or from nothing.
pub(super) fn resolve(
    entry: &Entitled<document::Policy>,
    targets: &Targets<'_>,
    problems: &mut Diagnostics,
) -> (PolicyKind, Links) {
    let before = problems.count().0;
    let mut one = One { name: &entry.name, place: entry.place, targets, links: Vec::new(), problems };
    let written = &entry.value;
    let kind = if let Some(geo) = written.geo.as_ref() {
        geo::resolve(geo, &mut one)
    } else if let Some(nearest) = written.nearest.as_ref() {
        Some(one.nearest(nearest))
    } else if let Some(latency) = written.latency.as_ref() {
        one.latency(latency)
    } else if let Some(weighted) = written.weighted.as_ref() {
        one.weighted(weighted)
    } else if let Some(failover) = written.failover.as_ref() {
        one.failover(failover)
    } else if let Some(multivalue) = written.multivalue.as_ref() {
        let regions = one.regions(&multivalue.regions);
        Some(PolicyKind::Multivalue { regions, max: multivalue.max.value })
    } else if let Some(hash) = written.hash.as_ref() {
        Some(one.hash(hash))
    } else {
        let is_read = [
            written.geo.is_unreadable(),
            written.nearest.is_unreadable(),
            written.latency.is_unreadable(),
            written.weighted.is_unreadable(),
            written.failover.is_unreadable(),
            written.multivalue.is_unreadable(),
            written.hash.is_unreadable(),
        ] == [false; 7];
        if is_read && before == one.problems.count().0 {
            let error = Diagnostic::error(Code::MissingKey, format!("policy `{}` chooses nothing", entry.name));
            let hint =
                "add one of `geo`, `nearest`, `latency`, `weighted`, `failover`, `multivalue` and `hash`".to_owned();
            one.problems.push(error.at(entry.place, "how?").hint(hint));
        }
        None
    };
    let links = one.links;
    (kind.unwrap_or(PolicyKind::Failover { branches: Vec::new(), trickle: 0 }), links)
}

/// The policy that is read.
pub(super) struct One<'a> {
    name: &'a str,
    place: Option<Place>,
    targets: &'a Targets<'a>,
    links: Links,
    pub(super) problems: &'a mut Diagnostics,
}

impl One<'_> {
    /// What a target stands for.
    pub(super) fn branch(&mut self, name: &str, place: Option<Place>) -> Option<Branch> {
        let branch = self.targets.find(name, place, self.problems)?;
        if let Branch::Policy(policy) = branch {
            self.links.push((policy.index(), place));
        }
        Some(branch)
    }

    /// The regions that are listed, or all.
    fn regions(&mut self, written: &Optional<List<Text>>) -> Vec<RegionId> {
        match written.as_ref() {
            Some(list) => {
                let regions = self.targets.regions(list, self.problems);
                self.check_any(list.items.is_empty() && !list.is_broken, "region", list.place);
                regions
            }
            None => self.targets.all(),
        }
    }

    fn check_any(&mut self, is_empty: bool, what: &str, place: Option<Place>) {
        if is_empty {
            let error = Diagnostic::error(Code::NothingToSteer, format!("policy `{}` has no {what}", self.name));
            self.problems.push(error.at(place.or(self.place), "nothing to choose from"));
        }
    }

    fn nearest(&mut self, written: &document::NearestPolicy) -> PolicyKind {
        let is_all = matches!(written.regions, Optional::Absent);
        let mut regions = if is_all { self.targets.located() } else { self.regions(&written.regions) };
        let (asked, fate) = if is_all { (self.targets.all(), "left out") } else { (regions.clone(), "comes last") };
        self.check_any(is_all && regions.is_empty() && !asked.is_empty(), "region with a `location`", None);
        if !regions.is_empty() {
            let what = format!("policy `{}`", self.name);
            self.targets.warn_of_unknown_places(&asked, (&what, self.place), fate, self.problems);
        }
        let mut biases = Vec::new();
        for entry in written.bias.iter() {
            let Some(region) = self.targets.region(&entry.name, entry.place, self.problems) else { continue };
            if !regions.contains(&region) && !written.regions.is_unreadable() {
                let message = format!(
                    "region `{}` has a bias, and is not among the regions of policy `{}`",
                    entry.name, self.name
                );
                self.problems.push(Diagnostic::error(Code::Contradiction, message).at(entry.place, "has no effect"));
            }
            biases.push((region, entry.value));
        }
        regions.sort_unstable();
        let bias = |region: RegionId| biases.iter().find(|(of, _)| *of == region).map_or(0, |(_, bias)| *bias);
        PolicyKind::Nearest { regions: regions.into_iter().map(|region| (region, bias(region))).collect() }
    }

    fn latency(&mut self, written: &document::LatencyPolicy) -> Option<PolicyKind> {
        let mut regions = self.regions(&written.regions);
        regions.sort_unstable();
        let what = format!("policy `{}`", self.name);
        let fate = "comes last where nothing was measured";
        self.targets.warn_of_unknown_places(&regions, (&what, self.place), fate, self.problems);
        Some(PolicyKind::Latency { regions, table: written.table.as_ref()?.value.clone() })
    }

    fn weighted(&mut self, written: &document::WeightedPolicy) -> Option<PolicyKind> {
        let weights = written.weights.as_ref()?;
        let mut branches = Vec::with_capacity(weights.len());
        for entry in weights.iter() {
            branches.extend(self.branch(&entry.name, entry.place).map(|branch| (branch, entry.value)));
        }
        branches.retain(|(_, weight)| *weight > 0);
        let is_empty = weights.unreadable.is_empty() && weights.iter().all(|entry| entry.value == 0);
        self.check_any(is_empty, "target with weight above zero", weights.place);
        Some(PolicyKind::Weighted { branches })
    }

    fn failover(&mut self, written: &document::FailoverPolicy) -> Option<PolicyKind> {
        let order: &Written<List<Text>> = written.order.as_ref()?;
        let mut branches: Vec<Branch> = Vec::with_capacity(order.items.len());
        for item in &order.items {
            let Some(branch) = self.branch(&item.value, item.place) else { continue };
            if branches.contains(&branch) {
                let message = format!("`{}` is twice in the order of policy `{}`", item.value.0, self.name);
                self.problems.push(Diagnostic::error(Code::DuplicateName, message).at(item.place, "here again"));
            }
            branches.push(branch);
        }
        self.check_any(order.items.is_empty() && !order.is_broken, "target", order.place);
        Some(PolicyKind::Failover { branches, trickle: written.trickle.0 })
    }

    fn hash(&mut self, written: &document::HashPolicy) -> PolicyKind {
        let regions = match written.weights.as_ref() {
            Some(weights) => {
                let regions = self.targets.weights(weights, self.problems);
                let is_empty = weights.unreadable.is_empty() && weights.iter().all(|entry| entry.value == 0);
                self.check_any(is_empty, "region with weight above zero", weights.place);
                regions
            }
            None => self.targets.all().into_iter().map(|region| (region, 1)).collect(),
        };
        PolicyKind::Hash { regions, v4_prefix: written.v4_prefix.value, v6_prefix: written.v6_prefix.value }
    }
}
