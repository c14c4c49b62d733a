//! Who this node is, where it listens and how it works.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread::available_parallelism,
};

use super::{names::Names, twice::duplicate};
use crate::{
    config::{
        Identity,
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, Document, List, duration_as_written, is_usable_address},
        resolved::{Admin, Failover, Http, Http2, HttpIdentity, Listen, Node, Redirect, Resolver, TraceMode},
    },
    fleet::RegionId,
};

/// Nothing where the region is not known.
pub(super) fn node(
    document: &Document,
    identity: &Identity,
    regions: &Names<'_>,
    problems: &mut Diagnostics,
) -> Option<Node> {
    let name = match &identity.node_name {
        Some(name) => {
            super::names::check_name("node", name, None, problems);
            name.as_str()
        }
        None => &document.node.name.value.0,
    };
    let position = match (&identity.region, document.node.region.as_ref()) {
        (Some(name), _) => regions.find(name, None, problems),
        (None, Some(name)) => regions.find(name, name.place, problems),
        (None, None) => regions.only().or_else(|| {
            if regions.is_complete() && !document.node.region.is_unreadable() {
                problems.push(unsettled(document, regions));
            }
            None
        }),
    };
    Some(Node { name: name.into(), region: region_id(position?) })
}

fn unsettled(document: &Document, regions: &Names<'_>) -> Diagnostic {
    if regions.len() == 0 {
        return Diagnostic::error(Code::NoRegion, "no region is defined, so nothing could serve traffic")
            .hint("define one: `[regions.home]` with `addresses = [\"192.0.2.10\"]`".to_owned());
    }
    let names: Vec<_> = (0..regions.len().min(5)).map(|at| format!("`{}`", regions.name(at))).collect();
    let more = if regions.len() > names.len() { ", ..." } else { "" };
    Diagnostic::error(Code::NodeRegion, "nothing says in which region this node stands")
        .at(document.node.place, "`region` is missing here")
        .hint(format!("set `node.region`, `--region` or `MERIDIAN_REGION` to one of {}{more}", names.join(", ")))
}

/// Where it listens, for DNS over TLS and over HTTPS apart.
pub(super) fn listen(
    document: &Document,
    identity: &Identity,
    problems: &mut Diagnostics,
) -> (Listen, Vec<SocketAddr>, Vec<SocketAddr>) {
    let mut taken = HashMap::new();
    let http = addresses("listen.http", &document.listen.http, &identity.http, &mut taken, problems);
    let https = addresses("listen.https", &document.listen.https, &identity.https, &mut taken, problems);
    let dns = addresses("listen.dns", &document.listen.dns, &identity.dns, &mut taken, problems);
    let dns_tls = addresses("listen.dns_tls", &document.listen.dns_tls, &[], &mut taken, problems);
    let dns_https = addresses("listen.dns_https", &document.listen.dns_https, &[], &mut taken, problems);
    let admin = identity.admin.unwrap_or(document.listen.admin.value);
    let place = document.listen.admin.place.filter(|_| identity.admin.is_none());
    claim("listen.admin", admin, place, &mut taken, problems);
    (Listen { http, https, dns, admin }, dns_tls, dns_https)
}

type Taken = HashMap<SocketAddr, (&'static str, Option<Place>)>;

fn addresses(
    key: &'static str,
    written: &List<SocketAddr>,
    given: &[SocketAddr],
    taken: &mut Taken,
    problems: &mut Diagnostics,
) -> Vec<SocketAddr> {
    let all: Vec<_> = if given.is_empty() {
        written.items.iter().map(|item| (item.value, item.place)).collect()
    } else {
        given.iter().map(|address| (*address, None)).collect()
    };
    for (address, place) in &all {
        claim(key, *address, *place, taken, problems);
    }
    all.into_iter().map(|(address, _)| address).collect()
}

/// All of them listen on TCP, so no two may have one address. Port 0 is another port each time.
fn claim(key: &'static str, address: SocketAddr, place: Option<Place>, taken: &mut Taken, problems: &mut Diagnostics) {
    if address.port() == 0 {
        return;
    }
    if let Some((first_key, first)) = taken.insert(address, (key, place)) {
        let message = format!("`{address}` is listened on twice, by `{first_key}` and `{key}`");
        problems.push(duplicate(Code::DuplicateAddress, message, place, first));
    }
}

pub(super) fn http(document: &Document) -> Http {
    let http = &document.http.value;
    Http {
        workers: http.workers.as_ref().map_or_else(cores, |workers| workers.value as usize),
        max_connections: http.max_connections.value as usize,
        max_connections_per_client: http.max_connections_per_client.value,
        max_head_size: usize::try_from(http.max_head_size.0).unwrap_or(usize::MAX),
        max_headers: http.max_headers.value as usize,
        max_uri_length: usize::try_from(http.max_uri_length.0).unwrap_or(usize::MAX),
        max_body_size: http.max_body_size.value,
        head_timeout: http.head_timeout.value,
        body_timeout: http.body_timeout.value,
        idle_timeout: http.idle_timeout.value,
        max_connection_age: http.max_connection_age.value,
        drain_timeout: http.drain_timeout.value,
        drain_pace: http.drain_pace.value,
        trusted_proxies: http.trusted_proxies.items.iter().map(|network| network.value).collect(),
        proxy_protocol: http.proxy_protocol.items.iter().map(|network| network.value).collect(),
        identity: identity(&http.identity),
        https_redirect: http.https_redirect.as_ref().map(|redirect| Redirect {
            status: redirect.status.value.0,
            scheme: Some("https"),
            host: None,
            port: (redirect.port.value != 443).then_some(redirect.port.value),
            path: None,
            keep_query: true,
        }),
        hsts: http.hsts.as_ref().map(|hsts| {
            let subdomains = if hsts.include_subdomains.value { "; includeSubDomains" } else { "" };
            let preload = if hsts.preload.value { "; preload" } else { "" };
            format!("max-age={}{subdomains}{preload}", hsts.max_age.value.as_secs()).into()
        }),
        h2: http2(&http.h2),
    }
}

fn identity(identity: &document::HttpIdentity) -> HttpIdentity {
    HttpIdentity {
        x_forwarded: identity.x_forwarded.value,
        forwarded: identity.forwarded.value,
        via: identity.via.value,
        request_id: identity.request_id.value,
        trace: match identity.trace.value {
            document::TraceMode::Keep => TraceMode::Keep,
            document::TraceMode::Make => TraceMode::Make,
            document::TraceMode::Restart => TraceMode::Restart,
        },
    }
}

fn http2(h2: &document::Http2) -> Http2 {
    let bytes = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
    Http2 {
        max_streams: h2.max_streams.value,
        stream_window: bytes(h2.stream_window.0),
        connection_window: bytes(h2.connection_window.0),
        max_resets: h2.max_resets.value,
        max_control_frames: h2.max_control_frames.value,
        max_empty_frames: h2.max_empty_frames.value,
        max_continuations: h2.max_continuations.value,
    }
}

pub(super) fn failover(document: &Document) -> Failover {
    let written = &document.failover;
    Failover {
        hold: written.hold.value,
        region_hold: written.region_hold.value,
        ramp: written.ramp.value,
        spill_percent: written.spill_percent.value,
    }
}

pub(super) fn resolver(document: &Document, problems: &mut Diagnostics) -> Resolver {
    let written = &document.resolver.value;
    for server in &written.servers.items {
        if server.port() == 0 || !is_usable_address(server.ip()) {
            let message = format!("`{}` cannot be a DNS server", server.value);
            problems.push(Diagnostic::error(Code::BadValue, message).at(server.place, "nobody can be asked here"));
        }
    }
    let (min, max) = (&written.min_ttl, &written.max_ttl);
    if !min.is_stand_in && !max.is_stand_in && min.value > max.value {
        let (low, high) = (duration_as_written(min.value), duration_as_written(max.value));
        let message = format!("`min_ttl` ({low}) is longer than `max_ttl` ({high})");
        problems.push(
            Diagnostic::error(Code::Contradiction, message)
                .at(min.place.or(max.place), "no TTL lies between the two")
                .hint(format!("set `max_ttl` to at least `{low}`")),
        );
    }
    Resolver {
        servers: written.servers.items.iter().map(|server| server.value).collect(),
        timeout: written.timeout.value,
        min_ttl: min.value,
        max_ttl: max.value,
        max_in_flight: written.max_in_flight.value as usize,
    }
}

pub(super) fn state_directory(document: &Document, identity: &Identity) -> PathBuf {
    identity.state_directory.clone().unwrap_or_else(|| document.state.directory.value.clone())
}

pub(super) fn admin(document: &Document, state_directory: &Path) -> Admin {
    let written = document.admin.token_file.as_ref().map(|file| file.value.clone());
    Admin { token_file: written.unwrap_or_else(|| state_directory.join("admin.token")) }
}

/// An id from a position. There are at most a thousand regions, so the cast loses nothing.
pub(super) fn region_id(position: usize) -> RegionId {
    RegionId(u16::try_from(position).unwrap_or(u16::MAX))
}

pub(super) fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}
