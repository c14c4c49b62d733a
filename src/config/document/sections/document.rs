//! The whole document: its top-level keys.

use super::{
    Check, Dns, Geo, Policy, Pool, Region, Route, Tls, Zone,
    node::{Admin, Failover, Health, Http, Listen, Node, Resolver, State},
};
use crate::config::document::{List, Named, section::section};

section! {
    /// A meridian config: one file, or a directory whose `*.toml` files are read in name order and put together.
    /// Durations are written `500ms`, `1m30s`, `1h`; sizes `64KiB`; rates `500/s`; networks `10.0.0.0/8`.
    pub(crate) struct Document ("the config") {
        /// Who this node is. What differs per node can also come from flags or `MERIDIAN_*` variables, so that every
        /// node can have the same files.
        node: Node = {},
        /// Where it listens. Port 0 takes any that is free; an empty list switches that side off.
        listen: Listen = {},
        /// How HTTP is proxied. Limits are per node, those on connections per worker.
        http: Http = {},
        /// How TLS is spoken with clients. Paths are relative to the directory the node is started in.
        tls: Tls = {},
        /// How DNS is answered.
        dns: Dns = {},
        /// Where addresses are, for policies that ask.
        geo: Geo = {},
        /// How probing behaves as a whole.
        health: Health = {},
        /// Checks that several pools and regions are probed by, or that others are made of, by name; at most 10,000.
        checks: Named<Check> = {},
        /// How fast clients move when something fails and when it returns. At the start of a node nothing is held back: what works takes its share.
        failover: Failover = {},
        /// How the names of origins are looked up: in the background, A and AAAA, again when their TTL is over. Names are absolute, no
        /// search domain is tried; the system's hosts file comes first. A name has at most 16 addresses, and one that stops resolving
        /// keeps those it had last. A reload reads the system's files again and looks every name up.
        resolver: Resolver = {},
        /// How the node is operated.
        admin: Admin = {},
        /// What must survive a restart.
        state: State = {},
        /// The places that serve traffic, by name. At least one, at most 1,000.
        regions: Named<Region> = {},
        /// The applications' origins, by name. At most 20,000 pools with 200,000 origins.
        pools: Named<Pool> = {},
        /// What goes where. At most 20,000. Of the routes that a request fits, the most specific one takes it: by host (exact, then the
        /// longest `*.`, then `*`); then by path (`path_exact`, then the longest `path`); then by how many further conditions there are
        /// (`methods` and `clients` count as one each, so does every header and query parameter); then the one written first. Paths are
        /// compared decoded once, with `/` for `\` and for several slashes, and without `;` and what follows it in a segment; origins get them as
        /// they were sent. A path with a `.` or `..` segment, a control character or a broken `%` is refused with 400, however it is encoded.
        routes: List<Route> = [],
        /// How regions are chosen for one client, by name: for steered names and for each other. Each is exactly one of the seven kinds that follow. A
        /// target is the name of a region or of another policy, never in a circle and at most 8 deep; one with no region left that can serve
        /// counts as not there. No policy is called as a region or a kind is. At most 10,000, those that steered names make up among them;
        /// names that ask for the same share one.
        policies: Named<Policy> = {},
        /// The DNS zones that are answered for, by their name. At most 10,000. SOA and NS records are made from what
        /// stands here and in zone files; names in values are absolute.
        zones: Named<Zone> = {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        diagnostic::Diagnostics,
        document::{
            Shape,
            decode::{Decode, Purpose},
            syntax::parse_value,
        },
    };

    /// Reads an empty table as every section there is, so that every default is read, too.
    #[test]
    fn every_key_is_described_and_has_a_default_within_its_own_limits() {
        let mut problems = Diagnostics::default();
        let file = problems.add_file("all.toml".into());
        let text = "regions.a = {}\npools.a = { origins = [{}], check = { tcp = {} } }\nroutes = [{}]\n\
                    pools.b = { origins = [], check = { http = { tls = {}, body = {}, header = {} } }, tls = { client = {} } }\n\
                    checks = { a = { grpc = {} }, b = { tls = {} }, c = { command = {} }, d = { at_least = {} } }\n\
                    tls = { certificates = [{}], client_certificates = {}, hosts = { a = {} } }\nzones.a = { records = { a = {} }, steer = { a = { https = {} } } }\n\
                    regions.b = { location = {}, front_door = { tls = {} } }\ngeo.networks.\"10.0.0.0/8\" = {}\n\
                    dns = { cookies = {}, rate_limit = {}, log = {} }\n\
                    policies = { a = { geo = {} }, b = { nearest = {} }, c = { latency = {} }, d = { weighted = {} }, e = { failover = {} },\
                    f = { multivalue = {} }, g = { hash = {} } }\n";
        let table = crate::config::document::parse(file, text, &mut problems);
        crate::config::document::decode_document(table, &mut problems);
        let codes: Vec<_> = problems.iter().map(|one| one.code.as_str()).collect();
        assert!(codes.iter().all(|code| *code == "missing-key"), "{codes:?}");
        described("", &Document::shape());
    }

    fn described(path: &str, shape: &Shape) {
        let keys = match shape {
            Shape::Scalar(_) => return,
            Shape::List(of) | Shape::Named(_, of) | Shape::OrNone(of) => return described(path, of),
            Shape::Section(section) => &section.keys,
        };
        for key in keys {
            let path = format!("{path}.{}", key.key);
            assert!(key.doc.trim().ends_with('.'), "{path} is not described in a sentence");
            described(&path, &key.shape);
        }
    }

    #[test]
    fn a_document_without_a_key_is_all_defaults() {
        let mut problems = Diagnostics::default();
        let purpose = Purpose { key: "", limits: None };
        let document = Document::decode(&parse_value("{}").unwrap(), purpose, &mut problems).unwrap();
        assert_eq!(document.listen.dns.items.len(), 1);
        assert!(document.node.name.place.is_none() && !problems.has_errors());
    }
}
