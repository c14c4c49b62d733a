//! The JSON API under `/v1`.

mod explain;
mod overrides;
mod status;

pub use explain::Explanation;
pub(super) use explain::explain_dns;
pub use overrides::{ActionName, ClearRequest, KeptOverride, OverrideRequest, SubjectName};
pub(super) use overrides::{clear_override, overrides, set_override};
pub(super) use status::status;
pub use status::{OriginStatus, PoolRegionStatus, PoolStatus, RegionStatus, RowStatus, Status};
