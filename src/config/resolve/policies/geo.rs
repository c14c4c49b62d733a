//! Policies by place: networks, parts of countries, countries and continents, each once.

use std::{collections::HashMap, str::FromStr};

use super::kinds::One;
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Place},
        document::{self, Named, Text, Written},
        resolve::{networks, twice::duplicate},
        resolved::{Area, Branch, PolicyKind},
    },
    fleet::{Continent, Country, Subdivision},
};

pub(super) fn resolve(written: &document::GeoPolicy, one: &mut One<'_>) -> Option<PolicyKind> {
    let mut networks = Vec::with_capacity(written.networks.len());
    let mut seen = HashMap::new();
    if written.networks.len() > networks::MAX {
        one.problems.push(networks::too_many(written.networks.len(), written.networks.place));
        return None;
    }
    for entry in written.networks.iter() {
        let network = networks::read(&entry.name, entry.place, one.problems);
        let branch = one.branch(&entry.value, entry.place);
        let Some(network) = network else { continue };
        if let Some(first) = seen.insert(network, entry.place) {
            one.problems.push(duplicate(
                Code::DuplicateName,
                format!("network `{network}` is there twice"),
                entry.place,
                first,
            ));
        }
        networks.extend(branch.map(|branch| (network, branch)));
    }
    let mut areas = Areas { seen: HashMap::new(), found: Vec::new() };
    areas.add(&written.subdivisions, |area: Subdivision| Area::Subdivision(area), one);
    areas.add(&written.countries, |area: Country| Area::Country(area), one);
    areas.add(&written.continents, |area: Continent| Area::Continent(area), one);
    let default = written.default.as_ref()?;
    let default = one.branch(&default.value, default.place)?;
    Some(PolicyKind::Geo { networks, areas: areas.found, default })
}

struct Areas {
    seen: HashMap<Area, Option<Place>>,
    found: Vec<(Area, Branch)>,
}

impl Areas {
    fn add<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        written: &Written<Named<Text>>,
        area: impl Fn(T) -> Area,
        one: &mut One<'_>,
    ) {
        for entry in written.iter() {
            let branch = one.branch(&entry.value, entry.place);
            let area = match entry.name.parse() {
                Ok(place) => area(place),
                Err(error) => {
                    let message = format!("`{}` is no place: {error}", entry.name.escape_debug());
                    one.problems.push(Diagnostic::error(Code::BadName, message).at(entry.place, "nowhere"));
                    continue;
                }
            };
            if let Some(first) = self.seen.insert(area, entry.place) {
                let message = format!("`{}` is there twice", entry.name);
                one.problems.push(duplicate(Code::DuplicateName, message, entry.place, first));
            }
            self.found.extend(branch.map(|branch| (area, branch)));
        }
    }
}
