//! Hosts as keys: `shop.example` is itself, and `*.shop.example` is `.shop.example`, so that a host's wildcard is a part of it.

use std::borrow::Cow;

/// A host as it is looked up: lower case, no dot at its end. Nothing where it could not be one, so what comes out is safe as a part
/// of a file's name.
pub(super) fn host(text: &str) -> Option<Cow<'_, str>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let host = if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    };
    is_host(&host).then_some(host)
}

/// Letters of other scripts are there as `xn--`. A label that is `_` alone would be taken for a wildcard's file.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label != "_" && label.bytes().all(is_allowed)
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// The key of a name in a certificate.
pub(super) fn key(name: &str) -> Option<Box<str>> {
    match name.strip_prefix("*.") {
        Some(rest) => Some(format!(".{}", host(rest)?).into()),
        None => Some(host(name)?.into()),
    }
}

/// The keys that a host may be found under, the more specific first. A wildcard stands for one label.
pub(super) fn keys(host: &str) -> impl Iterator<Item = &str> {
    std::iter::once(host).chain(host.find('.').map(|dot| &host[dot..]))
}

/// The file of a key, without `.pem`.
pub(super) fn stem(key: &str) -> String {
    if key.starts_with('.') { format!("_{key}") } else { key.to_owned() }
}

/// The key that a file is for. Nothing for the RSA pair beside another, and for what is no such file.
pub(super) fn key_of_file(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(".pem")?;
    if stem.strip_suffix(".rsa").is_some() {
        return None;
    }
    let (key, host) = stem.strip_prefix("_.").map_or((stem, stem), |host| (&stem[1..], host));
    is_host(host).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_become_parts_of_paths() {
        for text in
            ["", ".", "..", "../x", "a/b", "a\\b", "a..b", ".a", "a b", "ä.example", "a\0", "_.shop.example", "-\n"]
        {
            assert_eq!(host(text), None, "{text}");
        }
        assert_eq!(host("Shop.Example.").as_deref(), Some("shop.example"));
        assert_eq!(host("xn--bcher-kva.example").as_deref(), Some("xn--bcher-kva.example"));
        assert!(host(&format!("{}a", "a.".repeat(127))).is_none() && host(&"a".repeat(64)).is_none());
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert_eq!(keys("a.b.example").collect::<Vec<_>>(), ["a.b.example", ".b.example"]);
        assert_eq!(keys("localhost").collect::<Vec<_>>(), ["localhost"]);
        assert_eq!(key("*.B.example").as_deref(), Some(".b.example"));
        assert_eq!(key("*"), None);
    }

    #[test]
    fn files_and_keys_lead_to_each_other() {
        for (file, key) in [("shop.example.pem", "shop.example"), ("_.shop.example.pem", ".shop.example")] {
            assert_eq!(key_of_file(file), Some(key));
            assert_eq!(format!("{}.pem", stem(key)), file);
        }
        for file in [
            "shop.example.rsa.pem",
            ".shop.example.pem",
            "shop.example.key",
            "Shop.example.pem",
            "_.pem",
            ".pem",
            "..pem",
        ] {
            assert_eq!(key_of_file(file), None, "{file}");
        }
    }
}
