//! How the origins of a pool share its requests.

use std::{path::PathBuf, time::Duration};

use crate::config::document::{
    scalar::{CookieName, HeaderName, choice},
    section::section,
};

choice! {
    /// How the next origin is chosen.
    pub(crate) enum Balance {
        RoundRobin = "round-robin",
        LeastConnections = "least-connections",
        PeakEwma = "peak-ewma",
        Random = "random",
        Hash = "hash",
    }
}

section! {
    /// How the origins of a pool share its requests.
    pub(crate) struct Balancing ("a pool") {
        /// How the next origin of a region is chosen, always by weight: in turn without bursts (`round-robin`); the one with the fewest requests
        /// under way (`least-connections`); the one that answers soonest (`peak-ewma`); at `random`; or the same for the same key (`hash`). The
        /// second and third look at all origins where there are up to 16, and at two drawn by weight where there are more.
        balance: Balance = "round-robin",
        /// How soon origins are thought to answer; for `balance = "peak-ewma"`.
        peak_ewma: PeakEwma = {},
        /// What is the same for requests that go to the same origin; for `balance = "hash"`. Where neither `header`, `cookie` nor `path` is written it is
        /// the client's address, of IPv6 the first 64 bits. Requests without it are sent at random. All nodes with the same origins send the same
        /// key to the same one.
        hash: Hashing = {},
        /// A cookie that brings clients back to the origin that they had, whatever the method, as long as that origin is usable and its tier takes
        /// requests; then they get another. It names the origin by a number that only who has the secret can make, for the path `/`, hidden from
        /// scripts (`HttpOnly`), not sent along from other sites (`SameSite=Lax`), and to clients that came by TLS only by TLS (`Secure`).
        sticky: Sticky = optional "clients are sent anew with each request",
    }

    /// How soon origins are thought to answer.
    pub(crate) struct PeakEwma ("`peak_ewma`") {
        /// How long an answer is remembered: after so long it counts a third. A slower one than thought counts whole and at once.
        decay: Duration = "10s" in "1s" ..= "10m",
        /// What is thought of an origin that has not answered yet.
        first_estimate: Duration = "10ms" in "1ms" ..= "60s",
    }

    /// What is the same for requests that go to the same origin.
    pub(crate) struct Hashing ("`hash`") {
        /// The value of this header, of the first where there are several.
        header: HeaderName = optional "not looked at",
        /// The value of this cookie.
        cookie: CookieName = optional "not looked at",
        /// The path, without the query.
        path: bool = false,
        /// How much of the mean load of its pool's usable origins one may carry, by weight and in percent; what is beyond goes to another one,
        /// drawn by the key. Eight requests at once are never too many.
        bound: u32 = 150 in 125 ..= 200,
    }

    /// A cookie that brings clients back to the origin that they had.
    pub(crate) struct Sticky ("`sticky`") {
        /// Its name. Pools that answer for one host need different ones.
        cookie: CookieName = optional "`meridian-` and the name of the pool",
        /// How long the client keeps it, from when it was given it.
        ttl: Duration = optional "until the browser is closed" in "1s" ..= "365d",
        /// The file of the secrets that it is made with, the same on all nodes. Each line is 32 hexadecimal digits; empty lines and those with `#` in
        /// front do not count. The first makes cookies, all are taken: put a new one last, then first, then take the oldest out, with all nodes
        /// renewed between. The file is watched.
        secret_file: PathBuf = optional "one made at the start, known to this node alone: other nodes, and this one after a restart, send its clients anew",
    }
}
