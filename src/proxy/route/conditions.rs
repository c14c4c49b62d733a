//! Conditions besides host and path.

use std::sync::Arc;

use crate::{
    config::{Further, Test},
    proxy::route::Asked,
};

/// Whether all of them hold.
pub(super) fn hold(further: &Further, asked: &Asked<'_>) -> bool {
    let Further { methods, headers, query, clients } = further;
    let header = |(name, test): &(Arc<str>, Test)| {
        let lines = asked.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        passes(test, lines.map(|header| header.value.iter().copied()))
    };
    let parameter = |(name, test): &(Arc<str>, Test)| {
        let named = parameters(asked.query).filter(|(key, _)| decoded(key).eq(name.bytes()));
        passes(test, named.map(|(_, value)| decoded(value)))
    };
    (methods.is_empty() || methods.iter().any(|method| **method == *asked.method))
        && (clients.is_empty() || clients.iter().any(|network| network.contains(&asked.client)))
        && headers.iter().all(header)
        && query.iter().all(parameter)
}

fn passes<V: Iterator<Item = u8>>(test: &Test, mut values: impl Iterator<Item = V>) -> bool {
    match test {
        Test::Equals(expected) => values.any(|value| value.eq(expected.bytes())),
        Test::Begins(expected) => values.any(|value| value.take(expected.len()).eq(expected.bytes())),
        Test::Present => values.next().is_some(),
        Test::Absent => values.next().is_none(),
    }
}

fn parameters(query: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let parameters = query.unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty());
    parameters.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
}

/// As forms are decoded: `+` is a space; a `%` without its two digits is itself.
fn decoded(text: &str) -> impl Iterator<Item = u8> {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (&first, behind) = rest.split_first()?;
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        let encoded = (first == b'%').then(|| u8::try_from(digit(0)? * 16 + digit(1)?).ok()).flatten();
        rest = if encoded.is_some() { &behind[2..] } else { behind };
        Some(encoded.unwrap_or(if first == b'+' { b' ' } else { first }))
    })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::proxy::h1::Header;

    fn asked<'a>(method: &'a str, query: &'a str, headers: &'a [Header<'a>], client: &str) -> Asked<'a> {
        let client: IpAddr = client.parse().unwrap();
        Asked { method, host: "a", path: "/", query: Some(query), headers, client }
    }

    #[test]
    fn all_conditions_have_to_hold_and_one_of_each_list() {
        let further = Further {
            methods: vec!["GET".into(), "HEAD".into()],
            headers: vec![("x-beta".into(), Test::Equals("1".into())), ("x-debug".into(), Test::Absent)],
            query: vec![("v".into(), Test::Begins("2.".into()))],
            clients: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        };
        let header = |name, value| Header { name, value };
        let headers = [header("X-Beta", b"0"), header("x-BETA", b"1"), header("x-debug", b"")];
        let (beta, debug) = (&headers[..2], &headers[..]);
        assert!(hold(&further, &asked("HEAD", "a=b&v=2.1", beta, "10.1.2.3")));
        assert!(hold(&further, &asked("GET", "v=1&v=2.", beta, "2001:db8::1")));
        for (method, query, headers, client) in [
            ("POST", "v=2.", beta, "10.0.0.1"),
            ("get", "v=2.", beta, "10.0.0.1"),
            ("GET", "v=2", beta, "10.0.0.1"),
            ("GET", "", beta, "10.0.0.1"),
            ("GET", "v=2.", &beta[..1], "10.0.0.1"),
            ("GET", "v=2.", debug, "10.0.0.1"),
            ("GET", "v=2.", beta, "11.0.0.1"),
        ] {
            assert!(!hold(&further, &asked(method, query, headers, client)), "{method} {query} {client}");
        }
    }

    #[test]
    fn query_parameters_are_decoded_before_they_are_compared() {
        let is = |name: &str, test: Test, query| {
            let further = Further { query: vec![(name.into(), test)], ..Further::default() };
            hold(&further, &asked("GET", query, &[], "10.0.0.1"))
        };
        let one = || Test::Equals("a b&c".into());
        assert!(is("q", one(), "q=a+b%26c") && is("q", one(), "%71=a%20b%26c&x"));
        assert!(!is("q", one(), "q=a+b&c") && !is("q", Test::Present, "qq=1&"));
        assert!(
            is("q", Test::Present, "q") && is("q", Test::Absent, "") && is("q", Test::Equals("%zz%".into()), "q=%zz%")
        );
    }
}
