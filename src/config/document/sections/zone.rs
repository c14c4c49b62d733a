//! A DNS zone that is answered for.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::config::document::{
    List, Named,
    scalar::{Caa, Contact, Mx, Srv, Text, Texts, Ttl, choice},
    section::section,
};
use crate::fleet::DnsName;

choice! {
    /// How the regions are ordered for one client.
    pub(crate) enum Policy {
        Weighted = "weighted",
    }
}

section! {
    /// A DNS zone that is answered for.
    pub(crate) struct Zone ("a zone", called ZONE) {
        /// Its name servers, the primary first. At least one.
        nameservers: List<DnsName> = required,
        /// The mailbox of whoever is responsible, as `name@domain` or as a DNS name.
        contact: Contact = optional "`hostmaster` at the zone",
        /// How long its SOA and NS records may be kept, and its other records where they do not say.
        ttl: Ttl = "1h" in "0s" ..= "7d",
        /// How long the answer that something does not exist may be kept.
        negative_ttl: Ttl = "30s" in "0s" ..= "5m",
        /// Records that stay as they are, by owner relative to the zone: `www`, `*.img`, or `@` for the zone itself. At
        /// most 500 of each type of one name.
        records: Named<Records> = {},
        /// Names whose addresses follow health, by owner relative to the zone.
        steer: Named<Steer> = {},
    }

    /// Records of one name.
    pub(crate) struct Records ("a name with records", called OWNER) {
        /// How long they may be kept.
        ttl: Ttl = optional "the zone's `ttl`" in "0s" ..= "7d",
        /// IPv4 addresses.
        a as "A": List<Ipv4Addr> = [],
        /// IPv6 addresses.
        aaaa as "AAAA": List<Ipv6Addr> = [],
        /// The name that this one is another name of; then nothing else can stand here.
        cname as "CNAME": DnsName = optional "none",
        /// Texts, each up to 255 bytes; a longer one is written as a list of parts.
        txt as "TXT": List<Texts> = [],
        /// Mail exchanges: preference and host.
        mx as "MX": List<Mx> = [],
        /// Services: priority, weight, port and host.
        srv as "SRV": List<Srv> = [],
        /// Who may issue certificates: flags, tag and value.
        caa as "CAA": List<Caa> = [],
    }

    /// A name whose addresses are the front doors of regions that can serve it.
    pub(crate) struct Steer ("a steered name", called OWNER) {
        /// How a region is chosen: `weighted` draws by weight among those that can serve.
        policy: Policy = "weighted",
        /// The pools that a region must be able to serve to be chosen.
        pools: List<Text> = optional "the pools that routes for this host lead to",
        /// Weights of regions; one that is not listed has weight 1, and 0 means never.
        weights: Named<u32> = {} in 0 ..= 1000,
        /// How long an answer may be kept: short, because nobody leaves a dead region sooner.
        ttl: Ttl = "10s" in "5s" ..= "60s",
    }
}
