//! Where a request would go is said step by step, by the code that sends it, and asking changes nothing.

use std::process::{Command, Output};

use crate::scene::{Connection, Meridian, Origin, eventually, get, meridian, origin, origin_at};

fn explain(node: &Meridian, arguments: &[&str]) -> Output {
    explain_a("route", node, arguments)
}

fn explain_a(what: &str, node: &Meridian, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["explain", what])
        .args(arguments)
        .args(["--admin", &node.admin().to_string(), "--token-file"])
        .arg(node.token_file())
        .output()
        .unwrap()
}

const FAST: &str = "check.tcp = { interval = \"100ms\", recheck = \"50ms\", timeout = \"200ms\", rise = 1 }";
const URL: &str = "http://shop.example/";

/// The front doors of two regions: any server may stand there.
fn doors() -> [Origin; 2] {
    [origin_at("near door", "127.0.77.2:0"), origin_at("far door", "127.0.77.1:0")]
}

/// A node with these pools, in the region `near`.
fn with_pools(doors: &[Origin; 2], more: &str, pools: &str) -> Meridian {
    let region = |name: &str, door: &Origin| {
        let (ip, port) = (door.address.ip(), door.address.port());
        format!("[regions.{name}]\naddresses = [\"{ip}\"]\nfront_door.port = {port}\ncheck.tcp.port = {port}\n")
    };
    let node = meridian(&format!(
        "{more}[node]\nregion = \"near\"\n[failover]\nhold = \"0s\"\nregion_hold = \"0s\"\nramp = \"0s\"\nspill_percent = 0\n\
         {}{}{pools}[[routes]]\nhost = \"shop.example\"\npool = \"shop\"\n",
        region("near", &doors[0]),
        region("far", &doors[1]),
    ));
    node.metric_becomes("meridian_front_door_up{region=\"far\"}", 1);
    node
}

/// A pool of these, with the region of each and what else is said of it.
fn pool(name: &str, settings: &str, origins: &[(&Origin, &str, &str)]) -> String {
    let listed = origins.iter().map(|(origin, region, more)| {
        format!("[[pools.{name}.origins]]\naddress = \"{}\"\nregion = \"{region}\"\n{more}\n", origin.address)
    });
    format!("[pools.{name}]\n{FAST}\nslow_start.window = \"0s\"\n{settings}\n{}", listed.collect::<String>())
}

/// What the line with this beginning says that it gets, in percent.
fn share(text: &str, beginning: &str) -> f64 {
    let (_, line) = text.lines().find_map(|line| line.split_once(beginning)).unwrap_or_else(|| panic!("{text}"));
    let said = line.split("gets ").nth(1).unwrap();
    match said.split([' ', ',']).next().unwrap() {
        "none" => 0.0,
        "all" => 100.0,
        percent => percent.parse().unwrap(),
    }
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
        "pool `shop` in region `near`, this one: up, 90.91 %; front door up, 100 %: keeps 100.0 % of what comes",
        "pool `shop` in region `far`: up, 100 %; front door up, 100 %: has room for what others pass on",
        "rung `home` of the ladder: region `near` of pool `shop` gets all of such requests, balanced by `round-robin`",
        &format!("origin {near_at}: up, 100 %, weight 100: gets 100 %"),
        &format!("origin {dead}: down, 100 %, weight 10: gets none"),
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

#[test]
fn what_is_kept_by_lot_is_said_and_so_is_what_an_operator_leaves() {
    let doors = doors();
    let (one, gone, far) = (origin("near"), origin("gone"), origin("far"));
    let shop = pool("shop", "", &[(&one, "near", ""), (&gone, "near", ""), (&far, "far", "")]);
    let node = with_pools(&doors, "", &shop);
    gone.kill();
    let home = |text: &str| share(text, "rung `home` of the ladder: region `near` of pool `shop`");
    let text = eventually("half of the region is gone", || {
        let text = said(&node, &[URL]);
        (home(&text) < 100.0).then_some(text)
    });
    // Half × 1.4, give or take five deviations of a thousand lots.
    assert!((home(&text) - 70.0).abs() < 7.5, "{text}");
    let spilt = share(&text, "rung `neighbour` of the ladder: region `far` of pool `shop`");
    assert!((home(&text) + spilt - 100.0).abs() < 0.01, "{text}");

    let weight = r#"{"subject":{"region":"near"},"action":{"weight":25},"author":"test","reason":"less"}"#;
    assert_eq!(node.command("PUT", "/v1/overrides", weight).status, 200);
    let text = said(&node, &[URL]);
    assert!((home(&text) - 25.0).abs() < 7.5, "{text}");
    assert!(text.contains("front door up, 25 %: keeps 25.0 % of what comes"), "{text}");
    let answered = (0..400).filter(|_| get(node.http(), "shop.example", "/").unwrap().text() == "near").count();
    assert!((50..150).contains(&answered), "{answered} of 400 were kept");
}

#[test]
fn a_tier_gets_what_those_before_it_leave_and_a_standby_nothing() {
    let doors = doors();
    let (first, second, third) = (origin("first"), origin("second"), origin("third"));
    let origins = [(&third, "near", "standby = true"), (&second, "near", "tier = 1"), (&first, "near", "tier = 0")];
    let node = with_pools(&doors, "", &pool("shop", "", &origins));
    let line = |origin: &Origin, of: &str| format!("origin {}: up, 100 %, weight 100, {of}:", origin.address);
    let gets = |text: &str| {
        [(&first, "tier 0"), (&second, "tier 1"), (&third, "a standby")]
            .map(|(origin, of)| share(text, &line(origin, of)))
    };
    let text = said(&node, &[URL]);
    assert!(gets(&text)[0] > 99.9 && gets(&text)[1..].iter().all(|share| *share < 0.1), "{text}");
    assert!(text.contains(&format!("to {} of pool `shop`", first.address)));
    first.kill();
    eventually("the next tier gets all", || {
        let text = said(&node, &[URL]);
        (share(&text, &line(&second, "tier 1")) > 99.0 && share(&text, &line(&third, "a standby")) < 1.0).then_some(())
    });
    assert_eq!(get(node.http(), "shop.example", "/").unwrap().text(), "second");
}

#[test]
fn a_cookie_counts_as_it_does_for_the_proxy() {
    let doors = doors();
    let origins = ["a", "b", "c", "d"].map(origin);
    let listed = origins.each_ref().map(|origin| (origin, "near", ""));
    let node = with_pools(&doors, "", &pool("shop", "balance = \"random\"\nsticky = {}", &listed));
    for _ in 0..4 {
        let first = get(node.http(), "shop.example", "/").unwrap();
        let cookie = first.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let had = &origins[["a", "b", "c", "d"].iter().position(|name| first.text() == *name).unwrap()];
        let text = said(&node, &[URL, "--header", &format!("Cookie: {cookie}")]);
        assert!(text.contains("its cookie names the origin that it had"), "{text}");
        assert!(text.contains(&format!("origin {}: up, 100 %, weight 100: gets 100 %", had.address)), "{text}");
        assert!(text.contains(&format!("to {} of pool `shop`", had.address)), "{text}");
    }
    assert!(!said(&node, &[URL, "--header", "Cookie: meridian-shop=nonsense"]).contains("its cookie names"));
}

#[test]
fn a_last_resort_is_explained_as_it_answers() {
    let doors = doors();
    let (shop, other, sorry) = (origin("shop"), origin("other"), origin("sorry"));
    let shops = [(&shop, "near", ""), (&other, "near", "")];
    let pools = pool("shop", "last_resort = \"sorry\"\nbalance = \"least-connections\"", &shops)
        + &pool("sorry", "balance = \"random\"", &[(&sorry, "near", "")]);
    let node = with_pools(&doors, "", &pools);
    let text = said(&node, &[URL]);
    assert!(text.contains("should nobody be left, its last resort is asked:"), "{text}");
    assert!(text.contains("balanced by `least-connections`"), "{text}");
    for origin in [&shop, &other] {
        let gets = share(&text, &format!("origin {}: up, 100 %, weight 100:", origin.address));
        assert!((gets - 50.0).abs() < 8.0, "asking is no load: {text}");
    }
    shop.kill();
    other.kill();
    let text = eventually("its last resort answers", || {
        let text = said(&node, &[URL]);
        text.contains("rung `last-resort`").then_some(text)
    });
    let expected = [
        "region `near` of pool `sorry` gets all of such requests, balanced by `random`".to_owned(),
        format!("origin {}: up, 100 %, weight 100: gets 100 %", sorry.address),
        format!("to {} of pool `sorry` in region `near`", sorry.address),
    ];
    assert!(expected.iter().all(|part| text.contains(part)), "{text}");
    assert_eq!(get(node.http(), "shop.example", "/").unwrap().text(), "sorry");
}

#[test]
fn headers_that_decide_where_a_request_goes_are_read_as_by_the_proxy() {
    let doors = doors();
    let (near, far) = (origin("near"), origin("far"));
    let shop = pool("shop", "via = \"front-door\"", &[(&near, "near", ""), (&far, "far", "")]);
    let node = with_pools(&doors, "http = { trusted_proxies = [\"127.0.0.1\"], https_redirect = {} }\n", &shop);
    let told = |headers: &[&str]| {
        let headers = headers.iter().flat_map(|header| ["--header", header]);
        said(&node, &[URL].into_iter().chain(headers).collect::<Vec<_>>())
    };
    let status = |headers: &[&str]| {
        let lines: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let request = format!("GET / HTTP/1.1\r\nHost: shop.example\r\n{lines}\r\n");
        Connection::open(node.http()).ask(request.as_bytes()).unwrap().status
    };
    let (secure, again) = ("X-Forwarded-Proto: https", "CDN-Loop: meridian;region=\"near\"");
    let passed_on = "CDN-Loop: meridian;region=\"far\"";
    assert!(told(&[]).contains("redirected to https"));
    assert_eq!(status(&[]), 308);
    assert!(told(&[secure]).contains(&format!("to {} of pool `shop`", near.address)));
    assert_eq!(status(&[secure]), 200);
    assert!(told(&[secure, again]).contains("refused: loop-detected"));
    assert_eq!(status(&[secure, again]), 508);

    let text = told(&[secure, passed_on]);
    assert!(text.contains("it came through another region, and so stays in this one"), "{text}");
    let far_line = text.lines().find(|line| line.contains("pool `shop` in region `far`")).unwrap();
    assert!(far_line.ends_with(": not asked"), "{text}");
    near.kill();
    eventually("the far door is asked for others", || {
        told(&[secure]).contains("in region `far`, by the front door of its region").then_some(())
    });
    let text = told(&[secure, passed_on]);
    assert!(text.contains(&format!("to {} of pool `shop` in region `near`", near.address)), "it opens: {text}");
    assert_eq!(status(&[secure, passed_on]), 502);
}

#[test]
fn a_region_that_gets_no_clients_says_which_row_keeps_them_away() {
    let doors = doors();
    let (near, far, other) = (origin("near"), origin("far"), origin("other"));
    let shop = pool("shop", "", &[(&near, "near", ""), (&far, "far", ""), (&other, "far", "")]);
    let zone = "[zones.\"shop.example\"]\nnameservers = [\"ns.elsewhere.example\"]\n\
                steer.\"@\" = { pools = [\"shop\"], policy = \"order\" }\n\
                steer.here = { pools = [\"shop\"], policy = \"order\", residency = [\"near\"] }\n\
                [policies.order]\nfailover = { order = [\"near\", \"far\"] }\n";
    let node = with_pools(&doors, "", &(shop + zone));
    let told = |name: &str| {
        let output = explain_a("dns", &node, &[name, "--from", "192.0.2.7"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let tells =
        |line: &str| eventually(line, || told("shop.example").lines().any(|told| told.ends_with(line)).then_some(()));
    tells("region `near` takes 100 %");
    let order = |method: &str, action: &str| {
        let body = format!("{{\"subject\":{{\"region\":\"near\"}}{action},\"author\":\"test\",\"reason\":\"x\"}}");
        assert_eq!(node.command(method, "/v1/overrides", &body).status, 200);
    };
    order("PUT", ",\"action\":{\"weight\":30}");
    tells("region `near` takes 30 %: its front door is weakened to 30 %");
    order("DELETE", "");
    order("PUT", ",\"action\":\"drain\"");
    tells("region `near` takes 0 %: its front door is drained");
    order("DELETE", "");
    near.kill();
    tells("region `near` takes 0 %: pool `shop` there is down");
    other.kill();
    tells("region `far` takes 70 %: pool `shop` there is weakened to 50 %, and has no room for others' clients");
    doors[1].kill();
    tells("region `far` takes 0 %: its front door is down");
    let text = told("here.shop.example");
    assert!(text.contains("region `far` takes 0 %: the name does not permit it"), "{text}");
}
