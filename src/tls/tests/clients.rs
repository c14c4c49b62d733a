//! What clients have to show, and whom a request may be for.

use super::*;
use crate::tls::client_identity;

fn authority_file(scene: &Scene, name: &str, authority: &Authority) -> PathBuf {
    scene.write(name, &authority.pem)
}

#[test]
fn a_required_certificate_is_asked_for_and_verified() {
    let (mut scene, staff, strangers) = (Scene::with(&["shop.example"]), Authority::new(), Authority::new());
    let ca = authority_file(&scene, "staff.pem", &staff);
    scene.ask(None, ClientCertificates::Required(ca));
    let tls = scene.load();
    assert!(shake(&tls, scene.authority.client(), "shop.example").is_err());
    let stranger = scene.authority.client_showing(&strangers.issue(&["eve.example"]));
    assert!(shake(&tls, stranger, "shop.example").is_err());
    let known = scene.authority.client_showing(&staff.issue(&["ann.shop.example"]));
    let shaken = shake(&tls, known, "shop.example").unwrap();

    let identity = client_identity(shaken.server.peer_certificates().unwrap()).unwrap();
    assert_eq!(identity.subject, "CN=ann.shop.example");
    assert_eq!(identity.alternative_names, ["DNS:ann.shop.example"]);
    assert_eq!(identity.fingerprint.len(), 64);
}

#[test]
fn an_optional_certificate_may_be_left_out_and_not_be_wrong() {
    let (mut scene, staff) = (Scene::with(&["shop.example"]), Authority::new());
    let ca = authority_file(&scene, "staff.pem", &staff);
    scene.ask(None, ClientCertificates::Optional(ca));
    let tls = scene.load();
    let shaken = shake(&tls, scene.authority.client(), "shop.example").unwrap();
    assert!(shaken.server.peer_certificates().is_none());
    let known = scene.authority.client_showing(&staff.issue(&["ann.shop.example"]));
    assert!(shake(&tls, known, "shop.example").unwrap().server.peer_certificates().is_some());
    let stranger = scene.authority.client_showing(&Authority::new().issue(&["eve.example"]));
    assert!(shake(&tls, stranger, "shop.example").is_err());
}

#[test]
fn hosts_differ_in_what_they_ask_and_the_number_tells() {
    let (mut scene, staff) = (Scene::with(&["shop.example", "*.shop.example"]), Authority::new());
    let ca = authority_file(&scene, "staff.pem", &staff);
    scene.ask(None, ClientCertificates::Optional(ca.clone()));
    scene.ask(Some("admin.shop.example"), ClientCertificates::Required(ca.clone()));
    scene.ask(Some("root.shop.example"), ClientCertificates::Required(ca));
    scene.ask(Some("open.shop.example"), ClientCertificates::Off);
    let tls = scene.load();
    let nobody = || scene.authority.client();
    assert!(shake(&tls, nobody(), "shop.example").is_ok() && shake(&tls, nobody(), "open.shop.example").is_ok());
    assert!(shake(&tls, nobody(), "admin.shop.example").is_err());

    let number = |host| tls.demands_of(host);
    assert_eq!(number("shop.example"), number("www.shop.example"));
    assert_eq!(number("Admin.Shop.Example."), number("root.shop.example"));
    let different = [number("shop.example"), number("admin.shop.example"), number("open.shop.example")];
    assert!(different[0] != different[1] && different[1] != different[2] && different[0] != different[2]);
    assert_eq!(number("not a host"), number("shop.example"));

    // Over a reload the same demands keep their number, and new ones get a new one.
    scene.settings.hosts.remove(0);
    scene.settings.demands.min_version = TlsVersion::V13;
    let after = scene.load_after(&tls);
    assert_eq!(after.demands_of("root.shop.example"), different[1]);
    assert_eq!(after.demands_of("open.shop.example"), different[2]);
    assert!(!different.contains(&after.demands_of("shop.example")));
}
