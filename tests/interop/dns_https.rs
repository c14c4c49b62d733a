//! DNS over HTTPS with clients that others wrote: kdig, dig and curl's resolver.

use crate::{
    curl, run,
    scene::{
        Meridian,
        certificates::{Authority, authority},
        meridian,
    },
};

fn node() -> (Meridian, Authority) {
    let authority = authority();
    let shown = authority.issue(&["dns.shop.test", "localhost"]);
    let node = meridian(&format!(
        // Debian's dig names no host in its handshake.
        "tls.unknown_host = \"first\"\n[regions.here]\naddresses = [\"127.0.0.1\"]\n[[tls.certificates]]\nchain = \"{}\"\nkey = \"{}\"\n\
         [[routes]]\npath_exact = \"/dns-query\"\ndns = true\n\
         [[routes]]\nhost = \"www.shop.example\"\nrespond = {{ body = \"found\" }}\n\
         [zones.\"shop.example\"]\nnameservers = [\"ns1.shop.example\"]\n\
         [zones.\"shop.example\".records.ns1]\nA = [\"192.0.2.53\"]\n\
         [zones.\"shop.example\".records.www]\nA = [\"127.0.0.1\"]\n\
         [zones.\"shop.example\".records.big]\nA = [{}]\n",
        shown.chain_file.display(),
        shown.key_file.display(),
        (0..100).map(|at| format!("\"192.0.2.{at}\", ")).collect::<String>(),
    ));
    (node, authority)
}

#[test]
fn kdig_and_dig_ask_by_get_and_by_post() {
    let (node, authority) = node();
    let (secured, plain) = (node.https().port().to_string(), node.http().port().to_string());
    let ca = format!("+tls-ca={}", authority.file().display());
    let verified = ["@127.0.0.1", "+tls-hostname=dns.shop.test", &ca, "-p", &secured];
    let in_the_clear = ["@127.0.0.1", "-p", &plain];
    let ways: [(&str, &[&str], &[&str]); 6] = [
        ("kdig", &verified, &["+https=dns.shop.test/dns-query"]),
        ("kdig", &verified, &["+https=dns.shop.test/dns-query", "+https-get"]),
        ("dig", &verified, &["+https"]),
        ("dig", &verified, &["+https-get"]),
        ("dig", &in_the_clear, &["+http-plain"]),
        ("dig", &in_the_clear, &["+http-plain-get"]),
    ];
    for (program, to, way) in ways {
        let ask = |arguments: &[&str]| run(program, &[to, way, arguments].concat());
        assert_eq!(ask(&["ns1.shop.example", "A", "+short"]), "192.0.2.53\n", "{program} {way:?}");
        assert_eq!(ask(&["big.shop.example", "A", "+short"]).lines().count(), 100, "{program} {way:?}");
        assert!(ask(&["none.shop.example", "A"]).contains("NXDOMAIN"), "{program} {way:?}");
    }
    let padded =
        run("kdig", &[&verified[..], &["+https=dns.shop.test/dns-query", "+padding", "www.shop.example"]].concat());
    assert!(padded.contains("PADDING") && padded.contains("Received 468 B"), "{padded}");
}

#[test]
fn curl_finds_hosts_by_it() {
    let (node, authority) = node();
    let resolver = format!("https://localhost:{}/dns-query", node.https().port());
    let url = format!("http://www.shop.example:{}/", node.http().port());
    let ca = authority.file();
    assert_eq!(curl(&["--doh-url", &resolver, "--cacert", ca.to_str().unwrap(), &url]), "found");
    let answered = r#"meridian_dns_queries_total{zone="shop.example",type="a",rcode="noerror",transport="https"}"#;
    assert_eq!(node.metric(answered), 1);
}
