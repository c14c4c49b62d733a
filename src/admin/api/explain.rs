//! How a question would be answered now.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};

use crate::{admin::Surface, fleet::DnsQuestion};

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
    Ok(Json(Explanation { steps: explained.steps, answer: explained.answer }))
}
