//! Where addresses are, as far as the config says it itself.

use std::collections::HashMap;

use ipnet::IpNet;

use super::{networks, twice::duplicate};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place as At},
        document::{self, Document},
        resolved::Geo,
    },
    fleet::{Location, Place},
};

pub(super) fn resolve(document: &Document, problems: &mut Diagnostics) -> Geo {
    let written = &document.geo.value;
    Geo {
        database: written.database.as_ref().map(|file| file.value.clone()),
        networks: known(&written.networks, written.networks.place, problems),
        watch_interval: written.watch_interval.value,
    }
}

fn known(
    written: &document::Named<document::GeoNetwork>,
    at: Option<At>,
    problems: &mut Diagnostics,
) -> Vec<(IpNet, Place)> {
    if written.len() > networks::MAX {
        problems.push(networks::too_many(written.len(), at));
        return Vec::new();
    }
    let mut seen = HashMap::new();
    let mut known = Vec::with_capacity(written.len());
    for entry in written.iter() {
        let place = place(&entry.name, entry.place, &entry.value, problems);
        let Some(network) = networks::read(&entry.name, entry.place, problems) else { continue };
        if let Some(first) = seen.insert(network, entry.place) {
            problems.push(duplicate(
                Code::DuplicateName,
                format!("network `{network}` is there twice"),
                entry.place,
                first,
            ));
        }
        known.push((network, place));
    }
    known.sort_unstable_by_key(|(network, _)| *network);
    known
}

fn place(name: &str, at: Option<At>, written: &document::GeoNetwork, problems: &mut Diagnostics) -> Place {
    let is_read = !written.continent.is_unreadable()
        && !written.country.is_unreadable()
        && !written.subdivision.is_unreadable()
        && !written.latitude.is_unreadable()
        && !written.longitude.is_unreadable();
    let (latitude, longitude) = (written.latitude.as_ref(), written.longitude.as_ref());
    let location = match (latitude, longitude) {
        (Some(latitude), Some(longitude)) => Some(Location { latitude: latitude.value, longitude: longitude.value }),
        (None, None) => None,
        (one, other) => {
            if is_read {
                let there = one.or(other).and_then(|written| written.place);
                let message = format!("a point has `latitude` and `longitude`, and network `{name}` has one of them");
                problems.push(Diagnostic::error(Code::MissingKey, message).at(there, "the other is missing"));
            }
            None
        }
    };
    let subdivision = written.subdivision.as_ref();
    if let (Some(part), Some(country)) = (subdivision, written.country.as_ref())
        && part.value.country != country.value
    {
        let message = format!("`{}` is no part of `{}`", part.value, country.value);
        problems.push(Diagnostic::error(Code::Contradiction, message).at(part.place, "").at(country.place, ""));
    }
    let place = Place {
        continent: written.continent.as_ref().map(|written| written.value),
        country: written.country.as_ref().map(|written| written.value).or(subdivision.map(|part| part.value.country)),
        subdivision: subdivision.map(|written| written.value),
        location,
    };
    if place == Place::default() && is_read && latitude.or(longitude).is_none() {
        let error = Diagnostic::error(Code::MissingKey, format!("nothing says where network `{name}` is"));
        problems.push(error.at(at, "where?").hint("add `country`, such as `country = \"DE\"`, or a point".to_owned()));
    }
    place
}
