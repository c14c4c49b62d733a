//! A place that serves traffic.

use std::net::IpAddr;

use super::{Check, OriginTls};
use crate::config::document::{
    List, OrNone,
    scalar::{Name, Rate},
    section::section,
};

section! {
    /// A place that serves traffic. Every node probes the front doors of all regions.
    pub(crate) struct Region ("a region") {
        /// Where it stands; orders the other regions by distance, and sends clients to the nearest.
        location: Location = optional "unknown: it comes last in the others' order",
        /// Whose law holds there, as `residency` names it: `EU`.
        jurisdiction: Name = optional "none",
        /// Its front door: what DNS hands out. At least one. They share one verdict: the door is up while any of them answers.
        addresses: List<IpAddr> = required,
        /// Requests per second it is built for.
        capacity: Rate = optional "unknown",
        /// How nodes of other regions speak with its front door, for pools with `via = "front-door"`.
        front_door: FrontDoor = {},
        /// How it is known whether its front door works: each of its addresses is asked, and one that does is enough. `none` asks nobody.
        check: OrNone<Check> = {},
    }

    /// How a front door is spoken with.
    pub(crate) struct FrontDoor ("a front door") {
        /// The port.
        port: u16 = optional "443 where `tls` is written, else 80" in 1 ..= 65535,
        /// TLS, with `server_name` as the host whose certificate it shows. In the clear without.
        tls: OriginTls = optional "it is spoken with in the clear",
    }

    /// A point on the globe, in degrees.
    pub(crate) struct Location ("a location") {
        /// North positive.
        latitude: f64 = required in -90 ..= 90,
        /// East positive.
        longitude: f64 = required in -180 ..= 180,
    }
}
