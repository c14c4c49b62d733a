//! What a request says of the origin that it should go to: the key that its pool hashes, and the cookie that its client was given.
//!
//! Not here: which origin that is (`balance`).

use std::net::IpAddr;

use super::{h1::Header, headers::all};
use crate::{
    balance::{key_of, key_of_address},
    config::{Balancing, HashKey},
    fleet::Balance,
};

/// What the request has in common with others that go to the same origin; nothing where it lacks it, or where nobody asks.
pub(super) fn key(settings: &Balancing, headers: &[Header<'_>], path: &str, client: IpAddr) -> Option<u64> {
    if settings.method != Balance::Hash {
        return None;
    }
    let value = match &settings.hash.key {
        HashKey::Client => return Some(key_of_address(client)),
        HashKey::Path => path.as_bytes(),
        HashKey::Header(name) => headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?.value,
        HashKey::Cookie(name) => cookie(headers, name)?,
    };
    (!value.is_empty()).then(|| key_of(value))
}

/// The value of a cookie, of the first where there are several (RFC 6265 §5.4).
pub(super) fn cookie<'a>(headers: &[Header<'a>], name: &str) -> Option<&'a [u8]> {
    let mut pairs = all(headers, "cookie").flat_map(|header| header.value.split(|byte| *byte == b';'));
    pairs.find_map(|pair| {
        let rest = pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(rest.strip_prefix(b"\"").and_then(|quoted| quoted.strip_suffix(b"\"")).unwrap_or(rest))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::Hashing;

    fn headers(values: &[(&'static str, &'static str)]) -> Vec<Header<'static>> {
        values.iter().map(|(name, value)| Header { name, value: value.as_bytes() }).collect()
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = headers(&[("Cookie", "xa=1; a=2;b=\"3\""), ("cookie", " A=4; a=5; c"), ("a", "a=6")]);
        let value = |name: &str| cookie(&headers, name).map(|value| std::str::from_utf8(value).unwrap());
        assert_eq!((value("a"), value("A"), value("b"), value("xa")), (Some("2"), Some("4"), Some("3"), Some("1")));
        assert_eq!((value("c"), value("x"), value("d")), (None, None, None));
    }

    #[test]
    fn a_key_is_what_the_pool_says_or_nothing() {
        let with =
            |method, key| Balancing { method, hash: Hashing { key, bound_percent: 150 }, ..Balancing::default() };
        let headers = headers(&[("X-User", "ann"), ("x-user", "bob"), ("cookie", "sid=s"), ("empty", "")]);
        let client = "192.0.2.1".parse().unwrap();
        let key = |key: HashKey| key_with(&with(Balance::Hash, key), &headers, client);
        let header = |name: &str| HashKey::Header(Arc::from(name));
        assert_eq!(key(header("x-user")), Some(key_of(b"ann")));
        assert_eq!(key(HashKey::Cookie("sid".into())), Some(key_of(b"s")));
        assert_eq!(key(HashKey::Path), Some(key_of(b"/cart")));
        assert_eq!(key(HashKey::Client), Some(key_of_address(client)));
        assert_eq!((key(header("none")), key(header("empty")), key(HashKey::Cookie("x".into()))), (None, None, None));
        assert_eq!(key_with(&with(Balance::Random, HashKey::Client), &headers, client), None);
    }

    fn key_with(settings: &Balancing, headers: &[Header<'_>], client: IpAddr) -> Option<u64> {
        key(settings, headers, "/cart", client)
    }
}
