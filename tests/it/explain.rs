//! Where a request would go is said step by step, by the code that sends it, and asking changes nothing.

use std::process::{Command, Output};

use crate::scene::{Meridian, eventually, meridian, origin};

fn explain(node: &Meridian, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["explain", "route"])
        .args(arguments)
        .args(["--admin", &node.admin().to_string(), "--token-file"])
        .arg(node.token_file())
        .output()
        .unwrap()
}

fn said(node: &Meridian, arguments: &[&str]) -> String {
    let output = explain(node, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_region_and_origin_and_the_rung_are_named() {
    let (near, far) = (origin("near"), origin("far"));
    let (near_at, far_at) = (near.address, far.address);
    let door = std::net::TcpListener::bind("127.0.77.1:0").unwrap();
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let timing = "interval = \"100ms\", recheck = \"50ms\"";
    let node = meridian(&format!(
        "[node]\nregion = \"near\"\n[failover]\nspill_percent = 0\n\
         [regions.near]\naddresses = [\"127.0.0.1\"]\ncheck.tcp = {{ port = {} }}\n\
         [regions.far]\naddresses = [\"127.0.77.1\"]\ncheck.tcp = {{ port = {} }}\n\
         [pools.shop]\ncheck.tcp = {{ {timing} }}\norigins = [\
         {{ address = \"{near_at}\", region = \"near\" }}, {{ address = \"{dead}\", region = \"near\", weight = 10 }}, \
         {{ address = \"{far_at}\", region = \"far\" }}]\n\
         [[routes]]\nname = \"cart\"\nhost = \"shop.example\"\npath = \"/cart\"\npool = \"shop\"\nheaders.x-beta = {{ equals = \"1\" }}\n\
         [[routes]]\nname = \"old\"\nhost = \"shop.example\"\npath = \"/old\"\nredirect = {{ path = \"/\" }}\n",
        near_at.port(),
        door.local_addr().unwrap().port(),
    ));
    let beta = ["http://shop.example/cart/7?a=b", "--header", "X-Beta: 1", "--from", "192.0.2.7"];
    let text = said(&node, &beta);
    for part in [
        "GET for host `shop.example`, path `/cart/7`, from 192.0.2.7",
        "route `cart` takes it",
        "pool `shop` in region `near`, this one: up, 90.91 %; front door up, 100 %: keeps what its weight × 1.4 carries",
        "pool `shop` in region `far`: up, 100 %; front door up, 100 %: has room for what others pass on",
        "rung `home` of the ladder: region `near`",
        &format!("origin {near_at}: up, 100 %, takes 100 % of weight 100"),
        &format!("origin {dead}: down, 100 %, takes 0 % of weight 10: left out"),
        &format!("to {near_at} of pool `shop` in region `near`"),
    ] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
    assert!(said(&node, &["http://shop.example/cart"]).contains("refused: no-route"));
    assert!(said(&node, &["http://shop.example/old/x"]).contains("redirected with 308"));
    assert_eq!(node.metrics("meridian_http_requests_total"), 0, "asking is not a request");

    let drain = r#"{"subject":{"region":"near"},"action":"drain","author":"test","reason":"maintenance"}"#;
    assert_eq!(node.command("PUT", "/v1/overrides", drain).status, 200);
    let text = said(&node, &beta);
    assert!(text.contains("in region `near`, this one"), "{text}");
    assert!(text.contains("front door up, draining, 100 %: it was taken out of service"), "{text}");
    assert!(text.contains("rung `neighbour` of the ladder: region `far`"), "{text}");
    far.kill();
    near.kill();
    eventually("nobody is left", || said(&node, &beta).contains("rung `open`").then_some(()));
}

#[test]
fn what_cannot_be_asked_is_said() {
    let shop = origin("shop");
    let node = meridian(&format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n[pools.shop]\norigins = [{{ address = \"{}\" }}]\n[[routes]]\npool = \"shop\"\n",
        shop.address
    ));
    for (url, why) in [("ftp://x/", "no http or https URL"), ("/path", "names no host"), ("http://", "is no URL")] {
        let output = explain(&node, &[url]);
        assert!(!output.status.success());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(why), "{url}: {text}");
    }
    assert_eq!(node.command("POST", "/v1/explain/route", "{}").status, 422);
    assert_eq!(node.command("POST", "/v1/explain/route", r#"{"url":"http://x/%2e%2e/","from":"::1"}"#).status, 200);
    assert!(said(&node, &["http://x/%2e%2e/"]).contains("refused: ambiguous-path"));
}
