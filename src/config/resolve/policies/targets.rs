//! What policies lead to: regions, and other policies.

use std::collections::HashMap;

use super::policy_id;
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{List, Named, Text, Written},
        resolve::{names::Names, node::region_id, twice::duplicate},
        resolved::Branch,
    },
    fleet::RegionId,
};

/// All that there can be.
pub(super) struct Targets<'a> {
    pub(super) regions: &'a Names<'a>,
    pub(super) policies: &'a Names<'a>,
    /// Whether it is known where a region is, by id.
    pub(super) locations: &'a [bool],
}

impl Targets<'_> {
    /// What a name stands for; what it does not is reported.
    pub(super) fn find(&self, name: &str, place: Option<Place>, problems: &mut Diagnostics) -> Option<Branch> {
        let region = self.regions.position(name).map(|position| Branch::Region(region_id(position)));
        let found = region.or_else(|| self.policies.position(name).map(|position| Branch::Policy(policy_id(position))));
        if found.is_none() && !self.regions.is_defined(name) && !self.policies.is_defined(name) {
            let known: Vec<_> = self.regions.iter().chain(self.policies.iter()).collect();
            let hint = problems.did_you_mean(name, known.iter().copied());
            let hint = hint.unwrap_or_else(|| "a target is the name of a region or of a policy".to_owned());
            let error = Diagnostic::error(Code::UnknownPolicy, format!("there is no region and no policy `{name}`"));
            problems.push(error.at(place, "leads nowhere").hint(hint));
        }
        found
    }

    /// A region, and not a policy.
    pub(super) fn region(&self, name: &str, place: Option<Place>, problems: &mut Diagnostics) -> Option<RegionId> {
        if self.policies.position(name).is_some() && self.regions.position(name).is_none() {
            let message = format!("`{name}` is a policy, and only regions can stand here");
            problems.push(Diagnostic::error(Code::UnknownRegion, message).at(place, "no region"));
            return None;
        }
        self.regions.find(name, place, problems).map(region_id)
    }

    /// A list of regions, each once, in its order.
    pub(super) fn regions(&self, written: &Written<List<Text>>, problems: &mut Diagnostics) -> Vec<RegionId> {
        let mut seen = HashMap::new();
        let mut regions = Vec::with_capacity(written.items.len());
        for item in &written.items {
            let Some(region) = self.region(&item.value, item.place, problems) else { continue };
            if let Some(first) = seen.insert(region, item.place) {
                let message = format!("region `{}` is listed twice", item.value.0);
                problems.push(duplicate(Code::DuplicateName, message, item.place, first));
                continue;
            }
            regions.push(region);
        }
        regions
    }

    /// Weights of regions above 0, in id order.
    pub(super) fn weights(&self, written: &Named<u32>, problems: &mut Diagnostics) -> Vec<(RegionId, u32)> {
        let found = written.iter().filter_map(|entry| {
            let region = self.region(&entry.name, entry.place, problems)?;
            Some((region, entry.value))
        });
        let mut weights: Vec<_> = found.filter(|(_, weight)| *weight > 0).collect();
        weights.sort_unstable();
        weights
    }

    /// All regions.
    pub(super) fn all(&self) -> Vec<RegionId> {
        (0..self.regions.len()).map(region_id).collect()
    }

    /// All regions of which it is known where they are.
    pub(super) fn located(&self) -> Vec<RegionId> {
        self.all().into_iter().filter(|region| self.is_located(*region)).collect()
    }

    pub(super) fn is_located(&self, region: RegionId) -> bool {
        self.locations.get(region.index()).copied().unwrap_or_default()
    }

    /// Warns of regions that distances cannot be told of, for whatever chooses by them.
    pub(super) fn warn_of_unknown_places(
        &self,
        regions: &[RegionId],
        (what, place): (&str, Option<Place>),
        fate: &str,
        problems: &mut Diagnostics,
    ) {
        let unknown: Vec<_> = regions.iter().filter(|region| !self.is_located(**region)).collect();
        let Some(first) = unknown.first() else { return };
        let name = self.regions.name(first.index());
        let more = if unknown.len() > 1 { format!(" and {} more", unknown.len() - 1) } else { String::new() };
        let message = format!("{what} chooses by distance, and nobody says where region `{name}`{more} is");
        let warning = Diagnostic::warning(Code::NoLocation, message).at(place, fate);
        let hint = format!("add `location = {{ latitude = ..., longitude = ... }}` to `[regions.{name}]`");
        problems.push(warning.at(self.regions.place(first.index()), "no `location`").hint(hint));
    }
}
