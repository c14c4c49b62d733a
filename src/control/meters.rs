//! What control counts and shows. Handles are made once per membership and held: looking a label up costs more than a signal.
//!
//! The recorder has to be installed before control is opened, or the handles lead nowhere.

use std::sync::Arc;

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

use crate::{
    fleet::{Address, Health, Source},
    telemetry::{Histogram, explain_histogram, histogram},
};

/// The meters that do not belong to a subject.
pub(super) struct Meters {
    signals: [Counter; Source::ALL.len()],
    /// Signals about what does not exist (any more).
    pub(super) ignored_unknown: Counter,
    /// Signals in an operator's name, who has to use commands.
    pub(super) ignored_operator: Counter,
    /// Revision of the generation.
    pub(super) generation: Gauge,
    /// Overrides in force or waiting for their subject.
    pub(super) overrides: Gauge,
    /// 1 while the node suspects itself.
    pub(super) suspects_itself: Gauge,
    /// From the last good probe of an origin or a front door until its row said that it is down.
    failover: [Arc<Histogram>; 2],
}

impl Meters {
    pub(super) fn new() -> Self {
        describe();
        let ignored = |reason: &'static str| counter!("meridian_control_signals_ignored_total", "reason" => reason);
        Self {
            signals: Source::ALL.map(|source| counter!("meridian_control_signals_total", "source" => source.as_str())),
            ignored_unknown: ignored("unknown_subject"),
            ignored_operator: ignored("operator_without_command"),
            generation: gauge!("meridian_control_generation"),
            overrides: gauge!("meridian_control_overrides"),
            suspects_itself: gauge!("meridian_control_suspects_itself"),
            failover: ["origin", "front-door"].map(|of| histogram("meridian_failover_seconds", &[("of", of)])),
        }
    }

    pub(super) fn failover(&self, of_front_door: bool) -> &Histogram {
        &self.failover[usize::from(of_front_door)]
    }

    pub(super) fn signals(&self, source: Source) -> &Counter {
        &self.signals[source as usize]
    }
}

fn describe() {
    explain_histogram(
        "meridian_failover_seconds",
        "From the last good probe of an origin or a front door until its row said down, from when on nobody new is sent there; without what an \
         operator took down, and without ejections of what its check goes on finding good",
    );
    describe_counter!("meridian_control_signals_total", "Signals received, by source");
    describe_counter!("meridian_control_signals_ignored_total", "Signals that changed nothing, by reason");
    describe_gauge!("meridian_control_generation", "Revision of the membership in force");
    describe_gauge!("meridian_control_overrides", "Overrides in force or waiting for their subject");
    describe_gauge!("meridian_control_suspects_itself", "1 while the node doubts its own probes");
    describe_gauge!("meridian_origin_up", "1 if the origin is believed to be up");
    describe_gauge!("meridian_front_door_up", "1 if the region's front door is believed to be up");
    describe_gauge!("meridian_pool_region_usable_ratio", "Usable share of the configured weight of a pool in a region");
}

pub(super) fn origin_up(pool: &str, origin: &Address) -> Gauge {
    gauge!("meridian_origin_up", "pool" => pool.to_owned(), "origin" => origin.to_string())
}

pub(super) fn front_door_up(region: &str) -> Gauge {
    gauge!("meridian_front_door_up", "region" => region.to_owned())
}

pub(super) fn usable_ratio(pool: &str, region: &str) -> Gauge {
    gauge!("meridian_pool_region_usable_ratio", "pool" => pool.to_owned(), "region" => region.to_owned())
}

/// How a health is drawn.
pub(super) fn level(health: Health) -> f64 {
    if health == Health::Up { 1.0 } else { 0.0 }
}
