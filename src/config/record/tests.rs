use bytes::Bytes;
use domain::{
    base::{Name, iana::Class, rdata::ComposeRecordData},
    zonefile::inplace::{Entry, Zonefile},
};
use proptest::prelude::*;

use super::*;
use crate::fleet::DnsName;

fn wire(text: &str) -> Result<(u16, Vec<u8>), String> {
    read_any(text).map(|(kind, data)| (kind, data.into())).map_err(|bad| bad.why)
}

/// What the reader of zone files in `domain` makes of it.
fn oracle(text: &str) -> Option<(u16, Vec<u8>)> {
    let mut zone = Zonefile::from(format!("x. 0 IN {text}\n").as_bytes());
    zone.set_origin(Name::<Bytes>::root_bytes());
    zone.set_default_class(Class::IN);
    let Ok(Some(Entry::Record(record))) = zone.next_entry() else { return None };
    let mut data = Vec::new();
    let Ok(()) = record.data().compose_rdata(&mut data);
    Some((record.rtype().to_int(), data))
}

#[test]
fn records_become_the_bytes_that_another_reader_makes_of_them() {
    for text in [
        "A 192.0.2.1",
        "AAAA 2001:db8::1",
        "CNAME www.shop.example.",
        "NS ns1.shop.example.",
        "PTR 1.shop.example.",
        "DNAME other.example.",
        "MX 10 mail.shop.example.",
        "MX 0 .",
        "SRV 1 2 443 www.shop.example.",
        r#"TXT "v=spf1 -all" second "with \"quotes\" and \\ and \255""#,
        r#"CAA 128 issue "ca.example; account=1""#,
        r#"HINFO "PC" linux"#,
        "TLSA 3 1 1 (d2abde240d7cd3ee6b4b28c54df034b9 7983a1d16e8a410e4561cb106618e971)",
        "SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789",
        r#"NAPTR 100 50 "s" "http+I2L+I2C+I2R" "" _http._tcp.gatech.edu."#,
        "DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
        "DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==",
        "CDS 0 0 0 00",
        "CDNSKEY 0 3 0 AA==",
        "OPENPGPKEY AQIDBAUGBwg=",
        "ZONEMD 2018031500 1 1 FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE7EB1A7B641A47BA7FED2DD5B97AE499FAFA4F22C6BD647DE",
        "RP mbox.shop.example. .",
        "HTTPS 0 www.shop.example.",
        "HTTPS 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1",
        "HTTPS 1 . port=8443 alpn=\"h2,h3\" mandatory=port,alpn no-default-alpn",
        "SVCB 16 foo.example. ech=\"AAEC\" key667=hello\\210qoo",
        r"TYPE65400 \# 4 0A000001",
        r"A \# 4 0A000001",
        r"TYPE1 \# 4 0A00 0001",
        r"MX \# 5 000A 0161 00",
        r"TYPE65400 \# 0",
    ] {
        assert_eq!(wire(text).ok(), oracle(text), "{text}");
        assert!(wire(text).is_ok(), "{text}: {:?}", wire(text));
    }
}

#[test]
fn what_the_other_reader_does_not_know_is_written_as_its_kin_is() {
    let data = |text: &str| wire(text).unwrap().1;
    assert_eq!(data("SMIMEA 3 1 0 ABCD"), data("TLSA 3 1 0 ABCD"));
    assert_eq!(data("SPF \"v=spf1\""), data("TXT \"v=spf1\""));
    assert_eq!(data("KX 1 a.b."), data("MX 1 a.b."));
    assert_eq!(data("URI 10 1 \"ftp://a\""), b"\0\x0a\0\x01ftp://a");
    // A `z` and a `9` are letters and digits, too.
    assert_eq!(data("HTTPS 1 . key999=a"), b"\0\x01\0\x03\xe7\0\x01a");
    assert_eq!(data("HTTPS 1 . tls-supported-groups=29,23"), b"\0\x01\0\0\x09\0\x04\0\x1d\0\x17");
    assert_eq!(data(r#"SVCB 1 . alpn="f\\\\oo\\,bar,h2""#), b"\0\x01\0\0\x01\0\x0c\x08f\\oo,bar\x02h2");
    assert_eq!(data("SVCB 1 . dohpath=/dns-query{?dns} ohttp"), b"\0\x01\0\0\x07\0\x10/dns-query{?dns}\0\x08\0\0");
}

#[test]
fn what_is_no_record_says_why() {
    for (text, why) in [
        ("", "the type is missing"),
        ("FOO 1", "there is no type `FOO`"),
        ("A", "the address is missing"),
        ("A 192.0.2.256", "it is not an IPv4 address"),
        ("A 192.0.2.1 192.0.2.2", "nothing more stands in this record"),
        ("A 192.0.2.1\nA 192.0.2.2", "a record ends with its line"),
        ("MX mail.shop.example", "the preference is a number from 0 to 65535"),
        ("MX +10 a", "the preference is a number from 0 to 65535"),
        ("MX 10", "the host is missing"),
        ("MX 10 a..b", "a label between two dots cannot be empty"),
        ("MX 10 *.b", "`*` cannot stand in the name of a host: letters, digits, `-` and `_` can"),
        ("MX 10 @", "`@` has no meaning here"),
        ("SRV 1 2 70000 a", "the port is a number from 0 to 65535"),
        ("CNAME \"a\"", "a name stands without quotes"),
        ("TXT", "the text is missing"),
        ("CAA 0 is-sue x", "the tag is 1 to 15 letters and digits, such as `issue`"),
        ("CAA 0 issue a b", "the value is one text"),
        ("CAA 0 issue ca.example; account=1", "`;` begins a comment in records"),
        ("SOA a b 1 2 3 4 5", "the SOA is made from what stands in the zone"),
        ("RRSIG A 13", "signatures and proofs of absence are not taken over: write the zone without them"),
        (r"TYPE46 \# 1 00", "signatures and proofs of absence are not taken over: write the zone without them"),
        ("ANY", "it is no type of records"),
        (r"A \# 5 0A00000100", "these bytes are no data of type A"),
        (r"A \# 4 0A0000", "its length is said to be 4, and is 3"),
        (r"A \# 4 0A00000", "after its length the data is pairs of hexadecimal digits"),
        (r"A \#", "the length is missing"),
        (r"MX \# 6 000A 01610062", "these bytes are no data of type MX"),
        // A pointer, which means something only inside a message.
        (r"MX \# 4 000A C000", "these bytes are no data of type MX"),
        (r"MX \# 7 000A 022A61 00 00", "these bytes are no data of type MX"),
        (r"NS \# 4 01 2A 00", "its length is said to be 4, and is 3"),
        (r"NS \# 3 01 2A 00", "`*` cannot stand in the name of a host: letters, digits, `-` and `_` can"),
        (r"URI \# 4 00010001", "it is too short for a URI"),
        ("DS 1 2 9 x", "expected hex digits"),
        ("TLSA 3 1", "something is missing here"),
        ("DS 1 13 2", "something is missing here"),
        ("TLSA 3 1 1 0A0B", "a digest of kind 1 is 32 bytes long, and this one is 2"),
        (r"DS \# 4 00010D02", "what it is about is missing"),
        ("CERT 1 2 3 AAAA", "it is written by its bytes alone"),
        ("NAPTR 1 2 a b c d..e", "a label between two dots cannot be empty"),
    ] {
        let found = wire(text).unwrap_err();
        // What `domain` says is its own affair.
        assert!(found == why || text.ends_with(" x"), "{text}: {found}");
    }
}

#[test]
fn parameters_of_services_are_as_they_have_to_be() {
    for (text, why) in [
        ("HTTPS 1 a..b alpn=h2", "a label between two dots cannot be empty"),
        ("HTTPS 0 . alpn=h2", "with priority 0 it leads elsewhere, and has no parameters"),
        ("HTTPS 1 . alpn=h2 alpn=h3", "`alpn` is there twice"),
        ("HTTPS 1 . alpn=h2 key1=h3", "`alpn` is there twice"),
        ("HTTPS 1 . alpn=", "a protocol in `alpn` is 1 to 255 bytes long"),
        ("HTTPS 1 . alpn", "a protocol in `alpn` is 1 to 255 bytes long"),
        ("HTTPS 1 . alpn=h2,,h3", "a protocol in `alpn` is 1 to 255 bytes long"),
        ("HTTPS 1 . no-default-alpn", "`no-default-alpn` without `alpn` leaves no protocol"),
        ("HTTPS 1 . alpn=h2 no-default-alpn=1", "`no-default-alpn` has no value"),
        ("HTTPS 1 . port=70000", "`70000` in `port` is not a port"),
        ("HTTPS 1 . port=+1", "`+1` in `port` is not a port"),
        ("HTTPS 1 . ipv4hint=2001:db8::1", "`2001:db8::1` in `ipv4hint` is not an IPv4 address"),
        ("HTTPS 1 . ipv6hint=", "`` in `ipv6hint` is not an IPv6 address"),
        ("HTTPS 1 . mandatory=port", "`port` is mandatory, and not there"),
        ("HTTPS 1 . mandatory=mandatory", "`mandatory` has no such value"),
        ("HTTPS 1 . port=1 mandatory=port,port", "`mandatory` has no such value"),
        ("HTTPS 1 . ech=!", "`ech` is not base64"),
        ("HTTPS 1 . ech", "`ech` has no such value"),
        ("HTTPS 1 . key65535=a", "there is no parameter `key65535`"),
        ("HTTPS 1 . key01=a", "there is no parameter `key01`"),
        ("HTTPS 1 . ALPN=h2", "there is no parameter `ALPN`"),
        ("HTTPS 1 . \"alpn=h2\"", "only what follows the `=` stands in quotes"),
        ("HTTPS 1 . key3=a", "`port` has no such value"),
        (r"HTTPS \# 9 0001 00 0003 0002 01", "its length is said to be 9, and is 8"),
        (r"HTTPS \# 8 0001 00 0003 0002 01", "these bytes are no data of type HTTPS"),
        (r"HTTPS \# 13 0001 00 0003 0001 01 0001 0001 01", "these bytes are no data of type HTTPS"),
        (r"HTTPS \# 8 0001 00 0003 0001 01", "`port` has no such value"),
    ] {
        assert_eq!(wire(text).unwrap_err(), why, "{text}");
    }
}

#[test]
fn a_mistake_says_which_bytes_it_is_about() {
    let span = |text: &str| {
        let bad = read_any(text).unwrap_err();
        text[bad.span].to_owned()
    };
    assert_eq!(span("SRV 1 2 70000 a"), "70000");
    assert_eq!(span("TXT ok \"b\\999\""), "\\");
    assert_eq!(span("CAA 0 issue \"a\" b"), "b");
    assert_eq!(span("HTTPS 1 . alpn=h2 port=x"), "port=x");
    assert_eq!(read_any("MX 10").unwrap_err().span, 5..5);
}

#[test]
fn names_in_data_are_relative_to_an_origin_where_there_is_one() {
    let origin: DnsName = "shop.example".parse().unwrap();
    let text = "10 mail";
    let mut words = Vec::new();
    Words::of_file(text).next(&mut words).unwrap();
    let data = read(kind::MX, &mut Fields::new(text, &words, Some(&origin))).unwrap();
    assert_eq!(&*data, b"\0\x0a\x04mail\x04shop\x07example\0");
    let text = "1 svc alpn=h2";
    Words::of_file(text).next(&mut words).unwrap();
    let data = read(kind::HTTPS, &mut Fields::new(text, &words, Some(&origin))).unwrap();
    assert_eq!(&data[..20], b"\0\x01\x03svc\x04shop\x07example\0");
}

/// Words that records are made of, sound and broken.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,6}",
        "[a-z0-9.*_-]{1,12}",
        "[ -~]{0,8}",
        r#""[ -~]{0,8}""#,
        r"\\[0-9]{0,4}",
        "(alpn|port|mandatory|ipv4hint|ech|key[0-9]{1,5})=[a-z0-9,.]{0,6}",
        Just("\\#".to_owned()),
        Just("(".to_owned()),
        Just("\u{fc}".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn whatever_is_read_parses_back_as_its_type(kind in prop::sample::select(kind::NAMES.to_vec()), words in prop::collection::vec(word(), 0..6)) {
        let text = format!("{kind} {}", words.join(" "));
        if let Ok((kind, data)) = read_any(&text) {
            prop_assert!(foreign::check(kind, &data).is_ok(), "{text}");
        }
    }

    #[test]
    fn texts_and_names_are_read_as_the_other_reader_does(text in r#"("[ -!#-\[\]-~]{0,40}"|[a-z]{1,9}|\\0[0-9]{2}|\\[!-/])( [a-z]{1,5}){0,2}"#, name in r"([a-z0-9_/-]{1,9}|\\0[0-9]{2}|\\[.!]){1,5}(\.[a-z]{1,5}){0,4}\.") {
        for text in [format!("TXT {text}"), format!("PTR {name}")] {
            let theirs = oracle(&text).map(|(kind, data)| (kind, if kind == kind::PTR { data.to_ascii_lowercase() } else { data }));
            prop_assert_eq!(wire(&text).ok(), theirs, "{}", text);
        }
    }

    #[test]
    fn any_bytes_are_data_of_their_type_or_refused(kind in prop::sample::select(kind::NAMES.to_vec()), data in prop::collection::vec(any::<u8>(), 0..40)) {
        let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        if let Ok((kind, read)) = read_any(&format!("{kind} \\# {} {hex}", data.len())) {
            prop_assert!(foreign::check(kind, &read).is_ok());
            prop_assert!(read.eq_ignore_ascii_case(&data));
        }
    }
}
