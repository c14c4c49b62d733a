//! The single values that keys take, each as people write it, each in a file with its own kind.

mod address;
mod choice;
mod duration;
mod host;
mod http;
mod kind;
mod number;
mod path;
mod place;
mod probe;
mod record;
mod template;
mod text;

pub(crate) use address::is_usable_address;
pub(crate) use choice::choice;
pub(crate) use duration::Ttl;
pub use duration::{duration_as_written, parse_duration};
pub(crate) use host::{Contact, HostText};
pub(crate) use http::{BAD_HEADER_NAME, CookieName, HeaderName, HeaderValue, Method, RedirectStatus, is_header_name};
pub(crate) use kind::{Json, Kind, Misread, Scalar};
pub(crate) use number::{ByteSize, Percent, Rate, Statuses};
pub(crate) use path::{PathPrefix, RequestTarget, WholePath};
pub(crate) use probe::{Bytes, StatusSet};
pub(crate) use record::{AnyRecord, Data, Texts};
pub(crate) use text::{Body, Name, Text, bad_name};
