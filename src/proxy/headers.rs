//! Headers on their way through: what is for this hop alone goes, who is asking is added.

use std::net::IpAddr;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{self, Entry},
};
use ipnet::IpNet;

use crate::clock::Random;

/// The id that a request keeps on all its hops.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// RFC 9110 §7.6.1, and what older software still sends. `Transfer-Encoding` is the codec's to write anew.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Removes what is meant for this hop: the known names and those that `Connection` lists. A message's host and length are
/// never this hop's alone, whatever `Connection` says.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let listed: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
            .filter(|name| ![header::HOST, header::CONTENT_LENGTH].contains(name))
            .collect();
        for name in &listed {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Says who is asking, for what host and over what. What an untrusted client says about itself is replaced.
pub(super) fn add_identity(headers: &mut HeaderMap, client: IpAddr, trusted: &[IpNet]) {
    let is_trusted = trusted.iter().any(|network| network.contains(&client));
    let address = HeaderValue::try_from(client.to_string()).ok();
    let chain = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let chain = if is_trusted { chain.collect::<Vec<_>>().join(", ") } else { String::new() };
    let forwarded_for =
        if chain.is_empty() { address } else { HeaderValue::try_from(format!("{chain}, {client}")).ok() };
    if let Some(value) = forwarded_for {
        headers.insert(FORWARDED_FOR, value);
    }
    let host = headers.get(header::HOST).cloned();
    for (name, value) in [(FORWARDED_PROTO, Some(HeaderValue::from_static("http"))), (FORWARDED_HOST, host)] {
        let Some(value) = value else { continue };
        match headers.entry(name) {
            Entry::Occupied(mut said) if !is_trusted => drop(said.insert(value)),
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => drop(place.insert(value)),
        }
    }
}

/// The request's id: the client's where it is trusted and reasonable, else a new one.
pub(super) fn request_id(headers: &HeaderMap, client: IpAddr, trusted: &[IpNet], random: &mut Random) -> HeaderValue {
    let said = headers.get(REQUEST_ID).filter(|id| !id.is_empty() && id.len() <= 128);
    match said {
        Some(id) if trusted.iter().any(|network| network.contains(&client)) => id.clone(),
        _ => HeaderValue::try_from(format!("{:032x}", random.u128(..))).unwrap_or(HeaderValue::from_static("none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_is_for_this_hop_goes_and_the_rest_stays() {
        let mut map = headers(&[
            ("connection", "x-private, host, Content-Length"),
            ("x-private", "1"),
            ("host", "shop.example"),
            ("content-length", "5"),
            ("te", "trailers"),
            ("accept", "*/*"),
        ]);
        remove_hop_by_hop(&mut map);
        let mut left: Vec<&str> = map.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "content-length", "host"]);
    }

    #[test]
    fn only_a_trusted_client_speaks_for_others() {
        let said = [("host", "shop.example"), ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
        let client = IpAddr::from([10, 0, 0, 1]);

        let mut from_anyone = headers(&said);
        add_identity(&mut from_anyone, client, &[]);
        assert_eq!(from_anyone["x-forwarded-for"], "10.0.0.1");
        assert_eq!(from_anyone["x-forwarded-proto"], "http");

        let mut from_trusted = headers(&said);
        add_identity(&mut from_trusted, client, &["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(from_trusted["x-forwarded-for"], "203.0.113.9, 10.0.0.1");
        assert_eq!(from_trusted["x-forwarded-proto"], "https");
        assert_eq!(from_trusted["x-forwarded-host"], "shop.example");
    }

    #[test]
    fn a_request_id_from_outside_is_replaced() {
        let map = headers(&[("x-request-id", "forged")]);
        let (client, mut random) = (IpAddr::from([10, 0, 0, 1]), crate::clock::seeded(1));
        assert_ne!(request_id(&map, client, &[], &mut random), "forged");
        assert_eq!(request_id(&map, client, &["10.0.0.0/8".parse().unwrap()], &mut random), "forged");
    }
}
