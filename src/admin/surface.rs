//! What the admin pages read from.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    clock::Clock,
    config::Config,
    control::Handle,
    fleet::{Inspect, InspectRequests},
    table::Table,
    telemetry::Exporter,
};

/// A node, as seen from outside.
#[derive(Debug)]
pub struct Surface {
    pub(super) node: Arc<str>,
    pub(super) region: Arc<str>,
    pub(super) table: Table,
    pub(super) exporter: Exporter,
    pub(super) control: Handle,
    pub(super) dns: Arc<dyn Inspect>,
    pub(super) requests: Arc<dyn InspectRequests>,
    clock: Clock,
    is_draining: AtomicBool,
}

impl Surface {
    /// Of a node with this identity, which a reload does not change.
    pub fn new(
        config: &Config,
        table: Table,
        clock: Clock,
        exporter: Exporter,
        control: Handle,
        (dns, requests): (Arc<dyn Inspect>, Arc<dyn InspectRequests>),
    ) -> Self {
        let region = config.regions.get(config.node.region.index());
        Self {
            node: Arc::clone(&config.node.name),
            region: region.map_or_else(|| "none".into(), |region| Arc::clone(&region.name)),
            table,
            exporter,
            control,
            dns,
            requests,
            clock,
            is_draining: AtomicBool::new(false),
        }
    }

    /// From now on the node is not ready any more.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Time since the node was built.
    pub(super) fn uptime(&self) -> Duration {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }
}
