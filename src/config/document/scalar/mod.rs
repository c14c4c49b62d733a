//! The single values that keys take, each as people write it, each in a file with its own kind.

mod address;
mod choice;
mod duration;
mod host;
mod kind;
mod number;
mod record;
mod text;

pub(crate) use address::is_usable_address;
pub(crate) use choice::choice;
pub(crate) use duration::Ttl;
pub use duration::{duration_as_written, parse_duration};
pub(crate) use host::{Contact, HostText};
pub(crate) use kind::{Json, Kind, Misread, Scalar};
pub(crate) use number::{ByteSize, Rate, Statuses};
pub(crate) use record::{Caa, Mx, Srv, Texts};
pub(crate) use text::{Name, RequestTarget, RoutePath, Text, bad_name};
