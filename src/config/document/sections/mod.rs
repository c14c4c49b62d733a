//! All sections, in files by what they are about. This is where a key is added.

mod balance;
mod check;
mod dns;
mod document;
mod geo;
mod node;
mod passive;
mod policy;
mod pool;
mod region;
mod route;
mod tls;
mod zone;

pub(crate) use balance::{Balance, Balancing, Hashing};
pub(crate) use check::{Check, CommandCheck, GrpcCheck, HttpCheck, TcpCheck, TextMatch, Timing, TlsCheck, default_tcp};
pub(crate) use dns::Dns;
pub(crate) use document::Document;
pub(crate) use geo::{Geo, GeoNetwork};
pub(crate) use node::{Http2, HttpIdentity, TraceMode};
pub(crate) use passive::{Passive, PassiveMode};
pub(crate) use policy::{FailoverPolicy, GeoPolicy, HashPolicy, LatencyPolicy, NearestPolicy, Policy, WeightedPolicy};
pub(crate) use pool::{Origin, Pool, Protocol, Via, WhenAllDown};
pub(crate) use region::Region;
pub(crate) use route::{HeaderEdits, Redirect, Respond, Route, Scheme, Test};
pub(crate) use tls::{ClientCertificates, ClientMode, OriginTls, Pair, Tls, TlsVersion, UnknownHost, Verify};
pub(crate) use zone::{Records, Steer, SteerHttps, Zone};
