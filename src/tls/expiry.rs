//! When certificates end, in metrics.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use metrics::Gauge;

/// What tells it of one file; configs that follow each other share it, and what the last of them lets go of ends as no number.
pub(super) struct ExpiryGauge(Gauge);

/// By the name of the file.
pub(super) type ExpiryGauges = BTreeMap<Arc<str>, Arc<ExpiryGauge>>;

impl ExpiryGauge {
    pub(super) fn of(file: &Arc<str>, previous: Option<&ExpiryGauges>) -> Arc<Self> {
        let shared = previous.and_then(|gauges| gauges.get(file));
        let made = || {
            let gauge = metrics::gauge!("meridian_tls_certificate_expiry_seconds", "certificate" => file.to_string());
            Arc::new(Self(gauge))
        };
        shared.map_or_else(made, Arc::clone)
    }

    pub(super) fn set(&self, expires: Duration) {
        self.0.set(expires.as_secs_f64());
    }
}

impl Drop for ExpiryGauge {
    fn drop(&mut self) {
        self.0.set(f64::NAN);
    }
}
