//! Values as the words of a change.

use std::{fmt::Display, time::Duration};

use super::change::Changes;
use crate::{
    config::{
        Config,
        document::duration_as_written,
        resolved::{Check, CheckKind},
    },
    fleet::{PoolId, RegionId},
};

pub(super) fn list<T: Display>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    format!("[{}]", items.join(", "))
}

pub(super) fn duration(changes: &mut Changes, subject: &str, field: &str, old: Duration, new: Duration) {
    changes.field(subject, field, &duration_as_written(old), &duration_as_written(new));
}

pub(super) fn number<T: Display + PartialEq>(changes: &mut Changes, subject: &str, field: &str, old: &T, new: &T) {
    if old != new {
        changes.field(subject, field, &old.to_string(), &new.to_string());
    }
}

pub(super) fn statuses(ranges: &[(u16, u16)]) -> String {
    let range = |(first, last): &(u16, u16)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    ranges.iter().map(range).collect::<Vec<_>>().join(", ")
}

pub(super) fn check(subject: &str, old: &Check, new: &Check, changes: &mut Changes) {
    changes.field(subject, "check", &asked(old), &asked(new));
    let (before, after) = (&old.timing, &new.timing);
    duration(changes, subject, "check interval", before.interval, after.interval);
    duration(changes, subject, "check recheck", before.recheck, after.recheck);
    duration(changes, subject, "check timeout", before.timeout, after.timeout);
    number(changes, subject, "check rise", &before.rise, &after.rise);
    number(changes, subject, "check fall", &before.fall, &after.fall);
    number(changes, subject, "check jitter", &before.jitter_percent, &after.jitter_percent);
}

fn asked(check: &Check) -> String {
    let port = check.port.map_or(String::new(), |port| format!(" port {port}"));
    match &check.kind {
        CheckKind::Tcp => format!("TCP{port}"),
        CheckKind::Http { path, host, statuses: (first, last), is_plain } => {
            let plain = if *is_plain { " in the clear" } else { "" };
            format!("HTTP{port} `{path}` of `{host}` for {first}-{last}{plain}")
        }
    }
}

/// The name behind an id, which alone means nothing in another config.
pub(super) fn region_name(config: &Config, id: RegionId) -> &str {
    &config.regions[id.index()].name
}

/// The name behind an id, which alone means nothing in another config.
pub(super) fn pool_name(config: &Config, id: PoolId) -> &str {
    &config.pools[id.index()].name
}
