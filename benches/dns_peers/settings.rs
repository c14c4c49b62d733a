//! What the servers are told: equal settings, as far as they can be.

use std::{fmt::Write, net::Ipv4Addr, path::Path};

use crate::{
    places::{DOOR_WEIGHTS, REGIONS, Region, door},
    question::{STEERED, ZONE, address, label},
};

/// The settings, for who reads the figures.
pub(crate) const SAID: &str = "\
One zone of static A records, and one name that is steered to one of three regions by the place of the client subnet, or else of the \
client, from one database of the GeoIP2 Country layout whose neighbours are all in different regions. Every answer has one A record. One \
thread for UDP and one for TCP (meridian: one for both; PowerDNS: one for each TCP connection), all on one core. No logs; no \
cookies and no rate limits but meridian's.\n\
- gdnsd: geoip over weighted (two front doors in each region, 3:1), each door checked over TCP every 2 s\n\
- Knot: mod-geoip in geodb mode by continent; no weights, no checks\n\
- PowerDNS: geoip backend by continent, weights as gdnsd; its caches on, as they are by default; no checks\n\
- meridian: geo by continent over failover over weighted, as gdnsd; each door and an origin behind it checked over TCP every second; \
cookies are spoken and every answer is counted against a limit that is not reached\n\
- echo: `recvmmsg` and `sendmmsg` by 32, turns every query around; it knows nothing\n";

/// What there is to know for a server.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    /// The folder for the server's files.
    pub(crate) at: &'a Path,
    pub(crate) port: u16,
    /// Static names.
    pub(crate) names: u32,
    pub(crate) database: &'a Path,
    /// Where front doors are open.
    pub(crate) doors: u16,
}

impl World<'_> {
    fn records(&self, line: impl Fn(String, Ipv4Addr) -> String) -> String {
        (0..self.names).map(|number| line(label(number), address(number))).collect()
    }

    /// A zone file. `steered` is what stands behind the steered name, where that is in it.
    pub(crate) fn zone_file(&self, steered: &str) -> String {
        format!(
            "$ORIGIN {ZONE}.\n$TTL 3600\n@ SOA ns1 hostmaster 1 7200 1800 1209600 30\n@ NS ns1\nns1 A 127.0.0.1\n{}{}",
            if steered.is_empty() { String::new() } else { format!("{STEERED} 10 {steered}\n") },
            self.records(|label, address| format!("{label} A {address}\n"))
        )
    }

    /// `config` of a folder that also has `zones/`.
    pub(crate) fn gdnsd(&self) -> String {
        let Self { at, port, database, doors, .. } = self;
        let (at, database) = (at.display(), database.display());
        let names: Vec<&str> = REGIONS.iter().map(|region| region.name).collect();
        let (mut map, mut regions) = (String::new(), String::new());
        for (number, region) in REGIONS.iter().enumerate() {
            let order = [number, (number + 1) % 3, (number + 2) % 3].map(|number| names[number]).join(", ");
            for continent in region.continents {
                // A string takes every write.
                _ = writeln!(map, "{continent} => [{order}]");
            }
            let doors = DOOR_WEIGHTS.iter().enumerate();
            let doors = doors.map(|(at, weight)| format!("door{at} => [{}, {weight}] ", door(number, at)));
            _ = writeln!(regions, "{} => {{ {}}}", region.name, doors.collect::<String>());
        }
        format!(
            "options => {{ listen => {{ 127.0.0.1:{port} => {{ udp_threads => 1, tcp_threads => 1 }} }}\n\
             run_dir => \"{at}/run\", state_dir => \"{at}/state\" }}\n\
             service_types => {{ door => {{ plugin => tcp_connect, port => {doors}, interval => 2, timeout => 1 }} }}\n\
             plugins => {{ geoip => {{\n\
             maps => {{ places => {{ geoip2_db => \"{database}\", datacenters => [{}]\nmap => {{\n{map}}} }} }}\n\
             resources => {{ steered => {{ map => places, plugin => weighted, service_types => door\ndcmap => {{\n{regions}}} }} }}\n\
             }} }}\n",
            names.join(", ")
        )
    }

    /// `knot.conf`, of a folder that also has `zone` and `places`.
    pub(crate) fn knot(&self) -> String {
        let (Self { port, .. }, at, database) = (self, self.at.display(), self.database.display());
        format!(
            "server:\n  rundir: {at}\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n  \
             edns-client-subnet: on\n\
             database:\n  storage: {at}\n\
             log:\n  - target: stderr\n    any: critical\n\
             mod-geoip:\n  - id: places\n    config-file: {at}/places\n    ttl: 10\n    mode: geodb\n    geodb-file: {database}\n    \
             geodb-key: continent/code\n\
             zone:\n  - domain: {ZONE}\n    file: {at}/zone\n    module: mod-geoip/places\n    semantic-checks: off\n    \
             zonefile-load: whole\n    journal-content: none\n"
        )
    }

    /// What Knot's module answers.
    pub(crate) fn knot_places() -> String {
        let mut places = format!("{STEERED}.{ZONE}:\n");
        for (number, region) in REGIONS.iter().enumerate() {
            for continent in region.continents {
                _ = writeln!(places, "  - geo: \"{continent}\"\n    A: {}", door(number, 0));
            }
        }
        places
    }

    /// `pdns.conf`, of a folder that also has `zones.yaml`.
    pub(crate) fn powerdns(&self) -> String {
        let (Self { port, .. }, at, database) = (self, self.at.display(), self.database.display());
        format!(
            "launch=geoip\ngeoip-database-files=mmdb:{database}\ngeoip-zones-file={at}/zones.yaml\nedns-subnet-processing=yes\n\
             local-address=127.0.0.1\nlocal-port={port}\nreceiver-threads=1\ndistributor-threads=1\nmax-tcp-connections=64\n\
             daemon=no\nguardian=no\nloglevel=0\ndisable-syslog=yes\nsocket-dir={at}\nsecurity-poll-suffix=\nresolver=no\nwebserver=no\n"
        )
    }

    /// What PowerDNS answers: the steered name is another name of one for each continent.
    pub(crate) fn powerdns_zone(&self) -> String {
        let mut places = String::new();
        for (number, region) in REGIONS.iter().enumerate() {
            for continent in region.continents {
                _ = writeln!(places, "    {}.place.{ZONE}:", continent.to_lowercase());
                for (at, weight) in DOOR_WEIGHTS.iter().enumerate() {
                    let address = door(number, at);
                    _ = writeln!(places, "      - a: {{ content: {address}, ttl: 10, weight: {weight} }}");
                }
            }
        }
        format!(
            "domains:\n- domain: {ZONE}\n  ttl: 3600\n  records:\n    {ZONE}:\n      \
             - soa: ns1.{ZONE} hostmaster.{ZONE} 1 7200 1800 1209600 30\n      - ns: ns1.{ZONE}\n    ns1.{ZONE}:\n      - a: 127.0.0.1\n\
             {places}{}  services:\n    {STEERED}.{ZONE}: '%cn.place.{ZONE}'\n",
            self.records(|label, address| format!("    {label}.{ZONE}:\n      - a: {address}\n"))
        )
    }

    /// All of meridian's settings, beside a zone file. `http` and `admin` are ports that it wants besides.
    pub(crate) fn meridian(&self, zone_file: &Path, [http, admin]: [u16; 2]) -> String {
        let Self { port, doors, database, .. } = self;
        let (mut regions, mut origins, mut policies, mut continents) = <(String, String, String, String)>::default();
        for (number, region) in REGIONS.iter().enumerate() {
            let Region { name, latitude, longitude, .. } = region;
            let mut weights = String::new();
            for (at, weight) in DOOR_WEIGHTS.iter().enumerate() {
                let address = door(number, at);
                // A string takes every write.
                _ = writeln!(
                    regions,
                    "[regions.{name}-{at}]\naddresses = [\"{address}\"]\ncheck.tcp.port = {doors}\n\
                     location = {{ latitude = {latitude}, longitude = {longitude} }}",
                );
                _ = writeln!(
                    origins,
                    "[[pools.shop.origins]]\naddress = \"{address}:{doors}\"\nregion = \"{name}-{at}\"",
                );
                _ = writeln!(weights, "{name}-{at} = {weight}");
            }
            _ = write!(policies, "[policies.{name}.weighted.weights]\n{weights}");
            let order = [number, (number + 1) % 3, (number + 2) % 3].map(|at| format!("\"{}\"", REGIONS[at].name));
            _ = writeln!(policies, "[policies.from-{name}.failover]\norder = [{}]", order.join(", "));
            for continent in region.continents {
                _ = write!(continents, "{continent} = \"from-{name}\", ");
            }
        }
        let first = REGIONS[0].name;
        format!(
            "[node]\nregion = \"{first}-0\"\n\
             [listen]\nhttp = [\"127.0.0.1:{http}\"]\ndns = [\"127.0.0.1:{port}\"]\nadmin = \"127.0.0.1:{admin}\"\n\
             [http]\nworkers = 1\n[dns]\nthreads = 1\nrate_limit = {{ per_second = 1000000, exempt = [] }}\n\
             [geo]\ndatabase = \"{}\"\n{regions}{origins}{policies}\
             [policies.places.geo]\ndefault = \"from-{first}\"\ncontinents = {{ {continents} }}\n\
             [zones.\"{ZONE}\"]\nfiles = [\"{}\"]\n\
             [zones.\"{ZONE}\".steer.{STEERED}]\npools = [\"shop\"]\npolicy = \"places\"\n",
            database.display(),
            zone_file.display(),
        )
    }
}
