//! Pools and their origins.

use std::sync::Arc;

use super::{
    balance,
    change::Changes,
    fields::{self, region_name},
    passive, tls,
};
use crate::{
    config::{Config, Pool, Protocol, Retry, SlowStart, Via, WhenAllDown},
    fleet::Address,
};

pub(super) fn compare(old: &Config, new: &Config, changes: &mut Changes) {
    let name = |pool: &Arc<Pool>| Arc::clone(&pool.name);
    let both = changes.members(&old.pools, &new.pools, name, |name| format!("pool `{name}`"));
    for (name, before, after) in both {
        let subject = format!("pool `{name}`");
        compare_settings(&subject, before, after, changes);
        let resort = |config: &Config, pool: &Pool| {
            pool.last_resort.map_or("none".to_owned(), |id| config.pools[id.index()].name.to_string())
        };
        changes.field(&subject, "last_resort", &resort(old, before), &resort(new, after));
        compare_origins(&subject, (old, before), (new, after), changes);
    }
}

fn compare_settings(subject: &str, old: &Pool, new: &Pool, changes: &mut Changes) {
    let word = |pool: &Pool| match pool.when_all_down {
        WhenAllDown::Open => "open",
        WhenAllDown::Closed => "closed",
    };
    changes.field(subject, "when_all_down", word(old), word(new));
    let via = |pool: &Pool| match pool.via {
        Via::Direct => "direct",
        Via::FrontDoor => "front-door",
    };
    changes.field(subject, "via", via(old), via(new));
    fields::number(changes, subject, "retries", &old.retries, &new.retries);
    slow_start(subject, &old.slow_start, &new.slow_start, changes);
    retry(subject, &old.retry, &new.retry, changes);
    fields::number(changes, subject, "max_connections", &old.max_connections, &new.max_connections);
    fields::duration(changes, subject, "max_connection_age", old.max_connection_age, new.max_connection_age);
    fields::number(changes, subject, "max_connecting", &old.max_connecting, &new.max_connecting);
    fields::number(changes, subject, "max_idle_connections", &old.max_idle_connections, &new.max_idle_connections);
    fields::duration(changes, subject, "idle_timeout", old.idle_timeout, new.idle_timeout);
    fields::duration(changes, subject, "connect timeout", old.timeouts.connect, new.timeouts.connect);
    fields::duration(changes, subject, "response head timeout", old.timeouts.response_head, new.timeouts.response_head);
    fields::duration(changes, subject, "between bytes timeout", old.timeouts.between_bytes, new.timeouts.between_bytes);
    fields::duration(changes, subject, "tunnel idle timeout", old.timeouts.tunnel_idle, new.timeouts.tunnel_idle);
    let protocol = |pool: &Pool| match pool.protocol {
        Protocol::H1 => "h1",
        Protocol::H2 => "h2",
    };
    changes.field(subject, "protocol", protocol(old), protocol(new));
    changes.field(subject, "tls", &tls::of_origins(old.tls.as_ref()), &tls::of_origins(new.tls.as_ref()));
    balance::compare(subject, &old.balancing, &new.balancing, changes);
    fields::checks(subject, &old.check, &new.check, changes);
    passive::compare(subject, &old.passive, &new.passive, changes);
}

fn slow_start(subject: &str, old: &SlowStart, new: &SlowStart, changes: &mut Changes) {
    let subject = format!("{subject}: slow_start");
    fields::duration(changes, &subject, "window", old.window, new.window);
    fields::number(changes, &subject, "least_percent", &old.least_percent, &new.least_percent);
    fields::number(changes, &subject, "aggression", &old.aggression, &new.aggression);
}

fn retry(subject: &str, old: &Retry, new: &Retry, changes: &mut Changes) {
    let subject = format!("{subject}: retry");
    fields::number(changes, &subject, "budget_percent", &old.budget_percent, &new.budget_percent);
    fields::number(changes, &subject, "budget_per_second", &old.budget_per_second, &new.budget_per_second);
    fields::duration(changes, &subject, "backoff", old.backoff, new.backoff);
    fields::duration(changes, &subject, "max_backoff", old.max_backoff, new.max_backoff);
    fields::number(changes, &subject, "max_body", &old.max_body, &new.max_body);
    changes.field(&subject, "statuses", &fields::statuses(&old.statuses), &fields::statuses(&new.statuses));
}

fn compare_origins(
    subject: &str,
    (old, before): (&Config, &Pool),
    (new, after): (&Config, &Pool),
    changes: &mut Changes,
) {
    let describe = |address: &Address| format!("{subject}: origin {address}");
    let both = changes.members(&before.origins, &after.origins, |origin| origin.address.clone(), describe);
    for (address, origin_before, origin_after) in both {
        let origin = describe(&address);
        fields::number(changes, &origin, "weight", &origin_before.weight, &origin_after.weight);
        fields::number(changes, &origin, "tier", &origin_before.tier, &origin_after.tier);
        let (region_before, region_after) =
            (region_name(old, origin_before.region), region_name(new, origin_after.region));
        changes.field(&origin, "region", region_before, region_after);
    }
}
