//! The pages that need no token: is it alive, is it ready, what did it count.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};

use super::Surface;

pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

pub(super) async fn readyz(State(surface): State<Arc<Surface>>) -> impl IntoResponse {
    if surface.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if surface.control.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "waiting for the first verdicts\n")
    }
}

pub(super) async fn metrics(State(surface): State<Arc<Surface>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], surface.exporter.render())
}
