//! What a person or a scraper sees of a node, and the commands they can give.
//!
//! | path | token | |
//! |---|---|---|
//! | `GET /healthz` | no | 200 while the process runs |
//! | `GET /readyz` | no | 200 once everything has a verdict and until the node drains, else 503 |
//! | `GET /metrics` | no | Prometheus text |
//! | `GET /v1/status` | yes | what the node believes, and why |
//! | `GET /v1/explain/dns?name=NAME&from=ADDRESS&type=TYPE` | yes | how a DNS question would be answered, step by step |
//! | `POST /v1/explain/route` | yes | where a request would go, step by step: `{"url":…,"from":…,"method":…,"headers":[[name,value]]}` |
//! | `GET /v1/overrides` | yes | the operators' words that are kept |
//! | `PUT /v1/overrides` | yes | set one |
//! | `DELETE /v1/overrides` | yes | take one back |
//!
//! It reads the table like everybody else and changes nothing itself: commands go to `control`.

mod api;
mod pages;
mod server;
mod surface;
mod token;

pub use api::{
    ActionName, ClearRequest, Explanation, KeptOverride, OriginStatus, OverrideRequest, PoolRegionStatus, PoolStatus,
    RegionStatus, RouteQuestion, RowStatus, Status, SubjectName,
};
pub use server::{BindError, Server};
pub use surface::Surface;
pub use token::{Token, TokenError};
