//! Where an origin listens.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use super::{DnsName, NameError};

/// Where an origin listens, as it is written: its identity in its pool, whatever a name leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(not(loom), derive(serde::Serialize, serde::Deserialize), serde(try_from = "String", into = "String"))]
pub enum Address {
    /// Always there.
    Fixed(SocketAddr),
    /// Wherever a name leads.
    Named {
        /// An absolute name: lower case, without the closing dot.
        host: Arc<str>,
        /// The port at each of its addresses.
        port: u16,
    },
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `:` and a number at the end.
    #[error("its port is missing")]
    NoPort,
    /// What stands behind the last `:` is no port.
    #[error("a port is a number from 1 to 65535")]
    BadPort,
    /// It looks like an IP address (RFC 1123, section 2.1: a name does not end in a number), and is none.
    #[error("it is not an IP address, and a name does not end in a number")]
    Numeric,
    /// The host is no name.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Address {
    /// The port.
    pub fn port(&self) -> u16 {
        match self {
            Self::Fixed(address) => address.port(),
            Self::Named { port, .. } => *port,
        }
    }

    /// The same host at another port.
    pub fn with_port(&self, port: u16) -> Self {
        match self {
            Self::Fixed(address) => Self::Fixed(SocketAddr::new(address.ip(), port)),
            Self::Named { host, .. } => Self::Named { host: Arc::clone(host), port },
        }
    }

    /// The name, where it is one.
    pub fn host(&self) -> Option<&Arc<str>> {
        match self {
            Self::Fixed(_) => None,
            Self::Named { host, .. } => Some(host),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Fixed(address)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Fixed(address));
        }
        if text.parse::<IpAddr>().is_ok() {
            return Err(AddressError::NoPort);
        }
        let (host, port) = text.rsplit_once(':').ok_or(AddressError::NoPort)?;
        // `u16` would read a sign, too.
        let port = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        let port = port.and_then(|port| port.parse().ok()).ok_or(AddressError::BadPort)?;
        if host.contains('*') {
            return Err(NameError::BadCharacter('*').into());
        }
        let name: DnsName = host.parse()?;
        let Some(last) = name.labels().last() else { return Err(NameError::Empty.into()) };
        if last.iter().all(u8::is_ascii_digit) {
            return Err(AddressError::Numeric);
        }
        Ok(Self::Named { host: name.to_string().into(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(address) => address.fmt(f),
            Self::Named { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart_and_read_back_as_written() {
        for text in ["10.0.0.1:80", "[2001:db8::1]:8080", "app.internal.example:8080", "localhost:1", "app_1:80"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(address.host().is_some(), text.starts_with(|c: char| c.is_ascii_alphabetic()), "{text}");
        }
        assert_eq!("App.Example.:80".parse::<Address>(), "app.example:80".parse());
    }

    #[test]
    fn what_is_no_address_says_why() {
        let error = |text: &str| text.parse::<Address>().unwrap_err();
        assert_eq!(error("app.example"), AddressError::NoPort);
        assert_eq!(error("::1"), AddressError::NoPort);
        for text in ["app.example:", "app.example:http", "app.example:+80", "app.example:65536"] {
            assert_eq!(error(text), AddressError::BadPort, "{text}");
        }
        assert_eq!(error("10.0.0.300:80"), AddressError::Numeric);
        assert_eq!(error("*.example:80"), NameError::BadCharacter('*').into());
        assert_eq!(error("http://app.example:80"), NameError::BadCharacter(':').into());
        assert_eq!(error(":80"), NameError::Empty.into());
        assert_eq!(error(".:80"), NameError::Empty.into());
    }
}
