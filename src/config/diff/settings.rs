//! Who the node is, where it listens, how it works.

use super::{
    change::Changes,
    fields::{self, region_name},
};
use crate::config::{Config, Http, HttpIdentity, Redirect, Resolver, TraceMode};

pub(super) fn compare(old: &Config, new: &Config, changes: &mut Changes) {
    changes.restart("node.name", &old.node.name, &new.node.name);
    changes.restart("node.region", region_name(old, old.node.region), region_name(new, new.node.region));
    changes.restart("listen.http", &fields::list(&old.listen.http), &fields::list(&new.listen.http));
    changes.restart("listen.https", &fields::list(&old.listen.https), &fields::list(&new.listen.https));
    changes.restart("listen.dns", &fields::list(&old.listen.dns), &fields::list(&new.listen.dns));
    changes.restart("listen.admin", &old.listen.admin.to_string(), &new.listen.admin.to_string());
    changes.restart("http.workers", &old.http.workers.to_string(), &new.http.workers.to_string());
    let connections = |config: &Config| config.http.max_connections.to_string();
    changes.restart("http.max_connections", &connections(old), &connections(new));
    let path = |path: &std::path::Path| path.display().to_string();
    changes.restart("state.directory", &path(&old.state_directory), &path(&new.state_directory));
    changes.restart("admin.token_file", &path(&old.admin.token_file), &path(&new.admin.token_file));

    let (before, after) = (&old.http, &new.http);
    let (most_before, most_after) = (&before.max_connections_per_client, &after.max_connections_per_client);
    fields::number(changes, "http", "max_connections_per_client", most_before, most_after);
    fields::number(changes, "http", "max_head_size", &before.max_head_size, &after.max_head_size);
    fields::number(changes, "http", "max_headers", &before.max_headers, &after.max_headers);
    fields::number(changes, "http", "max_uri_length", &before.max_uri_length, &after.max_uri_length);
    fields::number(changes, "http", "max_body_size", &before.max_body_size, &after.max_body_size);
    fields::duration(changes, "http", "head_timeout", before.head_timeout, after.head_timeout);
    fields::duration(changes, "http", "body_timeout", before.body_timeout, after.body_timeout);
    fields::duration(changes, "http", "idle_timeout", before.idle_timeout, after.idle_timeout);
    fields::duration(changes, "http", "max_connection_age", before.max_connection_age, after.max_connection_age);
    fields::duration(changes, "http", "drain_timeout", before.drain_timeout, after.drain_timeout);
    fields::duration(changes, "http", "drain_pace", before.drain_pace, after.drain_pace);
    let (networks_before, networks_after) =
        (fields::list(&before.trusted_proxies), fields::list(&after.trusted_proxies));
    changes.field("http", "trusted_proxies", &networks_before, &networks_after);
    let (networks_before, networks_after) = (fields::list(&before.proxy_protocol), fields::list(&after.proxy_protocol));
    changes.field("http", "proxy_protocol", &networks_before, &networks_after);
    let text = |redirect: &Option<Redirect>| {
        redirect.as_ref().map_or("off".to_owned(), |to| format!("{} to port {}", to.status, to.port.unwrap_or(443)))
    };
    changes.field("http", "https_redirect", &text(&before.https_redirect), &text(&after.https_redirect));
    let hsts = |http: &Http| http.hsts.as_deref().unwrap_or("off").to_owned();
    changes.field("http", "hsts", &hsts(before), &hsts(after));
    compare_identity(before.identity, after.identity, changes);
    let (before, after) = (&old.http.h2, &new.http.h2);
    fields::number(changes, "http.h2", "max_streams", &before.max_streams, &after.max_streams);
    fields::number(changes, "http.h2", "stream_window", &before.stream_window, &after.stream_window);
    fields::number(changes, "http.h2", "connection_window", &before.connection_window, &after.connection_window);
    fields::number(changes, "http.h2", "max_resets", &before.max_resets, &after.max_resets);
    fields::number(changes, "http.h2", "max_control_frames", &before.max_control_frames, &after.max_control_frames);
    fields::number(changes, "http.h2", "max_empty_frames", &before.max_empty_frames, &after.max_empty_frames);
    fields::number(changes, "http.h2", "max_continuations", &before.max_continuations, &after.max_continuations);

    let (before, after) = (&old.failover, &new.failover);
    fields::duration(changes, "failover", "hold", before.hold, after.hold);
    fields::duration(changes, "failover", "region_hold", before.region_hold, after.region_hold);
    fields::duration(changes, "failover", "ramp", before.ramp, after.ramp);
    fields::number(changes, "failover", "spill_percent", &before.spill_percent, &after.spill_percent);
    fields::number(changes, "health", "max_in_flight", &old.health.max_in_flight, &new.health.max_in_flight);
    fields::number(changes, "health", "max_commands", &old.health.max_commands, &new.health.max_commands);
    compare_resolver(&old.resolver, &new.resolver, changes);
}

fn compare_identity(old: HttpIdentity, new: HttpIdentity, changes: &mut Changes) {
    let keys = [
        ("x_forwarded", old.x_forwarded, new.x_forwarded),
        ("forwarded", old.forwarded, new.forwarded),
        ("via", old.via, new.via),
        ("request_id", old.request_id, new.request_id),
    ];
    for (key, before, after) in keys {
        changes.field("http.identity", key, &before.to_string(), &after.to_string());
    }
    let trace = |identity: HttpIdentity| match identity.trace {
        TraceMode::Keep => "keep",
        TraceMode::Make => "make",
        TraceMode::Restart => "restart",
    };
    changes.field("http.identity", "trace", trace(old), trace(new));
}

fn compare_resolver(old: &Resolver, new: &Resolver, changes: &mut Changes) {
    changes.field("resolver", "servers", &fields::list(&old.servers), &fields::list(&new.servers));
    fields::duration(changes, "resolver", "timeout", old.timeout, new.timeout);
    fields::duration(changes, "resolver", "min_ttl", old.min_ttl, new.min_ttl);
    fields::duration(changes, "resolver", "max_ttl", old.max_ttl, new.max_ttl);
    fields::number(changes, "resolver", "max_in_flight", &old.max_in_flight, &new.max_in_flight);
}
