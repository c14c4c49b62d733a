//! Record types: their names, their numbers, and which of them nobody can write.

use std::{borrow::Cow, str::FromStr};

use domain::base::iana::Rtype;

/// An IPv4 address.
pub(crate) const A: u16 = 1;
/// A name server.
pub(crate) const NS: u16 = 2;
/// The name that this one is another name of.
pub(crate) const CNAME: u16 = 5;
/// A zone's authority.
pub(crate) const SOA: u16 = 6;
/// A pointer, mostly from an address to a name.
pub(crate) const PTR: u16 = 12;
/// A mail exchange.
pub(crate) const MX: u16 = 15;
/// Texts.
pub(crate) const TXT: u16 = 16;
/// AFS databases, as MX.
pub(crate) const AFSDB: u16 = 18;
/// Routes through, as MX.
pub(crate) const RT: u16 = 21;
/// An IPv6 address.
pub(crate) const AAAA: u16 = 28;
/// A service.
pub(crate) const SRV: u16 = 33;
/// Rules for rewriting names.
pub(crate) const NAPTR: u16 = 35;
/// Key exchangers, as MX.
pub(crate) const KX: u16 = 36;
/// Another name for everything below.
pub(crate) const DNAME: u16 = 39;
/// A digest of a child's key.
pub(crate) const DS: u16 = 43;
/// A digest of a host's SSH key.
pub(crate) const SSHFP: u16 = 44;
/// A key that signs a zone.
pub(crate) const DNSKEY: u16 = 48;
/// A digest of a service's certificate.
pub(crate) const TLSA: u16 = 52;
/// The same for a mailbox.
pub(crate) const SMIMEA: u16 = 53;
/// DS records that a zone asks its parent for.
pub(crate) const CDS: u16 = 59;
/// The keys that it asks them for.
pub(crate) const CDNSKEY: u16 = 60;
/// A key for mail.
pub(crate) const OPENPGPKEY: u16 = 61;
/// A service and how to reach it.
pub(crate) const SVCB: u16 = 64;
/// The same for HTTPS.
pub(crate) const HTTPS: u16 = 65;
/// Texts, in former times.
pub(crate) const SPF: u16 = 99;
/// A service as a URI.
pub(crate) const URI: u16 = 256;
/// Who may issue certificates.
pub(crate) const CAA: u16 = 257;
/// DS outside the tree.
pub(crate) const DLV: u16 = 32769;

/// The common ones, which are looked for first.
const COMMON: [(&str, u16); 10] = [
    ("A", A),
    ("AAAA", AAAA),
    ("CNAME", CNAME),
    ("TXT", TXT),
    ("MX", MX),
    ("NS", NS),
    ("SRV", SRV),
    ("CAA", CAA),
    ("PTR", PTR),
    ("HTTPS", HTTPS),
];

/// What people write, for "did you mean".
pub(in crate::config) const NAMES: [&str; 25] = [
    "A",
    "AAAA",
    "CAA",
    "CDNSKEY",
    "CDS",
    "CNAME",
    "DNAME",
    "DNSKEY",
    "DS",
    "HINFO",
    "HTTPS",
    "MX",
    "NAPTR",
    "NS",
    "OPENPGPKEY",
    "PTR",
    "SMIMEA",
    "SOA",
    "SRV",
    "SSHFP",
    "SVCB",
    "TLSA",
    "TXT",
    "URI",
    "ZONEMD",
];

/// The number of a type by its name or as `TYPE123`.
pub(in crate::config) fn number(name: &str) -> Option<u16> {
    let common = COMMON.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    common.map(|(_, kind)| *kind).or_else(|| Rtype::from_str(name).ok().map(Rtype::to_int))
}

/// Its name, or `TYPE123`.
pub(in crate::config) fn name(kind: u16) -> Cow<'static, str> {
    Rtype::from_int(kind).to_mnemonic_str().map_or_else(|| format!("TYPE{kind}").into(), Cow::Borrowed)
}

/// Why a type cannot be written as a record.
pub(in crate::config) fn refusal(kind: u16) -> Option<&'static str> {
    match kind {
        SOA => Some("the SOA is made from what stands in the zone"),
        24 | 30 | 46 | 47 | 50 | 51 => {
            Some("signatures and proofs of absence are not taken over: write the zone without them")
        }
        // RFC 6895 §3.1: 0 and 65,535 are reserved, 41 and 128 to 255 are for questions and messages. NULL is for experiments.
        0 | 10 | 41 | 128..=255 | u16::MAX => Some("it is no type of records"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_go_by_name_in_any_case_or_by_number() {
        for (text, kind) in [("a", A), ("Https", HTTPS), ("TYPE1", A), ("type65400", 65400), ("naptr", NAPTR)] {
            assert_eq!(number(text), Some(kind), "{text}");
        }
        for text in ["", "TYPE", "TYPE65536", "TYPE-1", "IN", "HTTP"] {
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!((name(HTTPS), name(65400)), ("HTTPS".into(), "TYPE65400".into()));
        assert!(NAMES.iter().all(|name| number(name).is_some()));
    }

    #[test]
    fn constants_are_what_they_are_called() {
        for (kind, text) in [
            (A, "A"),
            (NS, "NS"),
            (CNAME, "CNAME"),
            (SOA, "SOA"),
            (PTR, "PTR"),
            (MX, "MX"),
            (TXT, "TXT"),
            (AFSDB, "AFSDB"),
            (RT, "RT"),
            (AAAA, "AAAA"),
            (SRV, "SRV"),
            (NAPTR, "NAPTR"),
            (KX, "KX"),
            (DNAME, "DNAME"),
            (DS, "DS"),
            (SSHFP, "SSHFP"),
            (TLSA, "TLSA"),
            (SMIMEA, "SMIMEA"),
            (DNSKEY, "DNSKEY"),
            (CDS, "CDS"),
            (CDNSKEY, "CDNSKEY"),
            (OPENPGPKEY, "OPENPGPKEY"),
            (SVCB, "SVCB"),
            (HTTPS, "HTTPS"),
            (SPF, "SPF"),
            (URI, "URI"),
            (CAA, "CAA"),
            (DLV, "DLV"),
        ] {
            assert_eq!(name(kind), text);
        }
    }
}
