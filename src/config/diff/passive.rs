//! What requests show of a pool's origins.

use super::{
    change::Changes,
    fields::{self, statuses},
};
use crate::config::{FailureRatio, LatencyOutlier, Passive, PassiveMode, SuccessRate};

pub(super) fn compare(subject: &str, old: &Passive, new: &Passive, changes: &mut Changes) {
    let subject = format!("{subject}: passive");
    let mode = |passive: &Passive| match passive.mode {
        PassiveMode::Enforce => "enforce",
        PassiveMode::Observe => "observe",
        PassiveMode::Off => "off",
    };
    changes.field(&subject, "mode", mode(old), mode(new));
    changes.field(&subject, "statuses", &statuses(&old.statuses), &statuses(&new.statuses));
    fields::number(changes, &subject, "consecutive", &old.consecutive, &new.consecutive);
    fields::duration(changes, &subject, "window", old.window, new.window);
    changes.field(&subject, "success_rate", &rate(old.success_rate), &rate(new.success_rate));
    changes.field(&subject, "failure_ratio", &ratio(old.failure_ratio), &ratio(new.failure_ratio));
    changes.field(&subject, "latency", &latency(old.latency), &latency(new.latency));
    let header = |passive: &Passive| passive.fail_header.as_ref().map_or("none".into(), |name| format!("`{name}`"));
    changes.field(&subject, "fail_header", &header(old), &header(new));
    fields::duration(changes, &subject, "ejection", old.ejection, new.ejection);
    fields::duration(changes, &subject, "max_ejection", old.max_ejection, new.max_ejection);
    fields::number(changes, &subject, "max_ejected", &old.max_ejected_percent, &new.max_ejected_percent);
}

fn rate(rate: Option<SuccessRate>) -> String {
    let Some(SuccessRate { deviations, min_requests, min_failures, min_origins }) = rate else { return "off".into() };
    format!(
        "{deviations} deviations below the mean, from {min_requests} requests, {min_failures} failures and {min_origins} origins on"
    )
}

fn ratio(ratio: Option<FailureRatio>) -> String {
    let Some(FailureRatio { percent, min_requests }) = ratio else { return "off".into() };
    format!("{percent} % from {min_requests} requests on")
}

fn latency(latency: Option<LatencyOutlier>) -> String {
    let Some(LatencyOutlier { factor, min_requests, min_origins }) = latency else { return "off".into() };
    format!("{factor} times the median, from {min_requests} requests and {min_origins} origins on")
}
