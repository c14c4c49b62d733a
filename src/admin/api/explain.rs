//! How a question would be answered now.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    extract::{Query, State, rejection::JsonRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};

use crate::{
    admin::Surface,
    fleet::{DnsQuestion, Explained, HttpQuestion},
};

/// What is asked, in the query of the path.
#[derive(Debug, Deserialize)]
pub(in crate::admin) struct Asked {
    name: String,
    from: IpAddr,
    #[serde(rename = "type", default = "address")]
    kind: String,
}

fn address() -> String {
    "A".to_owned()
}

/// How an answer came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What was looked at and what followed, in order.
    pub steps: Vec<String>,
    /// The answer, as zone files write it.
    pub answer: Vec<String>,
}

/// `GET /v1/explain/dns?name=NAME&from=ADDRESS&type=TYPE`.
pub(in crate::admin) async fn explain_dns(
    State(surface): State<Arc<Surface>>,
    Query(Asked { name, from, kind }): Query<Asked>,
) -> Result<Json<Explanation>, (StatusCode, String)> {
    let question = DnsQuestion { name, kind, from };
    let explained = surface.dns.explain_dns(&question).map_err(|why| (StatusCode::BAD_REQUEST, why + "\n"))?;
    Ok(Json(explained.into()))
}

/// A request that is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteQuestion {
    /// `GET` where nothing is said.
    #[serde(default = "get")]
    pub method: String,
    /// An `http` or `https` URL.
    pub url: String,
    /// Whoever asks.
    pub from: IpAddr,
    /// Names and values.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
}

fn get() -> String {
    "GET".to_owned()
}

/// `POST /v1/explain/route`.
pub(in crate::admin) async fn explain_route(
    State(surface): State<Arc<Surface>>,
    called: Result<Json<RouteQuestion>, JsonRejection>,
) -> Result<Json<Explanation>, (StatusCode, String)> {
    let Json(RouteQuestion { method, url, from, headers }) =
        called.map_err(|rejection| (rejection.status(), rejection.body_text() + "\n"))?;
    let question = HttpQuestion { method, url, from, headers };
    let explained = surface.requests.explain_request(&question);
    Ok(Json(explained.map_err(|why| (StatusCode::BAD_REQUEST, why + "\n"))?.into()))
}

impl From<Explained> for Explanation {
    fn from(Explained { steps, answer }: Explained) -> Self {
        Self { steps, answer }
    }
}
