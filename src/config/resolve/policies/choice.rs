//! The policy of a steered name: one that has a name, or one made of a word, regions and weights.

use super::{Policies, targets::Targets};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, Optional},
        resolved::{Branch, PolicyKind},
    },
    fleet::{DnsName, PolicyId, RegionId},
};

/// The weight of a region that is not listed.
const DEFAULT_WEIGHT: u32 = 1;

/// What a policy without a name asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) word: &'static str,
    /// In order where the order counts, else by id; with weights where they count, else with none.
    regions: Vec<(RegionId, u32)>,
}

/// The words that need nothing but regions.
const WORDS: [&str; 5] = ["weighted", "nearest", "failover", "multivalue", "hash"];

impl Key {
    pub(super) fn kind(&self) -> PolicyKind {
        let regions = || self.regions.iter().map(|(region, _)| *region);
        match self.word {
            "nearest" => PolicyKind::Nearest { regions: regions().map(|region| (region, 0)).collect() },
            "failover" => PolicyKind::Failover { branches: regions().map(Branch::Region).collect(), trickle: 0 },
            "multivalue" => PolicyKind::Multivalue { regions: regions().collect(), max: 8 },
            "hash" => PolicyKind::Hash { regions: self.regions.clone(), v4_prefix: 24, v6_prefix: 48 },
            _ => {
                let branches = self.regions.iter().map(|(region, weight)| (Branch::Region(*region), *weight));
                PolicyKind::Weighted { branches: branches.collect() }
            }
        }
    }
}

/// The policy of a steered name; nothing once a mistake was reported.
pub(in crate::config::resolve) fn resolve(
    policies: &mut Policies<'_>,
    owner: &DnsName,
    place: Option<Place>,
    written: &document::Steer,
    problems: &mut Diagnostics,
) -> Option<PolicyId> {
    if written.policy.is_unreadable() || written.regions.is_unreadable() || written.weights.is_stand_in {
        return None;
    }
    let Some(name) = written.policy.as_ref() else { return made_up(policies, None, owner, place, written, problems) };
    if let Some(word) = WORDS.into_iter().find(|word| *word == &*name.value) {
        return made_up(policies, Some(word), owner, name.place, written, problems);
    }
    if matches!(&*name.value.0, "geo" | "latency") {
        let message = format!("`{}` needs more than a word", name.value.0);
        let error = Diagnostic::error(Code::UnknownPolicy, message).at(name.place, "by what?");
        let hint = format!("define `[policies.NAME]` with `{} = {{ ... }}`, and name it here", name.value.0);
        problems.push(error.hint(hint));
        return None;
    }
    let regions = written.regions.as_ref().map(|regions| ("regions", regions.place));
    let weights = written.weights.place.map(|place| ("weights", Some(place)));
    for (key, at) in regions.into_iter().chain(weights) {
        let message = format!("`{key}` has no effect beside policy `{}`, which has its own", name.value.0);
        let error = Diagnostic::error(Code::Contradiction, message).at(at, "").at(name.place, "the policy");
        problems.push(error.hint(format!("remove `{key}`, or say where it may be served with `residency`")));
    }
    policies.find(&name.value, name.place, problems)
}

fn made_up(
    policies: &mut Policies<'_>,
    word: Option<&'static str>,
    owner: &DnsName,
    place: Option<Place>,
    written: &document::Steer,
    problems: &mut Diagnostics,
) -> Option<PolicyId> {
    let targets = Targets { regions: policies.regions, policies: &policies.names, locations: &policies.locations };
    let has_weights = written.weights.place.is_some();
    let mut regions = match written.regions.as_ref() {
        Some(list) => {
            let regions = targets.regions(list, problems);
            if regions.len() < list.items.len() || list.is_broken {
                return None;
            }
            regions
        }
        None => targets.all(),
    };
    let is_measured = regions.iter().all(|region| targets.is_located(*region));
    let word = word.unwrap_or(if has_weights || !is_measured { "weighted" } else { "nearest" });
    if word == "failover" && matches!(written.regions, Optional::Absent) {
        let error =
            Diagnostic::error(Code::MissingKey, format!("`{owner}` fails over, and nobody says in which order"));
        problems.push(error.at(place, "`regions` is missing").hint("add `regions`, the best first".to_owned()));
        return None;
    }
    let mut warned = None;
    if word == "nearest" {
        if matches!(written.regions, Optional::Absent) {
            warned = Some((targets.all(), "left out"));
            regions = targets.located();
        } else {
            warned = Some((regions.clone(), "comes last"));
        }
    }
    if word != "failover" {
        regions.sort_unstable();
    }
    let takes_weights = matches!(word, "weighted" | "hash");
    if has_weights && !takes_weights {
        let message = format!("`weights` have no effect with `{word}`");
        problems.push(Diagnostic::error(Code::Contradiction, message).at(written.weights.place, "").at(place, ""));
        return None;
    }
    let weigh = |regions, problems: &mut Diagnostics| weighed(regions, &targets, written, problems);
    let regions =
        if takes_weights { weigh(regions, problems)? } else { regions.into_iter().map(|id| (id, 0)).collect() };
    if regions.is_empty() {
        if policies.regions.len() > 0 && policies.regions.is_complete() {
            let is_listed = written.regions.as_ref().is_some_and(|list| !list.items.is_empty());
            let (what, label) = match word {
                _ if written.regions.as_ref().is_some() && !is_listed => ("region", "none is listed"),
                "nearest" => ("region with a `location`", "nobody says where regions are"),
                _ if has_weights => ("region with weight above zero", "all are 0"),
                _ => ("region", "none is listed"),
            };
            let error = Diagnostic::error(Code::NothingToSteer, format!("`{owner}` has no {what}"));
            problems.push(error.at(written.weights.place.filter(|_| takes_weights).or(place), label));
        }
        return None;
    }
    let key = Key { word, regions };
    if let Some((asked, fate)) = warned.filter(|_| !policies.nameless.contains_key(&key)) {
        targets.warn_of_unknown_places(&asked, (&format!("`{owner}`"), place), fate, problems);
    }
    policies.share(key, problems)
}

/// Regions with their weights, those with none left out.
fn weighed(
    regions: Vec<RegionId>,
    targets: &Targets<'_>,
    written: &document::Steer,
    problems: &mut Diagnostics,
) -> Option<Vec<(RegionId, u32)>> {
    let mut weighed: Vec<_> = regions.into_iter().map(|region| (region, DEFAULT_WEIGHT)).collect();
    let mut is_read = written.weights.unreadable.is_empty();
    for entry in written.weights.iter() {
        let region = targets.region(&entry.name, entry.place, problems);
        let slot = region.map(|region| weighed.iter_mut().find(|(one, _)| *one == region));
        match slot {
            Some(Some((_, weight))) => *weight = entry.value,
            Some(None) => {
                let message = format!("region `{}` has a weight, and is not among `regions`", entry.name);
                let error = Diagnostic::error(Code::Contradiction, message).at(entry.place, "has no effect");
                problems.push(error.at(written.regions.as_ref().and_then(|regions| regions.place), "not here"));
                is_read = false;
            }
            None => is_read = false,
        }
    }
    weighed.retain(|(_, weight)| *weight > 0);
    is_read.then_some(weighed)
}
