//! A place that serves traffic.

use std::net::IpAddr;

use super::Check;
use crate::config::document::{List, scalar::Rate, section::section};

section! {
    /// A place that serves traffic. Every node probes the front doors of all regions.
    pub(crate) struct Region ("a region") {
        /// Where it stands; orders the other regions by distance.
        location: Location = optional "unknown: it comes last in the others' order",
        /// Its front door: what DNS hands out. At least one. They share one verdict: the door is up while any of them answers.
        addresses: List<IpAddr> = required,
        /// Requests per second it is built for.
        capacity: Rate = optional "unknown",
        /// How its front door is probed: by `http` or `tcp`, and by `tcp` where neither is written.
        check: Check = {},
    }

    /// A point on the globe, in degrees.
    pub(crate) struct Location ("a location") {
        /// North positive.
        latitude: f64 = required in -90 ..= 90,
        /// East positive.
        longitude: f64 = required in -180 ..= 180,
    }
}
