//! Host names: of routes, of DNS records, of whoever is responsible for a zone.

use super::kind::{Json, Kind, Misread, Scalar, text_of};
use crate::config::document::tree::Value;
use crate::{config::resolved::HostPattern, fleet::DnsName};

impl Scalar for DnsName {
    const KIND: Kind = Kind { what: "a domain name", example: "\"www.shop.example\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        name(text_of(value)?)
    }
}

/// A host as a `Host` header has it: lower case, no wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostText(pub(crate) String);

impl Scalar for HostText {
    const KIND: Kind = Kind { what: "a host", example: "\"shop.example\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        host(text_of(value)?).map(Self)
    }
}

impl Scalar for HostPattern {
    const KIND: Kind =
        Kind { what: "a host, `*.` and a host, or `*`", example: "\"*.shop.example\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        if text == "*" {
            return Ok(Self::Any);
        }
        let rest = text.strip_prefix("*.");
        let host = host(rest.unwrap_or(text))?;
        Ok(if rest.is_some() { Self::Below(host.into()) } else { Self::Exact(host.into()) })
    }
}

/// The mailbox of a zone, as the name that its SOA has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contact(pub(crate) DnsName);

impl Scalar for Contact {
    const KIND: Kind = Kind { what: "a mailbox", example: "\"hostmaster@shop.example\"", json: Json::Text };

    fn read(value: &Value) -> Result<Self, Misread> {
        let text = text_of(value)?;
        let Some((mailbox, domain)) = text.split_once('@') else { return name(text).map(Self) };
        if mailbox.contains('.') {
            return Err(Misread::bad("a dot before the `@` cannot be written in an SOA record here")
                .hint(format!("use a mailbox without one, such as `hostmaster@{domain}`")));
        }
        let domain = name(domain)?;
        DnsName::below(mailbox, &domain).map(Self).map_err(|error| Misread::bad(error.to_string()))
    }
}

/// An absolute name without a wildcard.
pub(super) fn name(text: &str) -> Result<DnsName, Misread> {
    if text.contains('*') {
        return Err(Misread::bad("`*` cannot stand here"));
    }
    text.parse().map_err(|error: crate::fleet::NameError| Misread::bad(error.to_string()))
}

fn host(text: &str) -> Result<String, Misread> {
    if text.contains("://") || text.contains('/') {
        let host = text.rsplit("://").next().and_then(|rest| rest.split('/').next()).unwrap_or_default();
        return Err(Misread::bad("it is not a host alone").hint(format!("write only the host: `{host}`")));
    }
    if let Some((host, _)) = text.split_once(':') {
        return Err(Misread::bad("a host stands here without its port").hint(format!("write `{host}`")));
    }
    if text.contains('*') {
        return Err(Misread::bad("`*` can only stand alone, or before everything else as in `*.shop.example`"));
    }
    name(text).map(|name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Scalar>(text: &str) -> Result<T, Misread> {
        T::read(&Value::Text(text.into()))
    }

    #[test]
    fn hosts_are_lower_case_and_patterns_have_their_star_in_front() {
        assert_eq!(read::<HostPattern>("Shop.Example.").unwrap(), HostPattern::Exact("shop.example".into()));
        assert_eq!(read::<HostPattern>("*.Shop.example").unwrap(), HostPattern::Below("shop.example".into()));
        assert_eq!(read::<HostPattern>("*").unwrap(), HostPattern::Any);
        for text in ["", "a.*.example", "*shop.example", "*.*", "*.", "http://shop.example", "shop.example:80", "a b"] {
            assert!(read::<HostPattern>(text).is_err(), "{text}");
        }
        assert!(read::<HostText>("*.shop.example").is_err());
    }

    #[test]
    fn a_mailbox_becomes_a_name() {
        assert_eq!(read::<Contact>("ops@shop.example").unwrap().0.to_string(), "ops.shop.example");
        assert_eq!(read::<Contact>("ops.shop.example").unwrap().0.to_string(), "ops.shop.example");
        assert!(read::<Contact>("first.last@shop.example").is_err());
    }
}
