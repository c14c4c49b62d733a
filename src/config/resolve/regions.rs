//! Regions and their front doors.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use super::{
    check::{Owner, SharedChecks},
    names::check_name,
    neighbours::neighbours,
    tls,
    twice::duplicate,
};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, Document, is_usable_address},
        resolved::{FrontDoor, Listen, Region},
    },
    fleet::Location,
};

/// Where a front door is probed if nobody says and this node has no HTTP listener of its own.
const HTTP_PORT: u16 = 80;
/// The same by TLS.
const HTTPS_PORT: u16 = 443;

pub(super) fn resolve(
    document: &Document,
    listen: &Listen,
    checks: &SharedChecks<'_>,
    problems: &mut Diagnostics,
) -> Vec<Arc<Region>> {
    let first = |listeners: &[SocketAddr]| listeners.first().map(SocketAddr::port).filter(|port| *port > 0);
    let ports = [first(&listen.http).unwrap_or(HTTP_PORT), first(&listen.https).unwrap_or(HTTPS_PORT)];
    let locations: Vec<_> = document.regions.iter().map(|region| location(&region.value)).collect();
    check_jurisdictions(document, problems);
    let mut doors = HashMap::new();
    let regions = document.regions.iter().zip(neighbours(&locations)).map(|(region, neighbours)| {
        check_name("region", &region.name, region.place, problems);
        let door = &region.value.front_door;
        let tls = door.tls.as_ref().map(|written| tls::origins(written, written.place, problems));
        let owner = Owner::door(&region.name, ports, tls.as_ref());
        Arc::new(Region {
            name: region.name.as_str().into(),
            location: location(&region.value),
            jurisdiction: region.value.jurisdiction.as_ref().map(|name| name.0.as_str().into()),
            addresses: front_door(&region.name, region.place, &region.value, &mut doors, problems),
            capacity_per_second: region.value.capacity.as_ref().map_or(0, |capacity| capacity.0),
            front_door: FrontDoor {
                port: door.port.as_ref().map_or(if door.tls.as_ref().is_some() { 443 } else { 80 }, |port| port.value),
                tls: tls.clone(),
            },
            check: checks.resolve(&region.value.check, &owner, problems),
            neighbours,
        })
    });
    regions.collect()
}

/// `residency` names both: where a jurisdiction is called as a region is, that region has to be part of it.
fn check_jurisdictions(document: &Document, problems: &mut Diagnostics) {
    let written = |region: &document::Region| region.jurisdiction.as_ref().map(|one| (one.0.clone(), one.place));
    let jurisdictions: HashMap<_, _> = document.regions.iter().filter_map(|region| written(&region.value)).collect();
    for region in document.regions.iter() {
        let Some(place) = jurisdictions.get(&region.name) else { continue };
        let own = &region.value.jurisdiction;
        if own.as_ref().is_none_or(|own| own.0 != region.name) && !own.is_unreadable() {
            let message = format!("`{}` is a jurisdiction, and a region outside it", region.name);
            let error = Diagnostic::error(Code::DuplicateName, message)
                .at(region.place, "the region")
                .at(*place, "the jurisdiction");
            problems.push(error.hint("`residency` could not say which: rename one of them".to_owned()));
        }
    }
}

fn location(region: &document::Region) -> Option<Location> {
    let location = region.location.as_ref()?;
    Some(Location { latitude: location.latitude.as_ref()?.value, longitude: location.longitude.as_ref()?.value })
}

fn front_door<'a>(
    name: &'a str,
    place: Option<Place>,
    region: &document::Region,
    doors: &mut HashMap<IpAddr, (&'a str, Option<Place>)>,
    problems: &mut Diagnostics,
) -> Vec<IpAddr> {
    let Some(addresses) = &region.addresses else { return Vec::new() };
    if addresses.items.is_empty() && !addresses.is_broken {
        let error = Diagnostic::error(Code::MissingKey, format!("region `{name}` has no front-door address"));
        problems.push(error.at(addresses.place.or(place), "at least one address is needed"));
    }
    for address in &addresses.items {
        if !is_usable_address(address.value) {
            let message = format!("`{}` cannot be a front door", address.value);
            let error = Diagnostic::error(Code::BadValue, message).at(address.place, "no client could reach this");
            problems.push(error.hint("write the address that clients connect to".to_owned()));
        }
        if let Some((first, first_place)) = doors.insert(address.value, (name, address.place)) {
            let message = format!("`{}` is the front door of `{first}` and of `{name}`", address.value);
            problems.push(duplicate(Code::DuplicateAddress, message, address.place, first_place));
        }
    }
    addresses.items.iter().map(|address| address.value).collect()
}
