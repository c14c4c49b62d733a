//! Zones, their records, and how steered names choose.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use ipnet::IpNet;

use crate::fleet::{Continent, Country, DnsName, Place, PolicyId, PoolId, RegionId, Subdivision};

/// How DNS is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Dns {
    /// Answering threads.
    pub threads: usize,
    /// Largest answer over UDP, whatever the client offers.
    pub udp_payload: u16,
    /// How long a TCP connection may stay silent.
    pub tcp_idle_timeout: Duration,
    /// Open TCP connections that one thread keeps.
    pub max_tcp_connections: usize,
    /// Open TCP connections of one client that one thread keeps.
    pub max_tcp_connections_per_client: usize,
    /// What NSID says (RFC 5001); nothing where it is empty.
    pub nsid: Arc<[u8]>,
    /// What `id.server CH TXT` and `version.bind CH TXT` say; refused where there is nothing.
    pub chaos: Option<Arc<str>>,
    /// DNS cookies (RFC 7873).
    pub cookies: Cookies,
    /// Limits on answers to one network over UDP; nothing where they are off.
    pub rate_limit: Option<ResponseRate>,
    /// Where queries are logged; nothing where they are not.
    pub log: Option<QueryLog>,
    /// DNS over TLS.
    pub tls: Vec<SocketAddr>,
    /// DNS over HTTPS, at `/dns-query`.
    pub https: Vec<SocketAddr>,
}

/// DNS cookies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookies {
    /// Whether they are spoken.
    pub is_on: bool,
    /// Secrets that nodes share, one of 32 hex digits per line, the first of which signs; one of this process where there is no file.
    pub secret_file: Option<PathBuf>,
}

/// How often the same answer goes to one network over UDP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseRate {
    /// Answers alike per second.
    pub per_second: u32,
    /// Answers that may come at once.
    pub burst: u32,
    /// Every so many-th answer above the limit is sent truncated, so that a client that is real comes by TCP; 0 drops all.
    pub slip: u32,
    /// Networks that are not limited.
    pub exempt: Vec<IpNet>,
    /// Bits of an IPv4 address that make a network.
    pub v4_prefix: u8,
    /// Bits of an IPv6 address that make a network.
    pub v6_prefix: u8,
    /// Networks and answers that are kept count of.
    pub max_entries: usize,
}

/// Where queries are logged.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryLog {
    /// JSON lines are appended to it; standard output where it is `-`.
    pub path: PathBuf,
    /// The share of queries that is logged, above 0 to 1.
    pub sample: f64,
}

/// Where addresses are.
#[derive(Clone, Debug, PartialEq)]
pub struct Geo {
    /// An MMDB file; the embedded table of countries where there is none.
    pub database: Option<PathBuf>,
    /// Networks that are elsewhere than the database says.
    pub networks: Vec<(IpNet, Place)>,
    /// How often files are looked at for changes.
    pub watch_interval: Duration,
}

/// A zone this node is authoritative for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its apex.
    pub name: DnsName,
    /// Its name servers, the first of them primary.
    pub nameservers: Vec<DnsName>,
    /// Its authority.
    pub soa: Soa,
    /// For the SOA and NS sets.
    pub ttl: u32,
    /// The zone files that it was read from, those that they include among them.
    pub files: Vec<PathBuf>,
    /// Whether the client subnet in a query counts (RFC 7871).
    pub client_subnet: bool,
    /// Static sets, by the bytes of their owner, then by type; one owner and type appears once. Without SOA and the apex's NS. An NS set elsewhere is a delegation.
    pub records: Vec<RecordSet>,
    /// Names that answer as another name of our zones does, wherever that leads; by the bytes of their owner.
    pub aliases: Vec<Alias>,
    /// Names whose answer depends on health, by the bytes of their owner.
    pub steered: Vec<Steered>,
}

/// What the SOA says beside the serial, which is the config's revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soa {
    /// The primary name server; may be hidden, and so none of [`Zone::nameservers`].
    pub primary: DnsName,
    /// The mailbox responsible, as a name.
    pub contact: DnsName,
    /// For secondaries, in seconds.
    pub refresh: u32,
    /// For secondaries, in seconds.
    pub retry: u32,
    /// For secondaries, in seconds.
    pub expire: u32,
    /// How long a negative answer may be kept, in seconds.
    pub negative_ttl: u32,
}

/// Records of one name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// Whose.
    pub owner: DnsName,
    /// The type, as its number.
    pub kind: u16,
    /// How long they may be kept, in seconds.
    pub ttl: u32,
    /// One or more, as they stand in a message, names written out.
    pub data: Vec<Box<[u8]>>,
}

/// A name that answers as another does, for addresses and HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub owner: DnsName,
    /// Whose answers it gives; has addresses or is steered, in one of our zones, and is no alias itself. May be a wildcard.
    pub target: DnsName,
}

/// A name whose addresses are those of the regions that can serve it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steered {
    /// The name.
    pub owner: DnsName,
    /// What must be servable in a region for it to be chosen.
    pub pools: Vec<PoolId>,
    /// How the region is chosen.
    pub policy: PolicyId,
    /// The regions that may be chosen at all, in id order: the policy's, as far as residency permits. Not empty.
    pub permitted: Vec<RegionId>,
    /// The regions where requests for it may be answered at all, whatever its policy says; all of them where nobody said.
    pub residency: Option<Vec<RegionId>>,
    /// How long an answer may be kept while nothing moves, in seconds.
    pub ttl: u32,
    /// How long an answer may be kept while something moves, in seconds; at most [`Self::ttl`].
    pub min_ttl: u32,
    /// What the HTTPS record says; nothing where there is none.
    pub https: Option<Https>,
}

/// An HTTPS record of priority 1 whose target is its owner (RFC 9460), beside the chosen region's addresses as hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Https {
    /// Protocols, such as `h2`.
    pub alpn: Vec<Arc<str>>,
    /// The port, where it is not 443.
    pub port: Option<u16>,
}

/// How a region is chosen for one client. [`super::Config::policies`] holds them by [`PolicyId`]; they never lead back to themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// As `policies.NAME`; made up from its word where a steered name has one of its own.
    pub name: Arc<str>,
    /// What it does.
    pub kind: PolicyKind,
}

impl Policy {
    /// The words for its kinds. No policy is called so in a config.
    pub const KINDS: [&str; 7] = ["geo", "nearest", "latency", "weighted", "failover", "multivalue", "hash"];

    /// Whether it stands in the config under its name; a name that was made up is a word, and a number behind `#` where there are several.
    pub fn is_named(&self) -> bool {
        let word = self.name.split('#').next().unwrap_or_default();
        !Self::KINDS.contains(&word)
    }
}

/// A region, or a policy that chooses one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Branch {
    /// This region.
    Region(RegionId),
    /// What this policy chooses.
    Policy(PolicyId),
}

/// What a policy does. A branch that has nobody left counts as not there.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyKind {
    /// By where the client is: the smallest area wins, network before place.
    Geo {
        /// Networks, in any order: the longest that holds the client counts.
        networks: Vec<(IpNet, Branch)>,
        /// Areas, each once.
        areas: Vec<(Area, Branch)>,
        /// For everybody else, and for those whose branch has nobody left.
        default: Branch,
    },
    /// The region that is nearest to the client, then the next.
    Nearest {
        /// Regions in id order, those without a location last for everybody, and a bias of -99 to 99: above 0 draws clients in, below 0 keeps them away.
        regions: Vec<(RegionId, i8)>,
    },
    /// The region that is fastest for the client's network, then the next; where nothing was measured, the nearest.
    Latency {
        /// Which regions.
        regions: Vec<RegionId>,
        /// A CSV file of `network,region,milliseconds`, read when the config is applied and whenever it changes.
        table: PathBuf,
    },
    /// Drawn by weight.
    Weighted {
        /// None with weight 0.
        branches: Vec<(Branch, u32)>,
    },
    /// The first that has somebody.
    Failover {
        /// In order.
        branches: Vec<Branch>,
        /// The share of answers, in basis points, that goes to the next level although this one is good.
        trickle: u16,
    },
    /// The addresses of several regions at once.
    Multivalue {
        /// Which regions.
        regions: Vec<RegionId>,
        /// At most so many addresses.
        max: u8,
    },
    /// The same region for the same client network, as long as it is there.
    Hash {
        /// Regions with their weights, none 0.
        regions: Vec<(RegionId, u32)>,
        /// Bits of an IPv4 address that make a network.
        v4_prefix: u8,
        /// Bits of an IPv6 address that make a network.
        v6_prefix: u8,
    },
}

/// An area of the world that `geo` policies know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Area {
    /// A continent.
    Continent(Continent),
    /// A country.
    Country(Country),
    /// A part of a country.
    Subdivision(Subdivision),
}
