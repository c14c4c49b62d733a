//! Networks that are keys: of `geo` and of policies by place.

use ipnet::IpNet;

use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics, Place},
    document::{Misread, Scalar, Value},
};

/// Networks that one table may hold.
pub(super) const MAX: usize = 100_000;

/// The bits of an IPv6 network that count: further than that nobody is told apart.
const MAX_V6_BITS: u8 = 64;

/// Nothing once a mistake was reported.
pub(super) fn read(name: &str, place: Option<Place>, problems: &mut Diagnostics) -> Option<IpNet> {
    let message = format!("`{}` cannot be a network here", name.escape_debug());
    let error = Diagnostic::error(Code::BadName, message);
    match IpNet::read(&Value::Text(name.to_owned())) {
        Ok(IpNet::V6(network)) if network.prefix_len() > MAX_V6_BITS => {
            problems.push(error.at(place, format!("clients of IPv6 are told apart by {MAX_V6_BITS} bits at most")));
            None
        }
        Ok(network) => Some(network),
        Err(Misread::Bad { why, hint }) => {
            problems.push(error.at(place, why).hint(hint));
            None
        }
        Err(_) => {
            problems.push(error.at(place, "expected a network, such as `10.0.0.0/8`"));
            None
        }
    }
}

pub(super) fn too_many(count: usize, place: Option<Place>) -> Diagnostic {
    let message = format!("there are {count} networks, and one table holds at most {MAX}");
    Diagnostic::error(Code::TooMany, message).at(place, "too many")
}
