//! Trailers on their way through.

use http::HeaderMap;

use super::{Lines, hop::HOP_BY_HOP, identity::is_about_who_asks, is_called};

/// Trailers that may be passed on: none that frame, route or identify a message (RFC 9110 §6.5.1), in any spelling, as some readers take them for
/// headers. All are well formed.
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
        let is_left_out = NEVER.iter().chain(&HOP_BY_HOP).any(|known| is_called(name, known));
        if !is_left_out && !is_about_who_asks(name) {
            kept.line(name, value);
        }
    }
    kept
}
