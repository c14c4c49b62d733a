//! Values as the words of a change.

use std::{fmt::Display, sync::Arc, time::Duration};

use super::{change::Changes, tls};
use crate::{
    config::{
        Config,
        document::duration_as_written,
        resolved::{Check, CheckKind, CheckTiming, Checks, HttpCheck, Pattern, Protocol},
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

pub(super) fn checks(subject: &str, old: &Checks, new: &Checks, changes: &mut Changes) {
    let (Some(before), Some(after)) = (old.only(), new.only()) else {
        changes.field(subject, "check", &together(old), &together(new));
        return;
    };
    changes.field(subject, "check", &asked(before), &asked(after));
    let (before, after) = (&before.timing, &after.timing);
    duration(changes, subject, "check interval", before.interval, after.interval);
    duration(changes, subject, "check recheck", before.recheck, after.recheck);
    duration(changes, subject, "check timeout", before.timeout, after.timeout);
    number(changes, subject, "check rise", &before.rise, &after.rise);
    number(changes, subject, "check fall", &before.fall, &after.fall);
    number(changes, subject, "check jitter", &before.jitter_percent, &after.jitter_percent);
    duration(changes, subject, "check long_down", before.long_down, after.long_down);
    duration(changes, subject, "check long_down_after", before.long_down_after, after.long_down_after);
    duration(changes, subject, "check flap_window", before.flap_window, after.flap_window);
    number(changes, subject, "check flaps", &before.flaps, &after.flaps);
}

/// Several checks, with all that they are: what changed between two of these has no name.
fn together(checks: &Checks) -> String {
    match checks {
        Checks::None => "none".to_owned(),
        Checks::One(check) => {
            let CheckTiming { interval, recheck, timeout, rise, fall, jitter_percent, .. } = check.timing;
            let [interval, recheck, timeout] = [interval, recheck, timeout].map(duration_as_written);
            let rest = &check.timing;
            let [long, after, window] =
                [rest.long_down, rest.long_down_after, rest.flap_window].map(duration_as_written);
            format!(
                "{} (every {interval}, then {recheck}, within {timeout}, rise {rise}, fall {fall}, jitter {jitter_percent}, \
                 long down {long} after {after}, {} flaps in {window})",
                asked(check),
                rest.flaps,
            )
        }
        Checks::AtLeast { count, of } => {
            let of: Vec<_> = of.iter().map(together).collect();
            format!("{count} of [{}]", of.join(", "))
        }
    }
}

fn asked(check: &Check) -> String {
    let port = check.port.map_or(String::new(), |port| format!(" port {port}"));
    let what = match &check.kind {
        CheckKind::Tcp { send, expect } if send.is_empty() && expect.is_empty() => format!("TCP{port}"),
        CheckKind::Tcp { send, expect } => {
            format!("TCP{port} sending `{}` for `{}`", send.escape_ascii(), expect.escape_ascii())
        }
        CheckKind::Tls { min_days: 0 } => format!("TLS{port}"),
        CheckKind::Tls { min_days } => format!("TLS{port} valid for {min_days} days"),
        CheckKind::Grpc { service, host } => format!("gRPC{port} `{service}` of `{host}`"),
        CheckKind::Command { program, arguments, .. } => format!("command{port} `{program}` {}", list(arguments)),
        CheckKind::Http(http) => request(http, &port),
    };
    let Some(tls) = &check.tls else { return what };
    format!("{what}, TLS: {}", tls::of_origins(Some(&tls.settings)))
}

fn request(http: &HttpCheck, port: &str) -> String {
    let method = if &*http.method == "GET" { String::new() } else { format!(" {}", http.method) };
    let version = if http.protocol == Protocol::H2 { "/2" } else { "" };
    let mut text =
        format!("HTTP{version}{port}{method} `{}` of `{}` for {}", http.path, http.host, statuses(&http.statuses));
    let pattern = |pattern: &Pattern| match pattern {
        Pattern::Contains(part) => format!("`{part}`"),
        Pattern::Regex(expression) => format!("`/{expression}/`"),
    };
    text.extend(http.headers.iter().map(|(name, value)| format!(", sending `{name}: {value}`")));
    text.extend(http.body.iter().map(|body| format!(", body {}", pattern(body))));
    text.extend(http.header.iter().map(|header| {
        format!(", header `{}` {}", header.name, header.value.as_ref().map_or("there".to_owned(), pattern))
    }));
    let looked_at = |name: &Option<Arc<str>>| name.as_deref().unwrap_or("off").to_owned();
    text.extend(http.reporting.iter().map(|said| {
        format!(", weight from `{}`, drain from `{}`", looked_at(&said.weight_header), looked_at(&said.drain_header))
    }));
    text
}

/// Statuses and ranges of them.
pub(super) fn statuses(all: &[(u16, u16)]) -> String {
    let range = |(first, last): &(u16, u16)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    all.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// The name behind an id, which alone means nothing in another config.
pub(super) fn region_name(config: &Config, id: RegionId) -> &str {
    &config.regions[id.index()].name
}

/// The name behind an id, which alone means nothing in another config.
pub(super) fn pool_name(config: &Config, id: PoolId) -> &str {
    &config.pools[id.index()].name
}
