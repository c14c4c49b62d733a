//! What requests show of a pool's origins.

use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    document,
    resolved::{FailureRatio, LatencyOutlier, Passive, PassiveMode, SuccessRate},
};

pub(super) fn resolve(written: &document::Passive, problems: &mut Diagnostics) -> Passive {
    check_spans(written, problems);
    let rate = &written.success_rate;
    Passive {
        mode: match written.mode.value {
            document::PassiveMode::Enforce => PassiveMode::Enforce,
            document::PassiveMode::Observe => PassiveMode::Observe,
            document::PassiveMode::Off => PassiveMode::Off,
        },
        statuses: written.statuses.items.iter().map(|statuses| (statuses.value.0, statuses.value.1)).collect(),
        consecutive: written.consecutive.value,
        window: written.window.value,
        success_rate: rate.enabled.value.then_some(SuccessRate {
            deviations: rate.deviations.value,
            min_requests: rate.min_requests.value,
            min_failures: rate.min_failures.value,
            min_origins: rate.min_origins.value as usize,
        }),
        failure_ratio: written
            .failure_ratio
            .as_ref()
            .map(|ratio| FailureRatio { percent: ratio.percent.value, min_requests: ratio.min_requests.value }),
        latency: written.latency.as_ref().map(|latency| LatencyOutlier {
            factor: latency.factor.value,
            min_requests: latency.min_requests.value,
            min_origins: latency.min_origins.value as usize,
        }),
        fail_header: written.fail_header.as_ref().map(|name| name.0.as_str().into()),
        ejection: written.ejection.value,
        max_ejection: written.max_ejection.value,
        max_ejected_percent: written.max_ejected.value,
    }
}

fn check_spans(written: &document::Passive, problems: &mut Diagnostics) {
    let (first, longest) = (&written.ejection, &written.max_ejection);
    if first.is_stand_in || longest.is_stand_in || first.value <= longest.value {
        return;
    }
    let [first_text, longest_text] = [first.value, longest.value].map(document::duration_as_written);
    problems.push(
        Diagnostic::error(
            Code::Contradiction,
            format!("`ejection` ({first_text}) is longer than `max_ejection` ({longest_text})"),
        )
        .at(first.place.or(longest.place), "the first ejection is the shortest one")
        .at(longest.place.filter(|_| first.place.is_some()), "the longest")
        .hint(format!("set `max_ejection` to at least `{first_text}`")),
    );
}
