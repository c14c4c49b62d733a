//! Domain names as the wire and the config both need them.

use std::{fmt, str::FromStr};

/// An absolute domain name: validated, lower case, in wire form (length-prefixed labels and the root's zero).
///
/// At most 255 bytes, labels of 1 to 63 bytes. Comparing and hashing the bytes is comparing the names.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DnsName(Box<[u8]>);

/// Why a text is not a domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was written.
    #[error("a name cannot be empty")]
    Empty,
    /// Two dots in a row, or one at the start.
    #[error("a label between two dots cannot be empty")]
    EmptyLabel,
    /// A label is over 63 bytes.
    #[error("a label is at most 63 bytes long")]
    LongLabel,
    /// The whole is over 255 bytes.
    #[error("a name is at most 255 bytes long")]
    LongName,
    /// Not a letter, digit, hyphen or underscore.
    #[error("`{0}` cannot stand in a name: letters, digits, `-` and `_` can")]
    BadCharacter(char),
}

impl DnsName {
    /// The root.
    pub fn root() -> Self {
        Self(Box::from([0]))
    }

    /// From wire form with its closing zero, whatever bytes its labels have; in lower case.
    pub fn from_wire(wire: &[u8]) -> Option<Self> {
        let mut at = 0;
        loop {
            match usize::from(*wire.get(at)?) {
                0 => break,
                length if length <= 63 => at += length + 1,
                _ => return None,
            }
        }
        (at + 1 == wire.len() && wire.len() <= 255).then(|| Self(wire.to_ascii_lowercase().into()))
    }

    /// The wire form, with the closing zero.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The labels, without their lengths.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (&length, tail) = rest.split_first()?;
            let (label, after) = tail.split_at_checked(usize::from(length)).filter(|_| length > 0)?;
            rest = after;
            Some(label)
        })
    }

    /// Whether this is `zone` itself or below it.
    pub fn is_within(&self, zone: &Self) -> bool {
        let mut at = 0;
        loop {
            if self.0[at..] == *zone.0 {
                return true;
            }
            match self.0[at] {
                0 => return false,
                length => at += usize::from(length) + 1,
            }
        }
    }

    /// This name, as written below `zone`: labels of `prefix` in front of it. `*` may be a label of its own.
    pub fn below(prefix: &str, zone: &Self) -> Result<Self, NameError> {
        if prefix == "@" {
            return Ok(zone.clone());
        }
        let mut wire = Vec::with_capacity(prefix.len() + 1 + zone.0.len());
        push_labels(prefix, &mut wire)?;
        wire.extend_from_slice(&zone.0);
        Self::checked(wire)
    }

    fn checked(wire: Vec<u8>) -> Result<Self, NameError> {
        if wire.len() > 255 { Err(NameError::LongName) } else { Ok(Self(wire.into())) }
    }
}

fn push_labels(text: &str, wire: &mut Vec<u8>) -> Result<(), NameError> {
    for label in text.split('.') {
        if label.is_empty() {
            return Err(NameError::EmptyLabel);
        }
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if let Some(bad) = label.chars().find(|c| !is_allowed(*c)).filter(|_| label != "*") {
            return Err(NameError::BadCharacter(bad));
        }
        let length = u8::try_from(label.len()).ok().filter(|length| *length <= 63).ok_or(NameError::LongLabel)?;
        wire.push(length);
        wire.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
    Ok(())
}

impl FromStr for DnsName {
    type Err = NameError;

    /// Absolute, with or without the closing dot.
    fn from_str(text: &str) -> Result<Self, NameError> {
        if text == "." {
            return Ok(Self::root());
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let mut wire = Vec::with_capacity(text.len() + 2);
        push_labels(text, &mut wire)?;
        wire.push(0);
        Self::checked(wire)
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut labels = self.labels().peekable();
        if labels.peek().is_none() {
            return f.write_str(".");
        }
        for (at, label) in labels.enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            for byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => write!(f, "\\{}", char::from(*byte))?,
                    0x21..=0x7e => write!(f, "{}", char::from(*byte))?,
                    other => write!(f, "\\{other:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_the_closing_dot_does_not_matter() {
        let name: DnsName = "WWW.Shop.example.".parse().unwrap();
        assert_eq!(name, "www.shop.example".parse().unwrap());
        assert_eq!(name.as_wire(), b"\x03www\x04shop\x07example\0");
        assert_eq!(name.to_string(), "www.shop.example");
    }

    #[test]
    fn any_bytes_can_be_a_label_and_are_shown_as_zone_files_write_them() {
        let name = DnsName::from_wire(b"\x040/A \x07example\0").unwrap();
        assert_eq!(name.to_string(), "0/a\\032.example");
        for bad in [&b""[..], b"\x01", b"\x01a", b"\0\0", b"\x40a\0"] {
            assert_eq!(DnsName::from_wire(bad), None);
        }
    }

    #[test]
    fn within_goes_by_whole_labels() {
        let zone: DnsName = "shop.example".parse().unwrap();
        let is_within = |text: &str| text.parse::<DnsName>().unwrap().is_within(&zone);
        assert!(is_within("shop.example") && is_within("a.b.shop.example"));
        assert!(!is_within("workshop.example") && !is_within("example"));
    }

    #[test]
    fn what_is_no_name_says_why() {
        let error = |text: &str| text.parse::<DnsName>().unwrap_err();
        assert_eq!(error(""), NameError::Empty);
        assert_eq!(error("a..b"), NameError::EmptyLabel);
        assert_eq!(error("a b"), NameError::BadCharacter(' '));
        assert_eq!(error(&"a".repeat(64)), NameError::LongLabel);
        assert_eq!(error(&"a.".repeat(128)), NameError::LongName);
    }

    #[test]
    fn a_name_below_a_zone_may_be_the_zone_or_a_wildcard() {
        let zone: DnsName = "shop.example".parse().unwrap();
        assert_eq!(DnsName::below("@", &zone).unwrap(), zone);
        assert_eq!(DnsName::below("*", &zone).unwrap().to_string(), "*.shop.example");
    }
}
