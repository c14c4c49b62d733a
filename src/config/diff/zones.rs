//! Zones, their records and their steered names.

use std::sync::Arc;

use super::{
    change::Changes,
    fields::{self, pool_name},
};
use crate::config::{Config, RecordSet, Steered, Zone};

pub(super) fn compare(old: &Config, new: &Config, changes: &mut Changes) {
    let name = |zone: &Arc<Zone>| zone.name.to_string();
    let both = changes.members(&old.zones, &new.zones, name, |name| format!("zone `{name}`"));
    for (name, before, after) in both {
        let subject = format!("zone `{name}`");
        changes.field(&subject, "nameservers", &fields::list(&before.nameservers), &fields::list(&after.nameservers));
        changes.field(&subject, "contact", &before.soa.contact.to_string(), &after.soa.contact.to_string());
        fields::number(changes, &subject, "ttl", &before.ttl, &after.ttl);
        fields::number(changes, &subject, "negative_ttl", &before.soa.negative_ttl, &after.soa.negative_ttl);
        compare_records(&subject, before, after, changes);
        compare_steering(&subject, (old, before), (new, after), changes);
    }
}

fn compare_records(subject: &str, old: &Zone, new: &Zone, changes: &mut Changes) {
    let key = |set: &RecordSet| (set.owner.to_string(), kind(set));
    let describe = |(owner, kind): &(String, &str)| format!("{subject}: {kind} records of `{owner}`");
    let both = changes.members(&old.records, &new.records, key, describe);
    for (key, before, after) in both {
        if before.data != after.data {
            changes.add(format!("{} changed", describe(&key)));
        }
        fields::number(changes, &describe(&key), "ttl", &before.ttl, &after.ttl);
    }
}

fn kind(set: &RecordSet) -> &'static str {
    match set.kind {
        1 => "A",
        28 => "AAAA",
        5 => "CNAME",
        2 => "NS",
        16 => "TXT",
        15 => "MX",
        33 => "SRV",
        257 => "CAA",
        _ => "other",
    }
}

fn compare_steering(
    subject: &str,
    (old, before): (&Config, &Zone),
    (new, after): (&Config, &Zone),
    changes: &mut Changes,
) {
    let owner = |steered: &Steered| steered.owner.to_string();
    let describe = |owner: &String| format!("{subject}: steered name `{owner}`");
    let both = changes.members(&before.steered, &after.steered, owner, describe);
    for (owner, before, after) in both {
        let subject = describe(&owner);
        let pools = |config: &Config, steered: &Steered| {
            fields::list(&steered.pools.iter().map(|pool| pool_name(config, *pool)).collect::<Vec<_>>())
        };
        changes.field(&subject, "pools", &pools(old, before), &pools(new, after));
        let policy = |config: &Config, steered: &Steered| format!("{:?}", config.policies[steered.policy.index()]);
        changes.field(&subject, "policy", &policy(old, before), &policy(new, after));
        fields::number(changes, &subject, "ttl", &before.ttl, &after.ttl);
    }
}
