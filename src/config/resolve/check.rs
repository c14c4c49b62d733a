//! How something is probed.

use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    document,
    resolved::{Check, CheckKind, CheckTiming},
};

/// A check as written, of something called `name`: `tcp` with its defaults where nothing is.
pub(super) fn resolve(written: &document::Check, name: &str, problems: &mut Diagnostics) -> Check {
    match (written.http.as_ref(), written.tcp.as_ref()) {
        (Some(http), _) => Check {
            kind: CheckKind::Http {
                path: http.path.0.as_str().into(),
                host: http.host.as_ref().map_or(name, |host| &host.0).into(),
                statuses: (http.status.0, http.status.1),
                is_plain: http.plain.value,
            },
            port: http.port.as_ref().map(|port| port.value),
            timing: timing(&http.timing, problems),
        },
        (None, Some(tcp)) => Check {
            kind: CheckKind::Tcp,
            port: tcp.port.as_ref().map(|port| port.value),
            timing: timing(&tcp.timing, problems),
        },
        (None, None) => {
            Check { kind: CheckKind::Tcp, port: None, timing: timing(&document::default_timing(), problems) }
        }
    }
}

fn timing(written: &document::Timing, problems: &mut Diagnostics) -> CheckTiming {
    let is_read = !written.recheck.is_stand_in && !written.interval.is_stand_in;
    if is_read && written.recheck.value > written.interval.value {
        let (recheck, interval) = (
            document::duration_as_written(written.recheck.value),
            document::duration_as_written(written.interval.value),
        );
        problems.push(
            Diagnostic::error(
                Code::Contradiction,
                format!("`recheck` ({recheck}) is longer than `interval` ({interval})"),
            )
            .at(
                written.recheck.place.or(written.interval.place),
                "a verdict about to change is looked at sooner, not later",
            )
            .at(written.interval.place.filter(|_| written.recheck.place.is_some()), "the interval")
            .hint(format!("set `recheck` to at most `{interval}`")),
        );
    }
    CheckTiming {
        interval: written.interval.value,
        recheck: written.recheck.value,
        timeout: written.timeout.value,
        rise: written.rise.value,
        fall: written.fall.value,
        jitter_percent: written.jitter.value,
    }
}
