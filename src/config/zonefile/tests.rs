use std::{fs, path::Path};

use super::*;
use crate::config::{document::Written, record::kind};

/// What a zone `shop.example` with these files says, and what is said about them.
fn load(files: &[(&str, &str)]) -> (Contents, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    read_in(directory.path(), &[files[0].0])
}

fn read_in(directory: &Path, files: &[&str]) -> (Contents, Vec<String>) {
    let files: Vec<_> = files.iter().map(|file| Written::new(directory.join(file), None)).collect();
    let mut problems = Diagnostics::default();
    let apex = "shop.example".parse().unwrap();
    let contents = read(&files, &apex, 3600, &mut Budget::new(), &mut problems);
    assert_eq!(contents.is_broken, problems.has_errors());
    let told = problems.iter().map(|one| {
        let at = problems.position(one);
        let line = at.and_then(|at| Some(format!("{}:{} ", Path::new(at.file).file_name()?.display(), at.line?)));
        format!("{}{}: {}", line.unwrap_or_default(), one.code.as_str(), one.message)
    });
    (contents, told.collect())
}

/// Owner, TTL, type and bytes of each record.
fn records(contents: &Contents) -> Vec<String> {
    let shown = |record: &Record| {
        let data = String::from_utf8_lossy(&record.data).escape_debug().to_string();
        format!("{} {} {} {data}", record.owner, record.ttl, kind::name(record.kind))
    };
    contents.records.iter().map(shown).collect()
}

#[test]
fn a_zone_file_reads_as_other_servers_read_it() {
    let (contents, told) = load(&[(
        "shop.zone",
        "$ORIGIN shop.example. ; where we are\n\
         $TTL 1h\n\
         @   IN SOA ns1 hostmaster.shop.example. ( 2026112101 ; serial\n\
         \t\t1h 15m 4w 5m )\n\
         \tIN NS ns1\n\
         \tNS ns2.elsewhere.example.\n\
         www 300 IN A 192.0.2.1\n\
         \tIN 5m AAAA 2001:db8::1\n\
         WWW TXT \"a; b\" c\n\
         * CNAME www\n\
         $ORIGIN img\n\
         cdn CNAME www.shop.example.\n\
         @ CAA 0 issue \"ca.example\"\n\
         a\\.b\\032c MX 10 mail.shop.example.\n\
         x TYPE65400 \\# 2 6162\n",
    )]);
    assert_eq!(told, [""; 0]);
    assert_eq!(
        records(&contents),
        [
            "shop.example 3600 NS \\u{3}ns1\\u{4}shop\\u{7}example\\0",
            "shop.example 3600 NS \\u{3}ns2\\telsewhere\\u{7}example\\0",
            "www.shop.example 300 A \u{fffd}\\0\\u{2}\\u{1}",
            "www.shop.example 300 AAAA  \\u{1}\\r\u{fffd}\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\u{1}",
            "www.shop.example 3600 TXT \\u{4}a; b\\u{1}c",
            "*.shop.example 3600 CNAME \\u{3}www\\u{4}shop\\u{7}example\\0",
            "cdn.img.shop.example 3600 CNAME \\u{3}www\\u{4}shop\\u{7}example\\0",
            "img.shop.example 3600 CAA \\0\\u{5}issueca.example",
            "a\\.b\\032c.img.shop.example 3600 MX \\0\\n\\u{4}mail\\u{4}shop\\u{7}example\\0",
            "x.img.shop.example 3600 TYPE65400 ab",
        ]
    );
    let soa = contents.soa.unwrap();
    assert_eq!(
        (soa.primary.to_string(), soa.contact.to_string()),
        ("ns1.shop.example".into(), "hostmaster.shop.example".into())
    );
    assert_eq!((soa.refresh, soa.retry, soa.expire, soa.minimum, soa.ttl), (3600, 900, 2_419_200, 300, 3600));
}

#[test]
fn a_ttl_that_is_not_written_is_that_of_the_directive_or_the_one_before_or_the_zones() {
    let ttls = |text: &str| {
        let (contents, told) = load(&[("a", text)]);
        assert_eq!(told, [""; 0]);
        contents.records.iter().map(|record| record.ttl).collect::<Vec<_>>()
    };
    assert_eq!(ttls("a A 192.0.2.1\nb 7 A 192.0.2.1\nc A 192.0.2.1\n"), [3600, 7, 7]);
    assert_eq!(ttls("$TTL 60\na 7 A 192.0.2.1\nb A 192.0.2.1\n$TTL 1d\nc A 192.0.2.1\n"), [7, 60, 86_400]);
}

#[test]
fn files_include_others_from_where_they_lie_and_take_nothing_back() {
    let (contents, told) = load(&[
        (
            "zones/main",
            "$TTL 60\nfirst A 192.0.2.1\n$INCLUDE more/eu eu\n$INCLUDE \"more/eu\" us.shop.example. ; twice\n\tA 192.0.2.2\nlast A 192.0.2.3\n",
        ),
        ("zones/more/eu", " TXT \"of the owner before\"\n$TTL 5\n$ORIGIN x\nwww A 192.0.2.4\n"),
    ]);
    assert_eq!(told, [""; 0]);
    let found: Vec<_> = contents.records.iter().map(|record| format!("{} {}", record.owner, record.ttl)).collect();
    assert_eq!(
        found,
        [
            "first.shop.example 60",
            "first.shop.example 60",
            "www.x.eu.shop.example 5",
            "first.shop.example 60",
            "www.x.us.shop.example 5",
            "first.shop.example 60",
            "last.shop.example 60",
        ]
    );
}

#[test]
fn every_mistake_of_a_file_is_told_with_its_line() {
    let (contents, told) = load(&[(
        "shop.zone",
        "\tA 192.0.2.1\n\
         www A 192.0.2.256\n\
         www AA 192.0.2.1\n\
         ok1 A 192.0.2.1\n\
         www CH TXT x\n\
         www 99999999999 A 192.0.2.1\n\
         www MX 10\n\
         a..b A 192.0.2.1\n\
         \tA 192.0.2.2\n\
         www.elsewhere.example. A 192.0.2.1\n\
         www TXT \"open\n\
         www A ( 192.0.2.1\n\
         $TTL soon\n\
         $ORIGINE x\n\
         $GENERATE 1-9 a$ A 192.0.2.$\n\
         $INCLUDE\n\
         $INCLUDE nothing.zone\n\
         www SOA ns1 hm 1 2 3 4 5\n\
         @ SOA ns1 hm@shop.example 1 2 3 4 5\n\
         @ SOA ns1 hm 1 2 3 4 5\n\
         @ SOA ns1 hm 1 2 3 4 5\n\
         www RRSIG A 13 3 300\n\
         ok2 A 192.0.2.2 ; the last\n\
         www",
    )]);
    let owners: Vec<_> = contents.records.iter().map(|record| record.owner.to_string()).collect();
    assert_eq!(owners, ["ok1.shop.example", "ok2.shop.example"]);
    let mut told = told;
    let missing = told.iter().position(|one| one.contains("nothing.zone")).unwrap();
    assert!(told.remove(missing).ends_with("cannot be read: there is no such file or directory"));
    assert_eq!(
        told,
        [
            "shop.zone:1 zone-syntax: this record has no owner",
            "shop.zone:2 bad-value: this A record cannot be read: it is not an IPv4 address",
            "shop.zone:3 zone-syntax: there is no type `AA`",
            "shop.zone:5 zone-syntax: only the class `IN` is answered for",
            "shop.zone:6 zone-syntax: this is no TTL",
            "shop.zone:7 bad-value: this MX record cannot be read: the host is missing",
            "shop.zone:8 zone-syntax: a label between two dots cannot be empty",
            "shop.zone:10 name-outside-zone: `www.elsewhere.example` lies outside zone `shop.example`",
            "shop.zone:11 zone-syntax: this quote is not closed on its line",
            "shop.zone:12 zone-syntax: this parenthesis is not closed",
            "shop.zone:13 zone-syntax: this is no TTL",
            "shop.zone:14 zone-syntax: there is no directive `$ORIGINE`",
            "shop.zone:15 zone-syntax: `$GENERATE` belongs to one server alone",
            "shop.zone:16 zone-syntax: the file is missing",
            "shop.zone:18 record-conflict: `www.shop.example` cannot have an SOA: the zone begins at `shop.example`",
            "shop.zone:19 bad-value: this SOA record cannot be read: a mailbox has a dot instead of its `@`",
            "shop.zone:21 record-conflict: zone `shop.example` has two SOA records",
            "shop.zone:22 zone-syntax: signatures and proofs of absence are not taken over: write the zone without them",
            "shop.zone:24 zone-syntax: the type is missing",
        ]
    );
}

#[test]
fn a_missing_dot_is_warned_of() {
    let (contents, told) =
        load(&[("a", "www.shop.example A 192.0.2.1\nshop.example.www A 192.0.2.1\nb.shop.example. A 192.0.2.1\n")]);
    assert_eq!(contents.records.len(), 3);
    assert_eq!(
        told,
        ["a:1 missing-dot: `www.shop.example` has no dot at its end, so it is `www.shop.example.shop.example`"]
    );
}

#[test]
fn files_that_include_each_other_end_with_a_mistake() {
    let (contents, told) = load(&[("a", "x A 192.0.2.1\n$INCLUDE a\n$INCLUDE a\n")]);
    assert!(contents.records.len() < 1000, "{}", contents.records.len());
    assert!(
        told.iter().all(|one| one == "a:2 zone-file: zone files include each other more than 8 deep"
            || one == "a:3 zone-file: zone files include each other more than 8 deep"),
        "{told:?}"
    );
}

#[test]
fn what_is_no_file_or_no_text_says_so() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("latin"), b"a TXT m\xfcnchen\n").unwrap();
    fs::create_dir(directory.path().join("sub")).unwrap();
    let (contents, told) = read_in(directory.path(), &["latin", "sub", "none"]);
    assert!(contents.is_broken);
    let ends: Vec<_> = told.iter().map(|one| one.rsplit("` ").next().unwrap()).collect();
    assert_eq!(
        ends,
        [
            "is not UTF-8 text",
            "cannot be read: it is not a plain file",
            "cannot be read: there is no such file or directory"
        ]
    );
}

#[test]
fn what_is_no_zone_file_is_given_up() {
    let (contents, told) = load(&[("a", &"<html>\n".repeat(100_000))]);
    assert_eq!((contents.records.len(), told.len()), (0, 501));
    let (contents, told) = load(&[("a", &format!("{}ok A 192.0.2.1\n", "b\n".repeat(499)))]);
    assert_eq!((told.len(), contents.records.len()), (499, 1));
}

#[test]
fn what_all_files_hold_together_has_an_end() {
    let mut budget = Budget::new();
    let mut taken = 0;
    let end = loop {
        match budget.take_record() {
            Ok(()) => taken += 1,
            Err(mistake) => break mistake.unwrap(),
        }
    };
    assert_eq!((taken, end.code.as_str()), (2_000_000, "too-many"));
    // It is told once, and nothing is read any more.
    assert!(matches!(budget.take_record(), Err(None)));
}

#[test]
fn no_text_makes_it_panic() {
    let pieces = [
        "$ORIGIN ",
        "$TTL 1h",
        "$INCLUDE ",
        "@",
        "www",
        " ",
        "\t",
        "\n",
        "IN",
        "SOA",
        "TXT",
        "\"",
        "(",
        ")",
        ";",
        "\\",
        "\\032",
        "\\999",
        "\\#",
        "1 . alpn=h2",
        "HTTPS",
        "ä",
        "*",
        ".",
        "..",
        "A 192.0.2.1",
        "\r\n",
    ];
    let mut random = fastrand::Rng::with_seed(5);
    let apex = "shop.example".parse().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    for _ in 0..2_000 {
        let text: String = (0..random.usize(..30)).map(|_| random.choice(pieces).unwrap()).collect();
        fs::write(&path, text).unwrap();
        let mut problems = Diagnostics::default();
        let files = [Written::new(path.clone(), None)];
        let contents = read(&files, &apex, 3600, &mut Budget::new(), &mut problems);
        problems.render_text(false);
        assert!(contents.records.iter().all(|record| record.owner.is_within(&apex)));
    }
}
