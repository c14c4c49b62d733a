//! Trailers on their way through.

use http::HeaderMap;

use super::{Lines, hop::HOP_BY_HOP, identity::IDENTITY, is_one_of};

/// Trailers that may be passed on: none that frame, route or identify a message (RFC 9110 §6.5.1). All are well formed.
pub(in crate::proxy) fn kept_trailers<'a>(trailers: impl Iterator<Item = (&'a str, &'a [u8])>) -> HeaderMap {
    const NEVER: [&str; 14] = [
        "authorization",
        "cache-control",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "host",
        "max-forwards",
        "proxy-authorization",
        "set-cookie",
        "trailer",
        "www-authenticate",
    ];
    let mut kept = HeaderMap::new();
    for (name, value) in trailers {
        if ![&NEVER[..], &HOP_BY_HOP, &IDENTITY].iter().any(|names| is_one_of(name, names)) {
            kept.line(name, value);
        }
    }
    kept
}
