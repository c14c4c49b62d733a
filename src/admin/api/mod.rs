//! The JSON API under `/v1`.

mod explain;
mod overrides;
mod status;

pub use explain::{Explanation, RouteQuestion};
pub(super) use explain::{explain_dns, explain_route};
pub use overrides::{ActionName, ClearRequest, KeptOverride, OverrideRequest, SubjectName};
pub(super) use overrides::{clear_override, overrides, set_override};
pub(super) use status::status;
pub use status::{OriginStatus, PoolRegionStatus, PoolStatus, RegionStatus, RowStatus, Status};
