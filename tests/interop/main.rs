//! Real clients against a real node: curl, dig, kdig, unbound, dnsperf, h2load, nghttp, openssl, HAProxy, and Python's WebSocket and gRPC. Run by `.ci/run`, which installs them: `cargo test --features interop`.

#![allow(clippy::unwrap_used, reason = "in a test, what fails is the test")]

use std::process::{Child, Command};

#[path = "../it/scene/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other tests use the rest of it")]
mod scene;

mod checks;
mod dns;
mod dns_https;
mod http;
mod secure;

use scene::{Meridian, Origin, eventually, meridian, origin};

fn node(origins: &[&Origin]) -> Meridian {
    let origins: String =
        origins.iter().map(|origin| format!("[[pools.shop.origins]]\naddress = \"{}\"\n", origin.address)).collect();
    meridian(&format!(
        "[regions.here]\naddresses = [\"127.0.0.1\", \"::1\"]\n{origins}[[routes]]\npool = \"shop\"\n\
         [zones.\"shop.example\"]\nnameservers = [\"ns1.shop.example\"]\n\
         [zones.\"shop.example\".records.ns1]\nA = [\"192.0.2.53\"]\n\
         [zones.\"shop.example\".records.www]\nCNAME = \"shop.example\"\n\
         [zones.\"shop.example\".records.text]\nTXT = [\"hello world\"]\n\
         [zones.\"shop.example\".records.mail]\nMX = [\"10 mx.shop.example\"]\nSRV = [\"1 2 5060 sip.shop.example\"]\n\
         CAA = [\"0 issue \\\"ca.example\\\"\"]\n\
         [zones.\"shop.example\".records.big]\nA = [{}]\n\
         [zones.\"shop.example\".steer.\"@\"]\npools = [\"shop\"]\n",
        (0..100).map(|at| format!("\"192.0.2.{at}\", ")).collect::<String>(),
    ))
}

/// A process that ends with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Runs a client and returns what it printed; it must end well.
fn run(program: &str, arguments: &[&str]) -> String {
    let ended = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{program} {arguments:?}: {out}{err}");
    out.into_owned()
}

fn curl(arguments: &[&str]) -> String {
    run("curl", &[&["--silent", "--show-error", "--max-time", "20"], arguments].concat())
}

#[test]
fn curl_gets_posts_uploads_and_resumes_connections() {
    let (a, b) = (origin("a"), origin("b"));
    let node = node(&[&a, &b]);
    let url = |path: &str| format!("http://{}{path}", node.http());
    assert!(["a", "b"].contains(&curl(&[&url("/")]).as_str()));
    assert_eq!(curl(&["--data", "hello", &url("/echo")]), "hello");
    assert_eq!(curl(&["--header", "Transfer-Encoding: chunked", "--data", "in chunks", &url("/echo")]), "in chunks");
    assert_eq!(curl(&["--header", "Expect: 100-continue", "--data", "patient", &url("/echo")]), "patient");
    assert!(curl(&["--head", &url("/")]).starts_with("HTTP/1.1 200"));
    assert!(curl(&["--http1.0", "--include", &url("/")]).contains("200 OK"));
    let twice = curl(&["--write-out", " %{num_connects}\n", &url("/a"), &url("/b")]);
    assert!(twice.contains(" 1\n") && twice.contains(" 0\n"), "{twice}");

    let directory = tempfile::tempdir().unwrap();
    let (sent, received) = (directory.path().join("sent"), directory.path().join("received"));
    let bytes: Vec<u8> = (0..16_000_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    std::fs::write(&sent, &bytes).unwrap();
    let body = format!("@{}", sent.display());
    curl(&["--data-binary", &body, "--output", received.to_str().unwrap(), &url("/echo")]);
    assert!(std::fs::read(received).unwrap() == bytes, "what came back differs");
}

#[test]
fn dig_reads_every_kind_of_answer() {
    let a = origin("a");
    let node = node(&[&a]);
    let (address, port) = (node.dns().ip().to_string(), node.dns().port().to_string());
    let server = format!("@{address}");
    let dig =
        |arguments: &[&str]| run("dig", &[&[&server[..], "-p", &port, "+tries=1", "+time=5"], arguments].concat());
    let steered =
        eventually("the region is up", || Some(dig(&["shop.example", "A", "+short"])).filter(|text| !text.is_empty()));
    assert_eq!(steered, "127.0.0.1\n");
    assert_eq!(dig(&["shop.example", "AAAA", "+short"]), "::1\n");
    assert_eq!(dig(&["www.shop.example", "A", "+short"]), "shop.example.\n127.0.0.1\n");
    assert_eq!(dig(&["text.shop.example", "TXT", "+short"]), "\"hello world\"\n");
    assert_eq!(dig(&["mail.shop.example", "MX", "+short"]), "10 mx.shop.example.\n");
    assert_eq!(dig(&["mail.shop.example", "SRV", "+short"]), "1 2 5060 sip.shop.example.\n");
    assert_eq!(dig(&["mail.shop.example", "CAA", "+short"]), "0 issue \"ca.example\"\n");
    assert!(dig(&["shop.example", "SOA", "+short"]).starts_with("ns1.shop.example. hostmaster.shop.example. "));
    assert!(dig(&["none.shop.example", "A"]).contains("status: NXDOMAIN"));
    assert!(dig(&["elsewhere.example", "A"]).contains("status: REFUSED"));
    let whole = dig(&["big.shop.example", "A", "+short"]);
    assert_eq!(whole.lines().count(), 100, "dig falls back to TCP");
    let full = dig(&["shop.example", "NS", "+edns=0", "+dnssec"]);
    assert!(full.contains("flags: qr aa") && full.contains("udp: 1232"), "{full}");
    assert!(!full.to_lowercase().contains("warning") || full.contains("recursion requested"), "{full}");
}

#[test]
fn kdig_agrees_over_udp_and_tcp() {
    let a = origin("a");
    let node = node(&[&a]);
    let (address, port) = (node.dns().ip().to_string(), node.dns().port().to_string());
    let server = format!("@{address}");
    let kdig = |arguments: &[&str]| run("kdig", &[&[&server[..], "-p", &port, "+retry=0"], arguments].concat());
    for transport in ["+notcp", "+tcp"] {
        assert_eq!(kdig(&["ns1.shop.example", "A", "+short", transport]), "192.0.2.53\n");
        assert!(kdig(&["none.shop.example", "A", transport]).contains("NXDOMAIN"));
    }
    assert!(kdig(&["shop.example", "ANY", "+notcp"]).contains("RFC8482"));
}
