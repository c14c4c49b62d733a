//! How DNS is answered, and where addresses are. What changed inside a file is not seen here.

use std::{collections::BTreeMap, path::Path};

use super::{change::Changes, fields};
use crate::{
    config::{Dns, Geo, QueryLog, ResponseRate},
    fleet::Place,
};

/// Networks that are told one by one.
const MAX_TOLD: usize = 100;

pub(super) fn compare(old: &Dns, new: &Dns, changes: &mut Changes) {
    changes.restart("listen.dns_tls", &fields::list(&old.tls), &fields::list(&new.tls));
    changes.restart("listen.dns_https", &fields::list(&old.https), &fields::list(&new.https));
    changes.restart("dns.threads", &old.threads.to_string(), &new.threads.to_string());
    fields::number(changes, "dns", "udp_payload", &old.udp_payload, &new.udp_payload);
    fields::duration(changes, "dns", "tcp_idle_timeout", old.tcp_idle_timeout, new.tcp_idle_timeout);
    fields::number(changes, "dns", "max_tcp_connections", &old.max_tcp_connections, &new.max_tcp_connections);
    let (before, after) = (old.max_tcp_connections_per_client, new.max_tcp_connections_per_client);
    fields::number(changes, "dns", "max_tcp_connections_per_client", &before, &after);
    let nsid = |dns: &Dns| String::from_utf8_lossy(&dns.nsid).into_owned();
    changes.field("dns", "nsid", &or_none(&nsid(old)), &or_none(&nsid(new)));
    let chaos = |dns: &Dns| or_none(dns.chaos.as_deref().unwrap_or_default());
    changes.field("dns", "chaos", &chaos(old), &chaos(new));
    let cookies = |dns: &Dns| match (dns.cookies.is_on, dns.cookies.secret_file.as_deref()) {
        (false, _) => "off".to_owned(),
        (true, None) => "on, with a secret of its own".to_owned(),
        (true, Some(file)) => format!("on, with the secrets in {}", shown(file)),
    };
    changes.field("dns", "cookies", &cookies(old), &cookies(new));
    changes.field("dns", "rate_limit", &rate(old.rate_limit.as_ref()), &rate(new.rate_limit.as_ref()));
    let log = |log: Option<&QueryLog>| {
        log.map_or("off".to_owned(), |log| format!("{} of all to {}", log.sample, shown(&log.path)))
    };
    changes.field("dns", "log", &log(old.log.as_ref()), &log(new.log.as_ref()));
}

fn rate(rate: Option<&ResponseRate>) -> String {
    let Some(rate) = rate else { return "off".to_owned() };
    let ResponseRate { per_second, burst, slip, exempt, v4_prefix, v6_prefix, max_entries } = rate;
    format!(
        "{per_second} a second, {burst} at once, slip {slip}, by /{v4_prefix} and /{v6_prefix}, not {}, {max_entries} kept",
        fields::list(exempt)
    )
}

pub(super) fn compare_geo(old: &Geo, new: &Geo, changes: &mut Changes) {
    let file = |geo: &Geo| geo.database.as_deref().map_or("the built-in one".to_owned(), shown);
    changes.field("geo", "database", &file(old), &file(new));
    fields::duration(changes, "geo", "watch_interval", old.watch_interval, new.watch_interval);
    let before: BTreeMap<_, _> = old.networks.iter().copied().collect();
    let after: BTreeMap<_, _> = new.networks.iter().copied().collect();
    let both: Vec<_> = before.keys().chain(after.keys()).collect();
    let mut changed: Vec<_> = both.into_iter().filter(|network| before.get(network) != after.get(network)).collect();
    changed.sort_unstable();
    changed.dedup();
    for network in changed.iter().take(MAX_TOLD) {
        let place = |place: Option<&Place>| place.map_or("as the database says".to_owned(), place_name);
        changes.field("geo", &format!("network {network}"), &place(before.get(network)), &place(after.get(network)));
    }
    if changed.len() > MAX_TOLD {
        changes.add(format!("geo: {} more networks changed", changed.len() - MAX_TOLD));
    }
}

fn place_name(place: &Place) -> String {
    let Place { continent, country, subdivision, location } = place;
    let areas = [
        continent.map(|continent| continent.as_str().to_owned()),
        country.map(|country| country.to_string()),
        subdivision.map(|part| part.to_string()),
        location.map(|point| format!("{}, {}", point.latitude, point.longitude)),
    ];
    areas.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { format!("`{text}`") }
}

fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}
