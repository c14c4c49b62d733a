//! Which connections count as one client's.

use std::net::IpAddr;

/// A client: an IPv4 address, or an IPv6 network of 64 bits, as a household has one. No such network in use begins with zeros, so the two kinds
/// never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::proxy) struct Guest(u64);

impl From<IpAddr> for Guest {
    fn from(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_64_bits_is_one_client() {
        let guest = |address: &str| Guest::from(address.parse::<IpAddr>().unwrap());
        assert_eq!(guest("2001:db8::1"), guest("2001:db8::2"));
        assert_ne!(guest("2001:db8::1"), guest("2001:db8:0:1::1"));
        assert_ne!(guest("192.0.2.1"), guest("192.0.2.2"));
    }
}
