//! Files that change while they are used.

use super::*;

#[test]
fn a_replaced_certificate_is_served_and_a_half_replaced_one_is_not() {
    let scene = Scene::with(&["shop.example"]);
    let tls = scene.load();
    let old = scene.shown(&tls, "shop.example").unwrap();
    let kept = shake(&tls, scene.authority.client(), "shop.example").unwrap();

    let new = scene.authority.issue(&["shop.example", "new.example"]);
    replace(&scene.path("main.pem"), &new.chain);
    // Long enough for several looks at the pair that does not fit.
    let clock = Clock::system();
    while clock.now() < Duration::from_millis(100) {
        assert_eq!(scene.shown(&tls, "shop.example").as_ref(), Ok(&old));
    }
    replace(&scene.path("main.key"), &new.key);
    until("the new one is served", || scene.shown(&tls, "shop.example").unwrap() != old);
    assert!(scene.shown(&tls, "new.example").is_ok(), "for the hosts that it is for now");
    assert!(!kept.server.is_handshaking(), "who was there before stays");
}

#[test]
fn what_is_bad_leaves_what_was_good() {
    let (mut scene, staff) = (Scene::with(&["shop.example"]), Authority::new());
    let ca = scene.write("staff.pem", &staff.pem);
    scene.ask(None, ClientCertificates::Required(ca.clone()));
    let tls = scene.load();
    for file in ["main.pem", "main.key", "staff.pem"] {
        replace(&scene.path(file), "nothing of use");
    }
    let known = Arc::new(scene.authority.client_showing(&staff.issue(&["ann.example"])));
    let clock = Clock::system();
    while clock.now() < Duration::from_millis(100) {
        assert!(shake(&tls, Arc::clone(&known), "shop.example").is_ok());
    }

    // New authorities hold for the next connection.
    let others = Authority::new();
    replace(&ca, &others.pem);
    until("the old authority is not believed", || shake(&tls, Arc::clone(&known), "shop.example").is_err());
    let other = scene.authority.client_showing(&others.issue(&["bob.example"]));
    assert!(shake(&tls, other, "shop.example").is_ok());
}

#[cfg(unix)]
#[test]
fn links_are_followed_as_orchestrators_move_them() {
    let mut scene = Scene::new();
    scene.settings.certificates =
        vec![config::Pair { chain: scene.path("data/tls.pem"), key: scene.path("data/tls.key") }];
    let lay = |folder: &str, issued: &Issued| {
        scene.write(&format!("{folder}/tls.pem"), &issued.chain);
        scene.write(&format!("{folder}/tls.key"), &issued.key);
    };
    lay("one", &scene.authority.issue(&["shop.example"]));
    lay("two", &scene.authority.issue(&["shop.example"]));
    let point = |folder: &str| {
        std::os::unix::fs::symlink(scene.path(folder), scene.path("next")).unwrap();
        fs::rename(scene.path("next"), scene.path("data")).unwrap();
    };
    point("one");
    let tls = scene.load();
    let old = scene.shown(&tls, "shop.example").unwrap();
    point("two");
    until("the second is served", || scene.shown(&tls, "shop.example").unwrap() != old);
}

#[test]
fn metrics_tell_when_certificates_end_and_what_became_of_new_ones() {
    let mut scene = Scene::new();
    let until_2040 = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    let issued = scene.authority.issue_with(&["shop.example"], ECDSA, until_2040);
    scene.serve("main", &issued);
    let exporter = crate::telemetry::Exporter::install();
    let tls = scene.load();
    let seconds = |name: &str| {
        let text = exporter.render();
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.rsplit(' ').next()?.parse::<f64>().ok()
    };
    let gauge =
        format!("meridian_tls_certificate_expiry_seconds{{certificate=\"{}\"}}", scene.path("main.pem").display());
    assert_eq!(seconds(&gauge), Some(2_208_988_800.0));
    let bad = || seconds("meridian_tls_certificate_reloads_total{result=\"bad\"}").unwrap_or_default();
    let before = bad();
    replace(&scene.path("main.pem"), "nothing of use");
    until("the bad one is counted", || bad() > before);
    assert_eq!(seconds(&gauge), Some(2_208_988_800.0), "the old one is in force");

    // A config that goes on with it keeps it; one without it says so.
    replace(&scene.path("main.pem"), &issued.chain);
    let after = scene.load_after(&tls);
    drop(tls);
    assert!(seconds(&gauge).is_none_or(|seconds| !seconds.is_nan()));
    drop(after);
    until("nobody has it any more", || seconds(&gauge).is_some_and(f64::is_nan));
}
