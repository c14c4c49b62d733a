use std::time::Duration;

use crate::config::{Check, CheckKind, Checks, Config, Identity, OriginTls, Protocol, Trust, from_text};

/// One region and what is added.
fn read(text: &str) -> Result<Config, Vec<String>> {
    let loaded =
        from_text("test.toml", &format!("regions.here.addresses = [\"192.0.2.1\"]\n{text}"), &Identity::default());
    let codes = loaded.diagnostics.iter().map(|one| format!("{}: {}", one.code.as_str(), one.message)).collect();
    loaded.config.ok_or(codes)
}

fn config(text: &str) -> Config {
    read(text).unwrap_or_else(|codes| panic!("{codes:?}"))
}

fn pool(check: &str) -> String {
    format!("[pools.shop]\n{check}\norigins = [{{ address = \"10.0.0.1:80\" }}]\n[[routes]]\npool = \"shop\"\n")
}

fn kinds(checks: &Checks) -> Vec<&str> {
    checks.leaves().into_iter().map(|check| check.kind.as_str()).collect()
}

#[test]
fn several_checks_are_all_any_or_some_and_one_alone_is_itself() {
    let named = "checks.web.http = {}\nchecks.db.tcp = { port = 5432 }\nchecks.key.tls = {}\nchecks.both.all = [\"web\", \"db\"]\n";
    let of = |check: &str| config(&format!("{named}{}", pool(check))).pools[0].check.clone();
    let count = |checks: &Checks| match checks {
        Checks::AtLeast { count, of } => (*count, of.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(count(&of("check.all = [\"web\", \"db\", \"key\"]")), (3, 3));
    assert_eq!(count(&of("check.any = [\"web\", \"db\"]")), (1, 2));
    assert_eq!(count(&of("check.at_least = { count = 2, of = [\"web\", \"db\", \"key\"] }")), (2, 3));
    assert_eq!(kinds(&of("check = { use = \"web\" }")), ["http"]);
    assert!(of("check = { use = \"db\" }").only().is_some_and(|check| check.port == Some(5432)));
    assert!(of("check.any = [\"db\"]").only().is_some());
    let nested = of("check.any = [\"both\", \"key\"]");
    assert_eq!((count(&nested), kinds(&nested)), ((1, 2), vec!["http", "tcp", "tls"]));
    assert_eq!(of("check = \"none\""), Checks::None);
}

#[test]
fn the_bound_is_that_of_whom_the_verdict_waits_for_and_nobody_has_none() {
    let named = "checks.slow.tcp = { interval = \"1h\" }\nchecks.quick.tcp = {}\nchecks.middling.tcp = { interval = \"10s\" }\n\
                 checks.either.any = [\"quick\", \"middling\"]\n";
    let bound = |check: &str| config(&format!("{named}{}", pool(check))).pools[0].check.detection_bound();
    assert_eq!(bound("check.any = [\"middling\", \"quick\"]"), Some(Duration::from_millis(11_250)));
    assert_eq!(bound("check.all = [\"slow\", \"middling\", \"quick\"]"), Some(Duration::from_millis(2_250)));
    let two = "check.at_least = { count = 2, of = [\"quick\", \"slow\", \"middling\"] }";
    assert_eq!(bound(two), Some(Duration::from_millis(11_250)), "two have to notice it");
    assert_eq!(bound("check.all = [\"slow\", \"either\"]"), Some(Duration::from_millis(11_250)));
    assert_eq!(
        (bound("check.any = [\"quick\"]"), bound("check = \"none\"")),
        (Some(Duration::from_millis(2_250)), None)
    );
}

#[test]
fn what_a_check_leaves_open_follows_whom_it_asks() {
    let tls = "tls = { ca = \"ca.pem\", server_name = \"shop.test\" }\nprotocol = \"h2\"\n";
    let of = |check: &str| config(&pool(&format!("{tls}{check}"))).pools[0].check.only().unwrap().clone();
    let settings =
        |name: &str| OriginTls { trust: Trust::Ca("ca.pem".into()), server_name: Some(name.into()), client: None };
    let spoken = |check: &Check| check.tls.clone().map(|tls| (tls.settings, tls.protocol));
    assert_eq!(spoken(&of("check.http = {}")), Some((settings("shop.test"), Some(Protocol::H2))));
    assert_eq!(spoken(&of("check.http = { protocol = \"h1\" }")), Some((settings("shop.test"), Some(Protocol::H1))));
    assert_eq!(spoken(&of("check.grpc = {}")), Some((settings("shop.test"), Some(Protocol::H2))));
    assert_eq!(spoken(&of("check.tls.server_name = \"other.test\"")), Some((settings("other.test"), None)));
    let other = of("check.http.tls.verify = \"webpki\"");
    assert_eq!(spoken(&other).unwrap().0, OriginTls { trust: Trust::WebPki, server_name: None, client: None });
    let plain = of("check.http.plain = true");
    assert!(matches!(&plain.kind, CheckKind::Http(http) if http.protocol == Protocol::H1) && plain.tls.is_none());
    assert_eq!(spoken(&of("check.tcp = {}")), None);
}

#[test]
fn a_front_door_is_asked_where_this_node_listens_in_the_clear_unless_the_check_says_otherwise() {
    let of = |check: &str| {
        let door = "regions.here.front_door.tls.server_name = \"door.test\"\nlisten.http = [\"0.0.0.0:8080\"]\n";
        let config = config(&format!("{door}regions.here.check.{check}\n"));
        let check = config.regions[0].check.only().unwrap().clone();
        (check.port, check.tls.map(|tls| tls.settings.server_name.as_deref().unwrap_or("address").to_owned()))
    };
    assert_eq!(of("http = {}"), (Some(8080), None));
    assert_eq!(of("tcp = {}"), (Some(8080), None));
    assert_eq!(of("http.tls = {}"), (Some(443), Some("address".to_owned())));
    assert_eq!(of("grpc = { tls = {}, port = 1 }"), (Some(1), Some("address".to_owned())));
    assert_eq!(of("tls = {}"), (Some(443), Some("door.test".to_owned())));
}

#[test]
fn a_shared_check_is_the_same_for_all_that_use_it_but_for_what_they_speak() {
    let text = "checks.up.http = {}\n[pools.a]\ncheck.use = \"up\"\norigins = [{ address = \"10.0.0.1:80\" }]\n\
                [pools.b]\ncheck.use = \"up\"\norigins = [{ address = \"10.0.0.1:80\" }]\n\
                [pools.c]\nprotocol = \"h2\"\ncheck.use = \"up\"\norigins = [{ address = \"10.0.0.1:80\" }]\n";
    let config = config(text);
    assert_eq!(config.pools[0].check, config.pools[1].check);
    assert_ne!(config.pools[0].check, config.pools[2].check);
}

#[test]
fn circles_are_told_once_and_chains_are_only_so_long() {
    let loops = |text: &str| {
        let codes = read(&format!("{text}{}", pool(""))).unwrap_err();
        codes.into_iter().filter(|code| code.starts_with("check-loop")).collect::<Vec<_>>()
    };
    let circle = "checks.a.all = [\"b\"]\nchecks.b.any = [\"x\", \"a\"]\nchecks.c.use = \"a\"\nchecks.x.tcp = {}\n";
    assert_eq!(loops(circle), ["check-loop: checks lead to each other: `a`, `b`, `a`"]);
    assert_eq!(loops("checks.a.use = \"a\"\n"), ["check-loop: checks lead to each other: `a`, `a`"]);
    let chain = |length: usize| {
        let links = (1..length).map(|at| format!("checks.c{at:02}.use = \"c{:02}\"\n", at + 1)).collect::<String>();
        format!("{links}checks.c{length:02}.tcp = {{}}\n")
    };
    assert_eq!(loops(&chain(9)), ["check-loop: check `c01` leads through more than 8 checks"]);
    assert_eq!(kinds(&config(&format!("{}{}", chain(8), pool("check.use = \"c01\""))).pools[0].check), ["tcp"]);
    let many = format!("{}{}", chain(300), circle);
    assert!(!loops(&many).is_empty(), "however long");
}

#[test]
fn many_checks_that_double_are_refused_and_not_built() {
    let doubling: String = (1..8)
        .map(|at| {
            format!(
                "checks.c{at}.all = [\"c{}\", \"d{}\"]\nchecks.d{at}.all = [\"c{}\", \"d{}\"]\n",
                at + 1,
                at + 1,
                at + 1,
                at + 1
            )
        })
        .collect();
    let text = format!("{doubling}checks.c8.tcp = {{}}\nchecks.d8.http = {{}}\n{}", pool("check.use = \"c1\""));
    let codes = read(&text).unwrap_err();
    assert_eq!(codes, ["too-many: more than 16 checks come together in one place"]);
}

#[test]
fn a_server_name_that_no_user_of_a_check_asks_for_is_refused() {
    let named = "checks.up.http.server_name = \"up.test\"\n";
    let user = |name: &str, tls: &str| {
        format!("[pools.{name}]\n{tls}\ncheck.use = \"up\"\norigins = [{{ address = \"10.0.0.1:80\" }}]\n")
    };
    let codes = read(&format!("{named}{}", user("clear", ""))).unwrap_err();
    assert_eq!(codes[0], "contradiction: `server_name` is given, and it is asked in the clear");
    config(&format!("{named}{}{}", user("clear", ""), user("secured", "tls = {}")));
}

#[test]
fn headers_that_belong_to_a_connection_are_not_for_a_check_to_send() {
    for name in ["Upgrade", "keep-alive", "proxy-connection", "te"] {
        let codes = read(&pool(&format!("check.http.headers = {{ {name} = \"x\" }}"))).unwrap_err();
        let expected = format!("`{}` is not for a check to send", name.to_ascii_lowercase());
        assert!(codes.len() == 1 && codes[0].ends_with(&expected), "{codes:?}");
    }
}
