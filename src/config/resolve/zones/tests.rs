use std::fs;

use crate::{
    config::{Alias, Config, Identity, RecordSet, Zone, from_text, record::kind},
    fleet::RegionId,
};

const HEAD: &str = r#"
node.region = "eu"
[regions.eu]
addresses = ["192.0.2.10"]
jurisdiction = "EU"
[regions.us]
addresses = ["198.51.100.10"]
jurisdiction = "US"
[pools.shop]
origins = [{ address = "10.0.0.1:8080", region = "eu" }, { address = "10.0.0.2:8080", region = "us" }]
[[routes]]
pool = "shop"
"#;

fn config(text: &str) -> Config {
    let loaded = from_text("test.toml", text, &Identity::default());
    assert!(loaded.diagnostics.iter().next().is_none(), "{}", loaded.diagnostics.render_text(false));
    loaded.config.unwrap()
}

/// What is wrong with a zone `shop.example` that says this, by code.
fn codes(zone: &str) -> Vec<&'static str> {
    let text = format!("{HEAD}[zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\n{zone}\n");
    from_text("test.toml", &text, &Identity::default()).diagnostics.iter().map(|one| one.code.as_str()).collect()
}

fn set<'a>(zone: &'a Zone, owner: &str, kind: u16) -> &'a RecordSet {
    let owner = owner.parse().unwrap();
    zone.records.iter().find(|set| set.owner == owner && set.kind == kind).unwrap()
}

#[test]
fn every_key_becomes_records_of_its_type() {
    let config = config(&format!(
        r#"{HEAD}
        [zones."shop.example"]
        nameservers = ["ns.elsewhere.example"]
        client_subnet = false
        [zones."shop.example".records.all]
        A = ["192.0.2.1"]
        AAAA = ["2001:db8::1"]
        TXT = ["a; b", ["c", "d"]]
        MX = ["10 Mail.elsewhere.example"]
        SRV = ["1 2 3 srv.elsewhere.example."]
        CAA = ['0 issue "ca.example"']
        PTR = ["ptr.elsewhere.example"]
        HTTPS = ["1 . alpn=h2"]
        SVCB = ["1 . port=1"]
        TLSA = ["3 1 0 00"]
        SSHFP = ["4 0 00"]
        NAPTR = ['1 2 "s" "x" "" .']
        DNAME = "other.example"
        other = ["HINFO a b", 'TYPE65400 \# 1 07']
        [zones."shop.example".records.alias]
        CNAME = "all.shop.example"
        [zones."shop.example".records.sub]
        NS = ["ns.elsewhere.example"]
        DS = ["1 13 0 00"]
        "#
    ));
    let zone = &config.zones[0];
    assert!(!zone.client_subnet);
    let kinds = |owner: &str| {
        let owner = owner.parse().unwrap();
        let sets = zone.records.iter().filter(|set| set.owner == owner);
        sets.map(|set| kind::name(set.kind).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        kinds("all.shop.example"),
        [
            "A",
            "PTR",
            "HINFO",
            "MX",
            "TXT",
            "AAAA",
            "SRV",
            "NAPTR",
            "DNAME",
            "SSHFP",
            "TLSA",
            "SVCB",
            "HTTPS",
            "CAA",
            "TYPE65400"
        ]
    );
    assert_eq!(kinds("alias.shop.example"), ["CNAME"]);
    assert_eq!(kinds("sub.shop.example"), ["NS", "DS"]);
    assert_eq!(
        set(zone, "all.shop.example", kind::TXT).data,
        [Box::from(&b"\x04a; b"[..]), Box::from(&b"\x01c\x01d"[..])]
    );
    assert_eq!(&*set(zone, "all.shop.example", kind::MX).data[0], b"\0\x0a\x04mail\x09elsewhere\x07example\0");
    let owners: Vec<_> = zone.records.iter().map(|set| (set.owner.as_wire(), set.kind)).collect();
    assert!(owners.is_sorted());
}

/// A zone of a file alone, and what the config adds to it.
fn zone_of_a_file(file: &str, more: &str) -> Zone {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shop.zone");
    fs::write(&path, file).unwrap();
    let text = format!("{HEAD}[zones.\"shop.example\"]\nfiles = [\"{}\"]\n{more}\n", path.display());
    Zone::clone(&config(&text).zones[0])
}

const FILE: &str = "$TTL 2h\n\
                    @ 1h SOA hidden.elsewhere.example. ops 7 1m 2m 3m 10m\n\
                    @ 30m NS ns1\n\
                    @ NS ns2.elsewhere.example.\n\
                    ns1 A 192.0.2.53\n\
                    www A 192.0.2.1\n";

#[test]
fn a_zone_file_says_what_the_config_does_not() {
    let zone = zone_of_a_file(
        FILE,
        "records.www.A = [\"192.0.2.2\"]\nrecords.www.ttl = \"2h\"\nrecords.late.A = [\"192.0.2.3\"]",
    );
    assert_eq!(
        (zone.soa.primary.to_string(), zone.soa.contact.to_string()),
        ("hidden.elsewhere.example".into(), "ops.shop.example".into())
    );
    // The minimum is above what is allowed for negative answers.
    assert_eq!((zone.soa.refresh, zone.soa.retry, zone.soa.expire, zone.soa.negative_ttl), (60, 120, 180, 300));
    let nameservers: Vec<_> = zone.nameservers.iter().map(ToString::to_string).collect();
    assert_eq!(
        (nameservers, zone.ttl),
        (vec!["ns1.shop.example".to_owned(), "ns2.elsewhere.example".to_owned()], 1800)
    );
    let www = set(&zone, "www.shop.example", kind::A);
    assert_eq!((www.ttl, &www.data), (7200, &vec![Box::from([192, 0, 2, 1]), Box::from([192, 0, 2, 2])]));
    assert_eq!(set(&zone, "late.shop.example", kind::A).ttl, 3600);
    assert!(zone.records.iter().all(|set| set.kind != kind::NS && set.kind != kind::SOA));
    assert_eq!(zone.files.len(), 1);
}

#[test]
fn what_the_config_says_beats_the_soa_of_a_file() {
    let zone = zone_of_a_file(
        FILE,
        "contact = \"me@shop.example\"\nnegative_ttl = \"10s\"\nttl = \"5m\"\nnameservers = [\"ns2.elsewhere.example\", \"ns1.shop.example\"]",
    );
    assert_eq!(
        (zone.soa.primary.to_string(), zone.soa.contact.to_string()),
        ("ns2.elsewhere.example".into(), "me.shop.example".into())
    );
    assert_eq!((zone.soa.negative_ttl, zone.ttl, zone.soa.refresh), (10, 300, 60));
}

#[test]
fn the_primary_comes_first_among_the_name_servers() {
    let zone = zone_of_a_file(&FILE.replace("hidden.elsewhere.example.", "ns2.elsewhere.example."), "");
    let nameservers: Vec<_> = zone.nameservers.iter().map(ToString::to_string).collect();
    assert_eq!(nameservers, ["ns2.elsewhere.example", "ns1.shop.example"]);
}

#[test]
fn an_alias_stands_for_the_name_that_has_the_addresses() {
    let config = config(&format!(
        r#"{HEAD}
        [zones."shop.example"]
        nameservers = ["ns.elsewhere.example"]
        records."@".ALIAS = "www.shop.example"
        records.www.CNAME = "app.shop.example"
        records.bare.ALIAS = "any.wild.other.example"
        records.moved.ALIAS = "www.old.shop.example"
        records.old.DNAME = "new.shop.example"
        records."www.new".AAAA = ["2001:db8::1"]
        steer.app = {{}}
        [zones."other.example"]
        nameservers = ["ns.elsewhere.example"]
        records."*.wild".A = ["192.0.2.1"]
        records."deep.wild".TXT = ["beside the wildcard"]
        "#
    ));
    let aliases: Vec<_> = config.zones.iter().flat_map(|zone| &zone.aliases).collect();
    let shown: Vec<_> = aliases.iter().map(|Alias { owner, target }| format!("{owner} {target}")).collect();
    assert_eq!(
        shown,
        [
            "bare.shop.example *.wild.other.example",
            "shop.example app.shop.example",
            "moved.shop.example www.new.shop.example"
        ]
    );
}

#[test]
fn glue_is_needed_where_nobody_else_could_know_an_address() {
    let delegation = |ns: &str| format!("records.sub.NS = [\"{ns}\"]\n");
    assert_eq!(codes(&delegation("ns.elsewhere.example")), [""; 0]);
    assert_eq!(codes(&delegation("ns.sub.shop.example")), ["missing-glue"]);
    assert_eq!(codes(&delegation("sub.shop.example")), ["missing-glue"]);
    assert_eq!(codes(&delegation("ns.shop.example")), ["missing-glue"]);
    let glue = |owner: &str| format!("records.\"{owner}\".AAAA = [\"2001:db8::1\"]\n");
    assert_eq!(codes(&(delegation("ns.sub.shop.example") + &glue("ns.sub"))), [""; 0]);
    assert_eq!(codes(&(delegation("sub.shop.example") + "records.sub.A = [\"192.0.2.1\"]")), [""; 0]);
    assert_eq!(codes(&(delegation("ns.shop.example") + &glue("*"))), [""; 0]);
    assert_eq!(codes(&(delegation("app.shop.example") + "steer.app = {}\n")), [""; 0]);
    // In a zone that is delegated as well, it is for that one to say.
    let beside = "records.beside.NS = [\"ns.elsewhere.example\"]\n";
    assert_eq!(codes(&(delegation("ns.beside.shop.example") + beside)), [""; 0]);
    assert_eq!(codes(&(delegation("ns.beside.shop.example") + beside + &glue("ns.beside"))), [""; 0]);
}

#[test]
fn nothing_is_said_to_be_missing_where_something_could_not_be_read() {
    let broken = "records.www.A = [\"192.0.2.256\"]\n";
    assert_eq!(codes(&format!("{broken}records.sub.NS = [\"www.shop.example\"]")), ["bad-value"]);
    assert_eq!(codes(&format!("{broken}records.\"@\".ALIAS = \"www.shop.example\"")), ["bad-value"]);
    assert_eq!(codes("files = [\"/nowhere/shop.zone\"]\nrecords.sub.NS = [\"ns.sub.shop.example\"]"), ["zone-file"]);
}

#[test]
fn a_steered_name_has_an_https_record_where_the_node_listens_for_https() {
    let steer = |more: &str| {
        let listen = "listen.https = [\"0.0.0.0:8443\"]\ntls.directory = \"certs.d\"\n";
        let text = format!(
            "{listen}{HEAD}[zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\nsteer.app = {{ {more} }}\n"
        );
        config(&text).zones[0].steered[0].https.clone()
    };
    let https = steer("").unwrap();
    assert_eq!((https.alpn.iter().map(|one| &**one).collect::<Vec<_>>(), https.port), (vec!["h2", "http/1.1"], None));
    assert_eq!(steer("https.port = 8443").unwrap().port, Some(8443));
    assert_eq!(steer("https.enabled = false"), None);
    let plain = format!("{HEAD}[zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\nsteer.app = {{}}\n");
    assert_eq!(config(&plain).zones[0].steered[0].https, None);
}

#[test]
fn residency_is_by_jurisdiction_or_by_region() {
    let permitted = |residency: &str| {
        let text = format!(
            "{HEAD}[zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\nsteer.app = {{ {residency} }}\n"
        );
        config(&text).zones[0].steered[0].permitted.clone()
    };
    let (eu, us) = (RegionId(0), RegionId(1));
    assert_eq!(permitted(""), [eu, us]);
    assert_eq!(permitted("residency = [\"EU\"]"), [eu]);
    assert_eq!(permitted("residency = [\"us\", \"EU\"]"), [eu, us]);
    assert_eq!(permitted("residency = [\"us\", \"EU\"], weights = { us = 0 }"), [eu]);
}
