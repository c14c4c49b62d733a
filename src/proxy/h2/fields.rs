//! Header fields of HTTP/2, seen as those of HTTP/1 are, so that everything behind reads one kind.

use http::{HeaderMap, header};

use crate::proxy::h1::{Header, MOST_HEADERS, Malformed};

/// All fields. Cookies that came apart (RFC 9113 §8.2.3) stand in one again, written to `cookies`.
pub(in crate::proxy) fn fields<'a>(map: &'a HeaderMap, cookies: &'a mut Vec<u8>) -> Result<Vec<Header<'a>>, Malformed> {
    if map.len() > MOST_HEADERS {
        return Err(Malformed::TooManyHeaders);
    }
    let is_apart = map.get_all(header::COOKIE).iter().nth(1).is_some();
    if is_apart {
        for cookie in map.get_all(header::COOKIE) {
            if !cookies.is_empty() {
                cookies.extend_from_slice(b"; ");
            }
            cookies.extend_from_slice(cookie.as_bytes());
        }
    }
    let mut fields = Vec::with_capacity(map.len());
    for (name, value) in map {
        let value = value.as_bytes();
        // What a reader of HTTP/1 would trim must not stand there (RFC 9113 §8.2.1).
        if value.trim_ascii().len() != value.len() {
            return Err(Malformed::Syntax);
        }
        if !is_apart || name != header::COOKIE {
            fields.push(Header { name: name.as_str(), value });
        }
    }
    if is_apart {
        fields.push(Header { name: "cookie", value: cookies });
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn cookies_that_came_apart_are_one_again() {
        let mut map = HeaderMap::new();
        map.append("cookie", HeaderValue::from_static("a=1"));
        map.append("x", HeaderValue::from_static("1"));
        map.append("cookie", HeaderValue::from_static("b=2"));
        let mut cookies = Vec::new();
        let fields = fields(&map, &mut cookies).unwrap();
        assert_eq!(fields, [Header { name: "x", value: b"1" }, Header { name: "cookie", value: b"a=1; b=2" }]);
    }

    #[test]
    fn values_that_would_change_in_http_1_and_floods_are_refused() {
        let mut map = HeaderMap::new();
        map.append("x", HeaderValue::from_bytes(b" 1").unwrap());
        assert_eq!(fields(&map, &mut Vec::new()).unwrap_err(), Malformed::Syntax);
        let mut map = HeaderMap::new();
        for _ in 0..=MOST_HEADERS {
            map.append("x", HeaderValue::from_static("1"));
        }
        assert_eq!(fields(&map, &mut Vec::new()).unwrap_err(), Malformed::TooManyHeaders);
    }
}
