//! Certificates that are read when their host is first named.

use super::*;

fn is_ready(tls: &ServerTls, host: &str) -> bool {
    matches!(tls.find(Some(host)), Found::Ready(_))
}

fn is_loading(tls: &ServerTls, host: &str) -> bool {
    matches!(tls.find(Some(host)), Found::Load(_))
}

fn load(tls: &ServerTls, host: &str) -> bool {
    match tls.find(Some(host)) {
        Found::Ready(_) => true,
        Found::Load(loading) => wait(loading).is_some(),
        Found::Unknown => false,
    }
}

#[test]
fn a_host_is_read_once_and_its_wildcard_serves_the_others() {
    let mut scene = Scene::new();
    scene.lay("www.shop.example.pem", &scene.authority.issue(&["www.shop.example"]));
    scene.lay("_.shop.example.pem", &scene.authority.issue(&["*.shop.example"]));
    let tls = scene.load();
    let www = scene.shown(&tls, "www.shop.example").unwrap();
    assert!(is_ready(&tls, "www.shop.example") && is_loading(&tls, "img.shop.example"));
    assert_ne!(scene.shown(&tls, "img.shop.example").unwrap(), www);
    assert!(is_ready(&tls, "IMG2.shop.example"), "the same wildcard is in memory");
    for host in [
        "shop.example",
        "a.img.shop.example",
        "unknown.example",
        "../certs.d/www.shop.example",
        "_.shop.example",
        "www",
    ] {
        assert!(matches!(tls.find(Some(host)), Found::Unknown), "{host}");
    }
}

#[test]
fn no_name_leads_out_of_the_directory() {
    let mut scene = Scene::new();
    scene.lay("shop.example.pem", &scene.authority.issue(&["shop.example"]));
    scene.write("secret.example.pem", &scene.authority.issue(&["secret.example"]).chain);
    let tls = scene.load();
    for host in
        ["../secret.example", "..%2fsecret.example", "/secret.example", ".", "..", "\0", "shop.example/../shop.example"]
    {
        assert!(matches!(tls.find(Some(host)), Found::Unknown), "{host}");
    }
}

#[test]
fn an_rsa_pair_beside_it_is_for_those_that_need_it() {
    let mut scene = Scene::new();
    scene.lay("xn--bcher-kva.example.pem", &scene.authority.issue(&["xn--bcher-kva.example"]));
    scene.lay("xn--bcher-kva.example.rsa.pem", &scene.authority.issue_with(&["xn--bcher-kva.example"], RSA, |_| {}));
    let tls = scene.load();
    assert!(!shake(&tls, scene.authority.client(), "xn--bcher-kva.example").unwrap().is_rsa());
    assert!(matches!(tls.find(Some("xn--bcher-kva.example.rsa")), Found::Unknown));
}

#[test]
fn what_is_listed_comes_before_what_lies_in_the_directory() {
    let mut scene = Scene::with(&["shop.example", "*.shop.example"]);
    scene.lay("shop.example.pem", &scene.authority.issue(&["shop.example"]));
    scene.lay("www.shop.example.pem", &scene.authority.issue(&["www.shop.example"]));
    let tls = scene.load();
    assert!(is_ready(&tls, "shop.example") && is_ready(&tls, "img.shop.example"));
    assert!(is_loading(&tls, "www.shop.example"), "more specific than the listed wildcard");
}

#[test]
fn no_more_than_allowed_stay_in_memory_and_those_in_use_stay() {
    let mut scene = Scene::new();
    for at in 0..20 {
        let host = format!("h{at}.example");
        scene.lay(&format!("{host}.pem"), &scene.authority.issue(&[&host]));
    }
    scene.settings.max_loaded = 5;
    let tls = scene.load();
    for at in 0..20 {
        assert!(load(&tls, &format!("h{at}.example")));
        assert!(load(&tls, "h0.example"));
    }
    assert_eq!(tls.loaded(), 5);
    assert!(is_ready(&tls, "h0.example"), "asked for all the time");
}

#[test]
fn a_bad_file_is_read_once_and_again_when_it_changed() {
    let mut scene = Scene::new();
    let good = scene.authority.issue(&["shop.example"]);
    scene.lay("shop.example.pem", &Issued { chain: good.chain.clone(), key: String::new() });
    scene.lay("other.example.pem", &good);
    let tls = scene.load();
    assert!(!load(&tls, "shop.example") && !load(&tls, "other.example"), "no key; not for this host");
    assert!(matches!(tls.find(Some("shop.example")), Found::Unknown), "not read again");
    replace(&scene.path("certs.d/shop.example.pem"), &format!("{}{}", good.key, good.chain));
    until("the good file is served", || is_ready(&tls, "shop.example"));
}

#[test]
fn files_come_change_and_go() {
    let mut scene = Scene::new();
    scene.lay("a.example.pem", &scene.authority.issue(&["a.example"]));
    let tls = scene.load();
    let first = scene.shown(&tls, "a.example").unwrap();

    scene.lay("b.example.pem", &scene.authority.issue(&["b.example"]));
    until("a new file is known", || load(&tls, "b.example"));

    let new = scene.authority.issue(&["a.example"]);
    replace(&scene.path("certs.d/a.example.pem"), "half of it");
    replace(&scene.path("certs.d/a.example.pem"), &format!("{}{}", new.key, new.chain));
    until("the new one is served", || scene.shown(&tls, "a.example").unwrap() != first);

    fs::remove_file(scene.path("certs.d/a.example.pem")).unwrap();
    until("it is gone", || matches!(tls.find(Some("a.example")), Found::Unknown));
}

#[test]
fn a_reload_keeps_what_is_in_memory() {
    let mut scene = Scene::new();
    scene.lay("a.example.pem", &scene.authority.issue(&["a.example"]));
    let before = scene.load();
    assert!(load(&before, "a.example"));
    let after = scene.load_after(&before);
    drop(before);
    assert!(is_ready(&after, "a.example"));
    scene.settings.max_loaded = 7;
    assert!(is_loading(&scene.load_after(&after), "a.example"));
}

#[test]
fn a_handshake_that_waits_survives_its_config() {
    let mut scene = Scene::new();
    scene.lay("a.example.pem", &scene.authority.issue(&["a.example"]));
    let tls = scene.load();
    let Found::Load(loading) = tls.find(Some("a.example")) else { panic!("not in memory yet") };
    drop(tls);
    assert!(wait(loading).is_some());
}

#[test]
fn a_hundred_thousand_hosts_are_known_in_little_time_and_none_beside_them() {
    let mut scene = Scene::new();
    let name = |at: usize| format!("customer-{at}.shop.example");
    let issued = scene.authority.issue(&["*.shop.example"]);
    for at in 0..100_000 {
        scene.lay(&format!("{}.pem", name(at)), &issued);
    }
    scene.settings.max_loaded = 100;
    let clock = Clock::system();
    let tls = scene.load();
    // A fraction of a second where nothing else runs.
    assert!(clock.now() < Duration::from_secs(10), "{:?}", clock.now());
    for at in (0..100_000).step_by(1_000) {
        assert!(load(&tls, &name(at)), "{at}");
    }
    for at in 100_000..101_000 {
        assert!(matches!(tls.find(Some(&name(at))), Found::Unknown), "{at}");
    }
}
