//! How DNS is answered.

use std::{path::PathBuf, time::Duration};

use ipnet::IpNet;

use crate::config::document::{List, scalar::Text, section::section};

section! {
    /// How DNS is answered.
    pub(crate) struct Dns ("`dns`") {
        /// Answering threads.
        threads: u32 = optional "one per core" in 1 ..= 1024,
        /// Bytes of the largest answer over UDP, whatever the client offers: 1232 fits every path unfragmented.
        udp_payload: u16 = 1232 in 512 ..= 4096,
        /// How long a TCP connection may stay silent.
        tcp_idle_timeout: Duration = "30s" in "1s" ..= "10m",
        /// Open TCP connections that one thread keeps.
        max_tcp_connections: u32 = 1000 in 1 ..= 100000,
        /// Open TCP connections that one client may have to one thread: an IPv4 address, or an IPv6 network of 64 bits.
        max_tcp_connections_per_client: u32 = 100 in 1 ..= 100000,
        /// What this node calls itself to those who ask for it (NSID, RFC 5001).
        nsid: Text = optional "nothing is said",
        /// What `id.server` and `version.bind` say (CHAOS TXT).
        chaos: Text = optional "such questions are refused",
        /// DNS cookies (RFC 7873): a client that shows one is who it says, so that it is not limited and nobody else can pose as it.
        cookies: Cookies = {},
        /// How often one network gets the same answer over UDP, so that others cannot be flooded with answers in its name.
        rate_limit: ResponseRate = {},
        /// A log of queries, in JSON lines.
        log: QueryLog = optional "queries are not logged",
    }

    /// DNS cookies.
    pub(crate) struct Cookies ("`dns.cookies`") {
        /// Whether they are spoken.
        enabled: bool = true,
        /// The file of the secrets that they are made with, the same on all nodes that share an address. Each line is 32 hexadecimal digits; empty
        /// lines and those with `#` in front do not count. The first makes cookies, all are taken: put a new one last, then first, then take
        /// the oldest out, with all nodes renewed between.
        secret_file: PathBuf = optional "one made at the start, known to this node alone",
    }

    /// How often one network gets the same answer over UDP.
    pub(crate) struct ResponseRate ("`dns.rate_limit`") {
        /// Whether there is a limit. Clients with a cookie of ours and those that come by TCP have none.
        enabled: bool = true,
        /// Answers alike in a second.
        per_second: u32 = 200 in 1 ..= 1000000,
        /// Answers alike that may come at once.
        burst: u32 = optional "as many as in a second" in 1 ..= 1000000,
        /// Every so many-th answer above the limit is sent cut short, so that a client that is real comes by TCP; 0 sends none.
        slip: u32 = 2 in 0 ..= 100,
        /// Networks without a limit.
        exempt: List<IpNet> = ["127.0.0.0/8", "::1/128"],
        /// Bits of an IPv4 address that make a network.
        v4_prefix: u8 = 24 in 8 ..= 32,
        /// Bits of an IPv6 address that make a network.
        v6_prefix: u8 = 56 in 16 ..= 64,
        /// Networks and answers that are kept count of; beyond them those go that were not seen lately.
        max_entries: u32 = 65536 in 1024 ..= 16777216,
    }

    /// A log of queries.
    pub(crate) struct QueryLog ("`dns.log`") {
        /// The file that lines are added to, relative to the directory the node is started in; `-` is standard output.
        path: PathBuf = required,
        /// The share of queries that is logged.
        sample: f64 = 1.0 in 0.000001 ..= 1,
    }
}
