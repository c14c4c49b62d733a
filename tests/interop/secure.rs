//! DNS over TLS and HTTPS with clients that others wrote.

use crate::{
    curl, run,
    scene::{
        Meridian,
        certificates::{Authority, authority},
        meridian,
    },
};

/// A node that speaks both, and who certifies it.
fn node() -> (Meridian, Authority) {
    let authority = authority();
    let issued = authority.issue(&["ns1.shop.example"]);
    let many: String = (0..100).map(|at| format!("\"192.0.2.{at}\", ")).collect();
    let node = meridian(&format!(
        r#"
        listen.dns_tls = ["127.0.0.1:0"]
        listen.dns_https = ["127.0.0.1:0"]
        [regions.here]
        addresses = ["127.0.0.1"]
        [[tls.certificates]]
        chain = "{}"
        key = "{}"
        [zones."shop.example"]
        nameservers = ["ns1.shop.example"]
        [zones."shop.example".records.ns1]
        A = ["192.0.2.53"]
        [zones."shop.example".records.text]
        TXT = ["hello world"]
        [zones."shop.example".records.big]
        A = [{many}]
        "#,
        issued.chain_file.display(),
        issued.key_file.display(),
    ));
    (node, authority)
}

#[test]
fn kdig_agrees_over_tls_and_https() {
    let (node, authority) = node();
    let ca = format!("+tls-ca={}", authority.file().display());
    let encrypted = [(node.dns_tls(), "+tls"), (node.dns_https(), "+https"), (node.dns_https(), "+https-get")];
    for (address, transport) in encrypted {
        let (server, port) = (format!("@{}", address.ip()), address.port().to_string());
        let kdig = |arguments: &[&str]| {
            let how = [&server[..], "-p", &port, transport, &ca, "+tls-hostname=ns1.shop.example", "+retry=0"];
            run("kdig", &[&how[..], arguments].concat())
        };
        assert_eq!(kdig(&["ns1.shop.example", "A", "+short"]), "192.0.2.53\n", "{transport}");
        assert_eq!(kdig(&["text.shop.example", "TXT", "+short"]), "\"hello world\"\n");
        assert_eq!(kdig(&["big.shop.example", "A", "+short"]).lines().count(), 100);
        assert!(kdig(&["none.shop.example", "A"]).contains("NXDOMAIN"));
        assert!(kdig(&["elsewhere.example", "A"]).contains("REFUSED"));
        // Padded to a block, with everything else that was asked for.
        let full = kdig(&["ns1.shop.example", "A", "+padding=128", "+cookie", "+subnet=192.0.2.0/24", "+nsid"]);
        assert!(
            full.contains("PADDING") && full.contains("COOKIE") && full.contains("CLIENT-SUBNET: 192.0.2.0/24/0"),
            "{full}"
        );
        assert!(full.contains("Received 468 B"), "{full}");
    }
    // Several questions on one connection.
    let address = node.dns_tls();
    let (server, port) = (format!("@{}", address.ip()), address.port().to_string());
    let names = [
        "ns1.shop.example",
        "A",
        "+tls",
        "+keepopen",
        "+short",
        "text.shop.example",
        "TXT",
        "+tls",
        "+keepopen",
        "+short",
    ];
    let both = run("kdig", &[&[&server[..], "-p", &port, &ca, "+tls-hostname=ns1.shop.example"], &names[..]].concat());
    assert_eq!(both.split_whitespace().collect::<Vec<_>>(), ["192.0.2.53", "\"hello", "world\""]);
    assert_eq!(node.metrics("meridian_dns_handshakes_total{transport=\"tls\",result=\"failed\"}"), 0);
}

#[test]
fn curl_asks_over_https() {
    let (node, authority) = node();
    let folder = tempfile::tempdir().unwrap();
    let query = folder.path().join("query");
    std::fs::write(&query, b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x03ns1\x04shop\x07example\0\0\x01\0\x01").unwrap();
    let (address, file) = (node.dns_https(), format!("@{}", query.display()));
    let ca = authority.file();
    let resolve = format!("ns1.shop.example:{}:127.0.0.1", address.port());
    let url = format!("https://ns1.shop.example:{}/dns-query", address.port());
    let how = ["--http2", "--cacert", ca.to_str().unwrap(), "--resolve", &resolve, "--include", "--output", "-"];
    let kind = ["--header", "content-type: application/dns-message", "--data-binary", &file];
    let answer = curl(&[&how[..], &kind, &[&url]].concat());
    assert!(answer.starts_with("HTTP/2 200") && answer.contains("content-type: application/dns-message"), "{answer}");
    let wrong = curl(&[&how[..], &["--data", "hello", &url]].concat());
    assert!(wrong.starts_with("HTTP/2 415"), "{wrong}");
}
