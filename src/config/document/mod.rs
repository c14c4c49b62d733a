//! The config as it was written: every value with its place, nothing looked up and nothing inferred.
//!
//! Read in two steps: TOML to a small tree (`syntax`, `tree`), and the tree to the sections (`sections`), each of which
//! is defined once, by the macro in `section`: that definition decodes it, holds its defaults and limits, and describes
//! it for the JSON Schema and the reference page.
//!
//! serde's derive is not used here: it stops at the first mistake, and loses places inside flattened and untagged shapes.
//! An operator wants all mistakes of a run at once, each with its line.
//!
//! Not here: what a document means (`resolve`), and several files becoming one document (`merge`, called by `load`).

mod decode;
mod describe;
mod keys;
mod merge;
mod nesting;
mod or_none;
mod scalar;
mod section;
mod sections;
mod syntax;
mod tree;
mod written;

pub(crate) use describe::{Fallback, KeyShape, SectionShape, Shape, document_shape};
pub(crate) use keys::decode_document;
pub(crate) use merge::merge;
pub(crate) use or_none::OrNone;
pub(crate) use scalar::{
    BAD_HEADER_NAME, Bytes, Data, HostText, Json, Kind, Misread, PathPrefix, Scalar, Text, WholePath, bad_name,
    is_header_name, is_usable_address,
};
pub use scalar::{duration_as_written, parse_duration};
pub(crate) use sections::{
    Balance, Balancing, Check, ClientCertificates, ClientMode, CommandCheck, Document, FailoverPolicy, GeoNetwork,
    GeoPolicy, GrpcCheck, HashPolicy, Hashing, HeaderEdits, Http2, HttpCheck, HttpIdentity, LatencyPolicy,
    NearestPolicy, Origin, OriginTls, Pair, Passive, PassiveMode, Policy, Pool, Protocol, Records, Redirect, Region,
    Respond, Route, Scheme, Steer, SteerHttps, TcpCheck, Test, TextMatch, Timing, TlsCheck, TlsVersion, TraceMode,
    UnknownHost, Verify, Via, WeightedPolicy, WhenAllDown, Zone, default_tcp,
};
pub(crate) use syntax::parse;
pub(crate) use tree::{Table, Value};
pub(crate) use written::{Entitled, List, Named, Optional, Written};
