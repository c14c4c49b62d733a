//! Policies: what each chooses from, that they end somewhere, and one id for all that ask for the same.
//!
//! Those with a name come first, in name order; behind them those that steered names make up from a word and their regions (`choice`), each
//! once: a hundred thousand names that ask for the same share one.

pub(super) mod choice;
mod geo;
mod graph;
mod kinds;
mod targets;

use std::{collections::HashMap, sync::Arc};

use targets::Targets;

use super::{
    names::{Names, check_name},
    twice::duplicate,
};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, Named, Written},
        resolved::{Policy, PolicyKind, Region},
    },
    fleet::{PolicyId, RegionId},
};

/// Policies that one config may hold.
pub(super) const MAX_POLICIES: usize = 10_000;

/// All policies.
pub(super) struct Policies<'a> {
    names: Names<'a>,
    regions: &'a Names<'a>,
    /// Whether it is known where a region is, by id.
    locations: Vec<bool>,
    list: Vec<Arc<Policy>>,
    /// The regions that each may lead to, in order.
    reach: Vec<Vec<RegionId>>,
    /// Those that have no name, by what they ask for.
    nameless: HashMap<choice::Key, PolicyId>,
    is_used: Vec<bool>,
    is_full: bool,
    /// Whether all that have a name are as they should be.
    pub(super) is_sound: bool,
}

impl<'a> Policies<'a> {
    /// Those with a name.
    pub(super) fn named(
        written: &'a Written<Named<document::Policy>>,
        regions: &'a Names<'a>,
        resolved: &[Arc<Region>],
        problems: &mut Diagnostics,
    ) -> Self {
        let before = problems.count().0;
        let names = Names::new("policy", written);
        let locations: Vec<_> = resolved.iter().map(|region| region.location.is_some()).collect();
        let targets = Targets { regions, policies: &names, locations: &locations };
        let mut list = Vec::with_capacity(written.len());
        let mut links = Vec::with_capacity(written.len());
        for entry in written.iter() {
            check_policy_name(entry, regions, problems);
            let (kind, to) = kinds::resolve(entry, &targets, problems);
            list.push(Arc::new(Policy { name: entry.name.as_str().into(), kind }));
            links.push(to);
        }
        let places: Vec<_> = written.iter().map(|entry| entry.place).collect();
        graph::check(&names, &places, &links, problems);
        let reach = graph::reach(&list, &links);
        let is_used = vec![false; list.len()];
        let is_sound = before == problems.count().0;
        Self { names, regions, locations, list, reach, nameless: HashMap::new(), is_used, is_full: false, is_sound }
    }

    /// The regions that a policy may lead to.
    pub(super) fn reach(&self, policy: PolicyId) -> &[RegionId] {
        self.reach.get(policy.index()).map_or(&[], Vec::as_slice)
    }

    /// The policy of that name; one that does not exist is reported.
    fn find(&mut self, name: &str, place: Option<Place>, problems: &mut Diagnostics) -> Option<PolicyId> {
        let Some(position) = self.names.position(name) else {
            if !self.names.is_defined(name) {
                let known: Vec<_> = self.names.iter().chain(Policy::KINDS).collect();
                let hint = problems.did_you_mean(name, known.iter().copied());
                let hint = hint.unwrap_or_else(|| format!("define it under `[policies.{name}]`"));
                let error = Diagnostic::error(Code::UnknownPolicy, format!("there is no policy `{name}`"));
                problems.push(error.at(place, "no such policy").hint(hint));
            }
            return None;
        };
        self.is_used[position] = true;
        Some(policy_id(position))
    }

    /// The policy that asks for this, a new one where there is none yet.
    fn share(&mut self, key: choice::Key, problems: &mut Diagnostics) -> Option<PolicyId> {
        if let Some(id) = self.nameless.get(&key) {
            return Some(*id);
        }
        if self.list.len() >= MAX_POLICIES {
            if !std::mem::replace(&mut self.is_full, true) {
                let message = format!(
                    "steered names ask for too many different policies: one config holds at most {MAX_POLICIES}"
                );
                problems.push(Diagnostic::error(Code::TooMany, message));
            }
            return None;
        }
        let alike = self.nameless.keys().filter(|known| known.word == key.word).count();
        let name = if alike == 0 { key.word.to_owned() } else { format!("{}#{}", key.word, alike + 1) };
        let kind = key.kind();
        let id = policy_id(self.list.len());
        self.reach.push(regions_of(&kind));
        self.list.push(Arc::new(Policy { name: name.into(), kind }));
        self.nameless.insert(key, id);
        Some(id)
    }

    /// Warns of those that nobody uses, and gives all of them.
    pub(super) fn finish(
        self,
        written: &Written<Named<document::Policy>>,
        problems: &mut Diagnostics,
    ) -> Vec<Arc<Policy>> {
        let mut is_used = self.is_used;
        graph::spread(&self.list, &mut is_used);
        if !problems.has_errors() {
            for (entry, _) in written.iter().zip(is_used).filter(|(_, is_used)| !is_used) {
                let message = format!("no steered name uses policy `{}`", entry.name);
                let hint = format!("add `policy = \"{}\"` to a steered name, or remove the policy", entry.name);
                problems.push(Diagnostic::warning(Code::UnusedPolicy, message).at(entry.place, "unused").hint(hint));
            }
        }
        self.list
    }
}

/// The regions that a policy names itself, in order.
fn regions_of(kind: &PolicyKind) -> Vec<RegionId> {
    let mut regions: Vec<_> = match kind {
        PolicyKind::Nearest { regions } => regions.iter().map(|(region, _)| *region).collect(),
        PolicyKind::Hash { regions, .. } => regions.iter().map(|(region, _)| *region).collect(),
        PolicyKind::Latency { regions, .. } | PolicyKind::Multivalue { regions, .. } => regions.clone(),
        other => graph::branches(other).filter_map(graph::as_region).collect(),
    };
    regions.sort_unstable();
    regions.dedup();
    regions
}

fn check_policy_name(entry: &document::Entitled<document::Policy>, regions: &Names<'_>, problems: &mut Diagnostics) {
    check_name("policy", &entry.name, entry.place, problems);
    if Policy::KINDS.contains(&entry.name.as_str()) {
        let message = format!("a policy cannot be called `{}`: that is a kind of policies", entry.name);
        problems.push(Diagnostic::error(Code::BadName, message).at(entry.place, "steered names could not say which"));
    }
    if let Some(region) = regions.position(&entry.name) {
        let message = format!("`{}` is the name of a region and of a policy", entry.name);
        let error = duplicate(Code::DuplicateName, message, entry.place, regions.place(region));
        problems.push(error.hint("targets are regions and policies: rename one of them".to_owned()));
    }
}

/// An id from a position. There are at most 10,000 policies, so the cast loses nothing.
fn policy_id(position: usize) -> PolicyId {
    PolicyId(u16::try_from(position).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests;
