//! The Prometheus text of everything that was counted.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::histogram;

/// Renders all metrics of the process. Clones render the same.
#[derive(Clone, Debug)]
pub struct Exporter(PrometheusHandle);

static INSTALLED: OnceLock<Exporter> = OnceLock::new();

impl Exporter {
    /// Installs the recorder that every counter of the process goes to; the second call returns the first one's exporter.
    pub fn install() -> Self {
        INSTALLED
            .get_or_init(|| {
                let recorder = PrometheusBuilder::new().build_recorder();
                let exporter = Self(recorder.handle());
                if metrics::set_global_recorder(recorder).is_err() {
                    tracing::warn!("another metrics recorder is installed: `/metrics` will miss what it takes");
                }
                exporter
            })
            .clone()
    }

    /// All metrics, in Prometheus text format.
    pub fn render(&self) -> String {
        let mut text = self.0.render();
        histogram::render_all(&mut text);
        text
    }
}
