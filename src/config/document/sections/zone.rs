//! A DNS zone that is answered for.

use std::path::PathBuf;

use crate::{
    config::{
        document::{
            List, Named,
            scalar::{AnyRecord, Contact, Data, Text, Texts, Ttl},
            section::section,
        },
        record::kind,
    },
    fleet::DnsName,
};

use std::net::{Ipv4Addr, Ipv6Addr};

section! {
    /// A DNS zone that is answered for.
    pub(crate) struct Zone ("a zone", called ZONE) {
        /// Its name servers, the primary first. At least one, here or in `files`.
        nameservers: List<DnsName> = optional "the zone's own NS records in `files`",
        /// The mailbox of whoever is responsible, as `name@domain` or as a DNS name.
        contact: Contact = optional "as the SOA in `files` says, else `hostmaster` at the zone",
        /// How long its SOA and NS records may be kept, and its other records where they do not say.
        ttl: Ttl = optional "`1h`; for SOA and NS the lower of theirs, where `files` have them" in "0s" ..= "7d",
        /// How long the answer that something does not exist may be kept.
        negative_ttl: Ttl = optional "the minimum of the SOA in `files`, at most `5m`; else `30s`" in "0s" ..= "5m",
        /// Whether the client's network counts where a resolver names it (RFC 7871).
        client_subnet: bool = true,
        /// Zone files with more of its records, as other servers read them; relative to the directory the node is started in. `$ORIGIN`, `$TTL`
        /// and `$INCLUDE` (relative to the file it stands in, at most 8 deep; what it changes ends with it) are known, and the class `IN`
        /// alone. Of the SOA count the primary server, the mailbox, refresh, retry, expire and minimum; its serial is ignored, because the
        /// serial is the config's revision. What stands here beside the files beats their SOA. Signed zones are not taken. A file has at most 64 MiB, all
        /// together 512 MiB, 10,000 files and 2,000,000 records. They are read again when the config is.
        files: List<PathBuf> = [],
        /// Records that stay as they are, by owner relative to the zone: `www`, `*.img`, or `@` for the zone itself. At
        /// most 500 of each type of one name. All but `A`, `AAAA` and `TXT` are written as in zone files, with names written out and texts
        /// with a `;` in quotes; any may be written by its bytes: `\# 4 0A000001`.
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
        cname as "CNAME": Data<{ kind::CNAME }> = optional "none",
        /// The name in one of our zones whose addresses and HTTPS records this one has, too: what a CNAME cannot be beside other records, as
        /// at the zone itself. It is looked up here, so clients see addresses alone.
        alias as "ALIAS": DnsName = optional "none",
        /// Name servers that a zone below this one is delegated to. Not at the zone itself, which has `nameservers`.
        ns as "NS": List<Data<{ kind::NS }>> = [],
        /// Texts, each up to 255 bytes, taken as they are; a longer one is written as a list of parts.
        txt as "TXT": List<Texts> = [],
        /// Mail exchanges: preference and host.
        mx as "MX": List<Data<{ kind::MX }>> = [],
        /// Services: priority, weight, port and host.
        srv as "SRV": List<Data<{ kind::SRV }>> = [],
        /// Who may issue certificates: flags, tag and value.
        caa as "CAA": List<Data<{ kind::CAA }>> = [],
        /// Names that this one, mostly an address's, points to.
        ptr as "PTR": List<Data<{ kind::PTR }>> = [],
        /// How HTTPS is reached: priority, target and parameters.
        https as "HTTPS": List<Data<{ kind::HTTPS }>> = [],
        /// How another service is reached: priority, target and parameters.
        svcb as "SVCB": List<Data<{ kind::SVCB }>> = [],
        /// Digests of a service's certificates: usage, selector, matching type and digest.
        tlsa as "TLSA": List<Data<{ kind::TLSA }>> = [],
        /// Digests of a host's SSH keys: algorithm, type and digest.
        sshfp as "SSHFP": List<Data<{ kind::SSHFP }>> = [],
        /// Rules for rewriting names: order, preference, flags, service, expression and replacement.
        naptr as "NAPTR": List<Data<{ kind::NAPTR }>> = [],
        /// Digests of the keys of a delegated zone: key tag, algorithm, type and digest.
        ds as "DS": List<Data<{ kind::DS }>> = [],
        /// The name that stands instead of this one in all names below it; then nothing else can stand below it.
        dname as "DNAME": Data<{ kind::DNAME }> = optional "none",
        /// Records of any other type: the type and its data, as its bytes (RFC 3597) or, where it has one, in the syntax of its own.
        other: List<AnyRecord> = [],
    }

    /// A name whose addresses are the front doors of regions that can serve it.
    pub(crate) struct Steer ("a steered name", called OWNER) {
        /// How a region is chosen: the name of one of `policies`; or, over `regions`, `weighted` (drawn by `weights`), `nearest` (to the client),
        /// `failover` (the first in order that can serve), `multivalue` (addresses of up to 8 regions at once), or `hash` (the same region for
        /// the same client network, by `weights`).
        policy: Text = optional "`weighted` where `weights` are written or any of the regions has no `location`, else `nearest`",
        /// The regions that are chosen from; not beside one of `policies`.
        regions: List<Text> = optional "all; for `nearest` those with a `location`; needed for `failover`",
        /// The pools that a region must be able to serve to be chosen.
        pools: List<Text> = optional "the pools that routes for this host lead to",
        /// Weights of regions, for `weighted` and `hash`; one that is not listed has weight 1, and 0 means never.
        weights: Named<u32> = {} in 0 ..= 1000,
        /// Where it may be served at all: jurisdictions, or names of regions. A fence, whatever fails: for answers of DNS, and for requests to this host,
        /// wherever they came in.
        residency: List<Text> = optional "anywhere",
        /// How long an answer may be kept while nothing moves.
        ttl: Ttl = "30s" in "5s" ..= "60s",
        /// How long an answer may be kept while something moves: short, because nobody leaves a dead region sooner. At most `ttl`.
        min_ttl: Ttl = "5s" in "1s" ..= "60s",
        /// The HTTPS record that clients learn protocols and addresses from at once (RFC 9460).
        https: SteerHttps = {},
    }

    /// The HTTPS record of a steered name.
    pub(crate) struct SteerHttps ("`https` of a steered name") {
        /// Whether there is one.
        enabled: bool = optional "whether this node listens for HTTPS",
        /// The protocols that are spoken, at most 8.
        alpn: List<Text> = ["h2", "http/1.1"],
        /// The port, as clients reach it.
        port: u16 = 443 in 1 ..= 65535,
    }
}
