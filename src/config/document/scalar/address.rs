//! IP addresses, with ports and without, and networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::kind::{Json, Kind, Misread, Scalar, text_of};
use crate::{
    config::document::tree::Value,
    fleet::{Address, AddressError},
};

impl Scalar for SocketAddr {
    const KIND: Kind = Kind { what: "an address with its port", example: "\"10.0.0.1:8080\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        text.parse().map_err(|_| {
            let error = Misread::bad("it is not an IP address with a port");
            match text.parse::<IpAddr>() {
                Ok(IpAddr::V4(address)) => error.hint(format!("add the port: `{address}:8080`")),
                Ok(IpAddr::V6(address)) => error.hint(format!("add brackets and the port: `[{address}]:8080`")),
                Err(_) if is_name(text) => error.hint("write the IP address: only the names of origins are looked up"),
                Err(_) => error,
            }
        })
    }
}

impl Scalar for Address {
    const KIND: Kind =
        Kind { what: "an address or a name, with its port", example: "\"10.0.0.1:8080\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        text.parse().map_err(|error: AddressError| {
            let misread = Misread::bad(error.to_string());
            if let Some((_, rest)) = text.split_once("://") {
                let host = rest.split('/').next().unwrap_or_default();
                return misread.hint(format!("write host and port alone: `{host}`"));
            }
            match (error, text.parse::<IpAddr>()) {
                (AddressError::NoPort, Ok(IpAddr::V6(address))) => {
                    misread.hint(format!("add brackets and the port: `[{address}]:8080`"))
                }
                (AddressError::NoPort, _) => misread.hint(format!("add the port: `{text}:8080`")),
                _ => misread,
            }
        })
    }
}

impl Scalar for IpAddr {
    const KIND: Kind = Kind { what: "an IP address", example: "\"192.0.2.10\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        text.parse().map_err(|_| not_an_address(text, "it is not an IP address"))
    }
}

impl Scalar for Ipv4Addr {
    const KIND: Kind = Kind { what: "an IPv4 address", example: "\"192.0.2.10\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        text.parse().map_err(|_| match text.parse::<Ipv6Addr>() {
            Ok(_) => Misread::bad("it is not an IPv4 address").hint("IPv6 addresses stand under `AAAA`"),
            Err(_) => not_an_address(text, "it is not an IPv4 address"),
        })
    }
}

impl Scalar for Ipv6Addr {
    const KIND: Kind = Kind { what: "an IPv6 address", example: "\"2001:db8::10\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        text.parse().map_err(|_| match text.parse::<Ipv4Addr>() {
            Ok(_) => Misread::bad("it is not an IPv6 address").hint("IPv4 addresses stand under `A`"),
            Err(_) => not_an_address(text, "it is not an IPv6 address"),
        })
    }
}

impl Scalar for IpNet {
    const KIND: Kind = Kind { what: "a network", example: "\"10.0.0.0/8\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::from(address));
        }
        let network: Self = text.parse().map_err(|_| {
            let bits = text.split_once('/').and_then(|(address, bits)| Some((address.parse::<IpAddr>().ok()?, bits)));
            match bits {
                Some((IpAddr::V4(_), _)) => Misread::bad("the bits of an IPv4 network are from 0 to 32"),
                Some((IpAddr::V6(_), _)) => Misread::bad("the bits of an IPv6 network are from 0 to 128"),
                None => Misread::bad("it is not a network"),
            }
        })?;
        if network.trunc() != network {
            return Err(
                Misread::bad("it has bits set behind its prefix").hint(format!("did you mean `{}`?", network.trunc()))
            );
        }
        Ok(network)
    }
}

/// Whether somebody could be reached at it from elsewhere.
pub(crate) fn is_usable_address(address: IpAddr) -> bool {
    let is_broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    !address.is_unspecified() && !address.is_multicast() && !is_broadcast
}

fn not_an_address(text: &str, why: &str) -> Misread {
    match text.parse::<SocketAddr>() {
        Ok(with_port) => Misread::bad(why).hint(format!("without the port: `{}`", with_port.ip())),
        Err(_) => Misread::bad(why),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint<T: Scalar>(text: &str) -> Option<String> {
        match T::read(&Value::Text(text.into())) {
            Err(Misread::Bad { hint, .. }) => hint,
            _ => None,
        }
    }

    #[test]
    fn what_is_nearly_an_address_gets_a_hint() {
        assert_eq!(hint::<SocketAddr>("10.0.0.1").unwrap(), "add the port: `10.0.0.1:8080`");
        assert_eq!(hint::<SocketAddr>("::1").unwrap(), "add brackets and the port: `[::1]:8080`");
        assert!(hint::<SocketAddr>("localhost:80").unwrap().contains("only the names of origins"));
        assert_eq!(hint::<Address>("app.internal").unwrap(), "add the port: `app.internal:8080`");
        assert_eq!(hint::<Address>("::1").unwrap(), "add brackets and the port: `[::1]:8080`");
        assert_eq!(hint::<Address>("http://app:80/x").unwrap(), "write host and port alone: `app:80`");
        assert_eq!(hint::<IpAddr>("10.0.0.1:80").unwrap(), "without the port: `10.0.0.1`");
        assert_eq!(hint::<IpNet>("10.0.0.1/8").unwrap(), "did you mean `10.0.0.0/8`?");
        assert!(hint::<Ipv4Addr>("::1").unwrap().contains("AAAA"));
    }

    #[test]
    fn an_address_alone_is_a_network_of_one() {
        assert_eq!(IpNet::read(&Value::Text("10.0.0.1".into())).unwrap().to_string(), "10.0.0.1/32");
    }
}
