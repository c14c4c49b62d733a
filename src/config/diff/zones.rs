//! Zones, their records and their steered names.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use super::{
    change::Changes,
    fields::{self, pool_name, region_name},
    policies,
};
use crate::{
    config::{Alias, Config, Https, RecordSet, Steered, Zone, record::kind},
    fleet::DnsName,
};

/// Names of one zone whose records are told one by one: a zone file that was written anew would fill the log.
const MAX_TOLD: usize = 100;

pub(super) fn compare(old: &Config, new: &Config, changes: &mut Changes) {
    let name = |zone: &Arc<Zone>| zone.name.to_string();
    let both = changes.members(&old.zones, &new.zones, name, |name| format!("zone `{name}`"));
    for (name, before, after) in both {
        let subject = format!("zone `{name}`");
        compare_apex(&subject, before, after, changes);
        compare_records(&subject, before, after, changes);
        compare_aliases(&subject, before, after, changes);
        compare_steering(&subject, (old, before), (new, after), changes);
    }
}

fn compare_apex(subject: &str, old: &Zone, new: &Zone, changes: &mut Changes) {
    changes.field(subject, "nameservers", &fields::list(&old.nameservers), &fields::list(&new.nameservers));
    let files = |zone: &Zone| fields::list(&zone.files.iter().map(|file| file.display()).collect::<Vec<_>>());
    if old.files.len().max(new.files.len()) > MAX_TOLD {
        changes.plain(subject, "files", &old.files, &new.files);
    } else {
        changes.field(subject, "files", &files(old), &files(new));
    }
    changes.field(subject, "primary", &old.soa.primary.to_string(), &new.soa.primary.to_string());
    changes.field(subject, "contact", &old.soa.contact.to_string(), &new.soa.contact.to_string());
    fields::number(changes, subject, "refresh", &old.soa.refresh, &new.soa.refresh);
    fields::number(changes, subject, "retry", &old.soa.retry, &new.soa.retry);
    fields::number(changes, subject, "expire", &old.soa.expire, &new.soa.expire);
    fields::number(changes, subject, "ttl", &old.ttl, &new.ttl);
    fields::number(changes, subject, "negative_ttl", &old.soa.negative_ttl, &new.soa.negative_ttl);
    fields::number(changes, subject, "client_subnet", &old.client_subnet, &new.client_subnet);
}

fn compare_records(subject: &str, old: &Zone, new: &Zone, changes: &mut Changes) {
    let mut told = Vec::new();
    let describe = |set: &RecordSet| format!("{subject}: {} records of `{}`", kind_name(set), set.owner);
    for (before, after) in side_by_side(&old.records, &new.records, |set| (set.owner.as_wire(), set.kind)) {
        match (before, after) {
            (None, Some(set)) => told.push(format!("{} came", describe(set))),
            (Some(set), None) => told.push(format!("{} went", describe(set))),
            (Some(before), Some(after)) => {
                if !is_same(&before.data, &after.data) {
                    told.push(format!("{} changed", describe(after)));
                }
                if before.ttl != after.ttl {
                    told.push(format!("{}: ttl is now {}, was {}", describe(after), after.ttl, before.ttl));
                }
            }
            (None, None) => {}
        }
    }
    tell(subject, "records", told, changes);
}

fn compare_aliases(subject: &str, old: &Zone, new: &Zone, changes: &mut Changes) {
    let mut told = Vec::new();
    for (before, after) in side_by_side(&old.aliases, &new.aliases, |alias: &Alias| alias.owner.as_wire()) {
        let target = |alias: Option<&Alias>| alias.map_or("none".to_owned(), |alias| alias.target.to_string());
        let Some(Alias { owner, .. }) = before.or(after) else { continue };
        if before != after {
            told.push(format!("{subject}: alias of `{owner}` is now {}, was {}", target(after), target(before)));
        }
    }
    tell(subject, "aliases", told, changes);
}

fn tell(subject: &str, what: &str, told: Vec<String>, changes: &mut Changes) {
    let more = told.len().saturating_sub(MAX_TOLD);
    told.into_iter().take(MAX_TOLD).for_each(|one| changes.add(one));
    if more > 0 {
        changes.add(format!("{subject}: {more} more changes of {what}"));
    }
}

/// The same records, in whatever order.
fn is_same(old: &[Box<[u8]>], new: &[Box<[u8]>]) -> bool {
    let sorted = |data: &[Box<[u8]>]| {
        let mut sorted: Vec<_> = data.to_vec();
        sorted.sort_unstable();
        sorted
    };
    old == new || (old.len() == new.len() && sorted(old) == sorted(new))
}

/// What has the same key on both sides, and what is on one alone, in key order.
fn side_by_side<'a, T, K: Ord>(
    old: &'a [T],
    new: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
    let mut both: BTreeMap<K, (Option<&T>, Option<&T>)> = BTreeMap::new();
    for one in old {
        both.entry(key(one)).or_default().0 = Some(one);
    }
    for one in new {
        both.entry(key(one)).or_default().1 = Some(one);
    }
    both.into_values()
}

fn kind_name(set: &RecordSet) -> Cow<'static, str> {
    kind::name(set.kind)
}

fn compare_steering(
    subject: &str,
    (old, before): (&Config, &Zone),
    (new, after): (&Config, &Zone),
    changes: &mut Changes,
) {
    let describe = |owner: &DnsName| format!("{subject}: steered name `{owner}`");
    for (before, after) in side_by_side(&before.steered, &after.steered, |one| one.owner.as_wire()) {
        match (before, after) {
            (None, Some(one)) => changes.add(format!("{} came", describe(&one.owner))),
            (Some(one), None) => changes.add(format!("{} went", describe(&one.owner))),
            (Some(before), Some(after)) => {
                compare_steered(&describe(&after.owner), (old, before), (new, after), changes);
            }
            (None, None) => {}
        }
    }
}

fn compare_steered(
    subject: &str,
    (old, before): (&Config, &Steered),
    (new, after): (&Config, &Steered),
    changes: &mut Changes,
) {
    let pools = |config: &Config, steered: &Steered| {
        fields::list(&steered.pools.iter().map(|pool| pool_name(config, *pool)).collect::<Vec<_>>())
    };
    changes.field(subject, "pools", &pools(old, before), &pools(new, after));
    let (policy_before, policy_after) = (policies::called(old, before.policy), policies::called(new, after.policy));
    changes.field(subject, "policy", &policy_before, &policy_after);
    // What a policy leads to is told with the policy.
    if policy_before == policy_after {
        let permitted = |config: &Config, steered: &Steered| {
            fields::list(&steered.permitted.iter().map(|region| region_name(config, *region)).collect::<Vec<_>>())
        };
        changes.field(subject, "regions", &permitted(old, before), &permitted(new, after));
    }
    fields::number(changes, subject, "ttl", &before.ttl, &after.ttl);
    fields::number(changes, subject, "min_ttl", &before.min_ttl, &after.min_ttl);
    changes.field(subject, "https", &https(before.https.as_ref()), &https(after.https.as_ref()));
}

fn https(https: Option<&Https>) -> String {
    https.map_or_else(
        || "off".to_owned(),
        |https| format!("{} on port {}", fields::list(&https.alpn), https.port.unwrap_or(443)),
    )
}
