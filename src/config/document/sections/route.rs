//! What a request must look like, and where it goes.

use crate::config::document::{
    scalar::{RoutePath, Text},
    section::section,
};
use crate::config::resolved::HostPattern;

section! {
    /// What a request must look like, and where it goes.
    pub(crate) struct Route ("a route") {
        /// Its name in logs and metrics.
        name: Text = optional "its host and path",
        /// The host asked for: one (`shop.example`), all below one (`*.shop.example`), or all (`*`).
        host: HostPattern = "*",
        /// The beginning of the path, on whole segments: `/cart` is `/cart` and `/cart/...`, not `/carton`.
        path: RoutePath = "/",
        /// Where it goes.
        pool: Text = required,
    }
}
