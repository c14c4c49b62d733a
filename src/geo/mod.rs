//! Where clients are, and what the policies of a config make of it: address to place, place to choices, precompiled.
//!
//! An [`Atlas`] says where each address is: a database of the user, or an embedded table of countries, with the config's own networks
//! laid over it. [`Charts`] are what is looked up at a query. For each policy that a steered name uses, a [`Chart`] holds the choices
//! of all policies below it that ask for the place, for every address there is; addresses for which all of them choose alike are one
//! range. So a query asks once, gets a [`View`], and learns how wide its answer holds.
//!
//! ```text
//!  MMDB or embedded table ─┐
//!  geo.networks ───────────┴─> Atlas ──┐
//!  policies, latency tables ───────────┴─> Charts ──> find(address) -> view, scope
//! ```
//!
//! Everything is built from files and a config, in one go, and never changes afterwards: another file is another atlas.
//!
//! Not here: health, weights, residency and everything else that moves (`dns`), and watching files (`node`).

mod atlas;
mod chart;
mod charts;
mod chooser;
mod countries;
mod date;
mod draft;
mod embedded;
mod file;
mod index;
mod latency;
mod mmdb;
mod nearest;
mod numbered;
mod places;
mod ranges;

#[cfg(test)]
mod scene;
#[cfg(test)]
mod tests;

pub use atlas::{About, Atlas, AtlasError};
pub use chart::{Chart, Size, Spot, View};
pub use charts::{ChartError, Charts};
pub use date::Date;
pub use embedded::{embedded_date, pack};
pub use latency::{LatencyError, LineMistake};
pub use mmdb::{Layout, Unusable};
