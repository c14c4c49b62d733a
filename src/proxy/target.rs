//! What a request asks for: one host, one path, or a refusal (RFC 9112 §3.2).

use super::{
    Refusal,
    h1::{Minor, RequestHead},
    headers::all,
    route::Rewrite,
};

/// The longest name, written out without the root's dot (RFC 1035 §2.3.4).
const LONGEST_NAME: usize = 253;
/// Room for it, and for an address in brackets.
const LONGEST: usize = 255;

/// Host and path, taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'b> {
    /// Host and port as the client named them; empty where HTTP/1.0 named none.
    pub(super) authority: &'b str,
    /// Path and query, as sent.
    pub(super) path_and_query: &'b str,
    host: Host,
}

/// A host in lower case, without port and without the root's dot.
#[derive(Clone, Copy, Debug)]
struct Host {
    bytes: [u8; LONGEST],
    length: u8,
}

impl<'b> Target<'b> {
    /// Looks at the request's target, an authority that stands beside it (HTTP/2), and the `Host` headers.
    pub(super) fn read(head: &RequestHead<'b>, beside: Option<&'b str>) -> Result<Self, Refusal> {
        let RequestHead { method, target, minor, headers } = *head;
        let mut said = all(headers, "host").map(|header| std::str::from_utf8(header.value));
        let said = match (said.next(), said.next()) {
            (Some(Ok(said)), None) => Some(said),
            (None, None) if minor == Minor::Zero || beside.is_some() => None,
            _ => return Err(Refusal::BadHost),
        };
        let (absolute, path_and_query) = match target.as_bytes() {
            [b'/', ..] => (beside, target),
            // The whole host has options and nothing else (RFC 9112 §3.2.4).
            b"*" if method == "OPTIONS" => (beside, "*"),
            _ => {
                let (authority, path) = absolute_form(target).ok_or(Refusal::BadTarget)?;
                (Some(authority), path)
            }
        };
        let authority = match (absolute, said) {
            (Some(absolute), Some(said)) if !absolute.eq_ignore_ascii_case(said) => return Err(Refusal::BadHost),
            (Some(authority), _) | (None, Some(authority)) => authority,
            (None, None) => "",
        };
        let host = if absolute.is_none() && said.is_none() { Some(Host::NONE) } else { Host::read(authority) };
        Ok(Self { authority, path_and_query, host: host.ok_or(Refusal::BadHost)? })
    }

    /// In lower case, without port; empty where none was named.
    pub(super) fn host(&self) -> &str {
        std::str::from_utf8(&self.host.bytes[..usize::from(self.host.length)]).unwrap_or_default()
    }

    /// What comes behind the path's `?`.
    pub(super) fn query(&self) -> Option<&'b str> {
        self.path_and_query.split_once('?').map(|(_, query)| query)
    }

    /// Path and query as an origin is asked for them, in pieces. What is asked of the whole host stays.
    pub(super) fn rewritten<'a>(&'a self, rewrite: Option<&'a Rewrite>) -> [&'a str; 3] {
        let Some(rewrite) = rewrite.filter(|_| self.path_and_query != "*") else {
            return [self.path_and_query, "", ""];
        };
        let path = self.path();
        let [begin, rest] = rewrite.apply(path);
        [begin, rest, &self.path_and_query[path.len()..]]
    }

    /// The path alone. What is asked of the whole host is asked of its root.
    pub(super) fn path(&self) -> &'b str {
        if self.path_and_query == "*" {
            return "/";
        }
        self.path_and_query.split_once('?').map_or(self.path_and_query, |(path, _)| path)
    }
}

/// `http://authority/path`; a missing path is the root.
fn absolute_form(target: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = target.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match path.as_bytes() {
        [] => Some((authority, "/")),
        [b'/', ..] => Some((authority, path)),
        // `http://host?query` would need a slash put in: nobody sends it.
        _ => None,
    }
}

impl Host {
    const NONE: Self = Self { bytes: [0; LONGEST], length: 0 };

    fn read(authority: &str) -> Option<Self> {
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let end = rest.find(']')? + 2;
                (&authority[..end], &authority[end..])
            }
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let is_port = port.is_empty()
            || port
                .strip_prefix(':')
                .is_some_and(|digits| digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()));
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.len() <= LONGEST_NAME && host.split('.').all(is_label),
        };
        if !is_port || !is_host || host.len() > LONGEST {
            return None;
        }
        let mut read = Self::NONE;
        for (lower, byte) in read.bytes.iter_mut().zip(host.bytes()) {
            *lower = byte.to_ascii_lowercase();
        }
        read.length = u8::try_from(host.len()).ok()?;
        Some(read)
    }
}

/// Whether it is a label that everybody takes for one: certificates and demands on clients are looked up by the same names (`tls`), and a name
/// that one of us reads and the other does not would be a way around them.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len()) && label != "_" && label.bytes().all(is_host_byte)
}

/// What host names are made of in practice. `%`, `@`, and whatever else two readers might take apart differently, are not among it.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::h1::Header;

    fn host(minor: Minor, target: &str, hosts: &[&str]) -> Result<String, Refusal> {
        let headers: Vec<Header<'_>> =
            hosts.iter().map(|host| Header { name: "Host", value: host.as_bytes() }).collect();
        let head = RequestHead { method: "OPTIONS", target, minor, headers: &headers };
        Target::read(&head, None).map(|target| target.host().to_owned())
    }

    #[test]
    fn a_request_names_exactly_one_host() {
        let http11 = Minor::One;
        assert_eq!(host(http11, "/", &["Shop.Example.:8080"]).unwrap(), "shop.example");
        assert_eq!(host(http11, "http://shop.example/", &["SHOP.example"]).unwrap(), "shop.example");
        assert_eq!(host(http11, "*", &["shop.example"]).unwrap(), "shop.example");
        assert_eq!(host(http11, "/", &["[::1]:80"]).unwrap(), "[::1]");
        assert_eq!(host(Minor::Zero, "/", &[]).unwrap(), "");
        let (long, label) = ("a.".repeat(127) + "a", "a".repeat(64) + ".a");
        for hosts in [
            &[][..],
            &["a", "a"],
            &["a b"],
            &["user@a"],
            &[""],
            &["."],
            &["a/b"],
            &["a:"],
            &["a:b"],
            &["a:1:2"],
            &["a%41"],
            &["[::1"],
            &["[::1]x"],
            &[long.as_str()],
            &["a..b"],
            &[".a"],
            &["_.a"],
            &[label.as_str()],
        ] {
            // A port may be empty (RFC 3986 §3.2.3).
            let expected = if hosts == ["a:"] { Ok("a".to_owned()) } else { Err(Refusal::BadHost) };
            assert_eq!(host(http11, "/", hosts), expected, "{hosts:?}");
        }
        assert_eq!(host(http11, "http://a/", &["b"]), Err(Refusal::BadHost));
    }

    #[test]
    fn a_target_is_a_path_an_absolute_form_or_refused() {
        let headers = [Header { name: "host", value: b"a" }];
        let read = |method, target| {
            let head = RequestHead { method, target, minor: Minor::One, headers: &headers };
            Target::read(&head, None).map(|target| (target.path(), target.path_and_query))
        };
        let path = |target| read("OPTIONS", target);
        assert_eq!(read("GET", "*"), Err(Refusal::BadTarget));
        assert_eq!(path("/x?y=/z").unwrap(), ("/x", "/x?y=/z"));
        assert_eq!(path("HTTP://a").unwrap(), ("/", "/"));
        assert_eq!(path("http://a/x?y").unwrap(), ("/x", "/x?y"));
        assert_eq!(path("*").unwrap(), ("/", "*"));
        for target in ["x", "ftp://a/", "http://a?x", "a:80", "", "**"] {
            assert_eq!(path(target), Err(Refusal::BadTarget), "{target}");
        }
    }
}
