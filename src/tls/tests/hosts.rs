//! Which certificate a host gets, and what versions and protocols are spoken.

use rustls::{ClientConfig, NamedGroup, ProtocolVersion, crypto::WebPkiSupportedAlgorithms, version::TLS12};

use super::*;

/// A client that verifies only signatures whose scheme passes.
fn picky(
    scene: &Scene,
    passes: fn(&str) -> bool,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    let WebPkiSupportedAlgorithms { all, mapping } = provider.signature_verification_algorithms;
    let mapping: Vec<_> = mapping.iter().filter(|(scheme, _)| passes(&format!("{scheme:?}"))).copied().collect();
    provider.signature_verification_algorithms = WebPkiSupportedAlgorithms { all, mapping: mapping.leak() };
    ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(scene.authority.roots())
        .with_no_client_auth()
}

#[test]
fn a_host_gets_its_own_certificate_and_the_wildcard_stands_for_one_label() {
    let mut scene = Scene::with(&["shop.example", "*.shop.example"]);
    scene.serve("www", &scene.authority.issue(&["www.shop.example"]));
    let tls = scene.load();
    let shop = scene.shown(&tls, "shop.example").unwrap();
    assert_eq!(scene.shown(&tls, "img.shop.example").unwrap(), shop);
    assert_eq!(scene.shown(&tls, "IMG.Shop.example").unwrap(), shop);
    assert_ne!(scene.shown(&tls, "www.shop.example").unwrap(), shop);
    for host in ["a.img.shop.example", "example", "other.example"] {
        assert!(scene.shown(&tls, host).is_err(), "{host}");
    }
    assert!(matches!(tls.find(None), Found::Unknown));
}

#[test]
fn a_client_understands_that_its_host_is_unknown() {
    let scene = Scene::new();
    let name = ServerName::try_from("unknown.example").unwrap();
    let mut client = ClientConnection::new(Arc::new(scene.authority.client()), name).unwrap();
    client.read_tls(&mut &crate::tls::UNRECOGNIZED_NAME[..]).unwrap();
    let error = client.process_new_packets().unwrap_err();
    assert_eq!(error, rustls::Error::AlertReceived(rustls::AlertDescription::UnrecognisedName));
}

#[test]
fn unknown_hosts_get_the_first_certificate_where_the_config_says_so() {
    let mut scene = Scene::with(&["shop.example"]);
    scene.serve("other", &scene.authority.issue(&["other.example"]));
    scene.settings.unknown_host = UnknownHost::First;
    let tls = scene.load();
    for name in [None, Some("unknown.example"), Some("192.0.2.1"), Some("a..b")] {
        assert!(matches!(tls.find(name), Found::Ready(_)), "{name:?}");
    }
    let refused = scene.shown(&tls, "unknown.example").unwrap_err();
    assert!(matches!(refused, rustls::Error::InvalidCertificate(_)), "the client sees another host's: {refused}");
}

#[test]
fn each_client_gets_the_key_that_it_can_verify_and_ecdsa_if_it_can() {
    let mut scene = Scene::new();
    scene.serve("rsa", &scene.authority.issue_with(&["shop.example"], RSA, |_| {}));
    scene.serve("ecdsa", &scene.authority.issue(&["shop.example"]));
    let tls = scene.load();
    assert!(!shake(&tls, scene.authority.client(), "shop.example").unwrap().is_rsa());
    for versions in [rustls::ALL_VERSIONS, &[&TLS12]] {
        let rsa_alone = picky(&scene, |scheme| scheme.starts_with("RSA"), versions);
        assert_eq!(shake(&tls, rsa_alone, "shop.example").map(|shaken| shaken.is_rsa()), Ok(true));
    }
}

#[test]
fn the_oldest_version_holds_for_all_and_differs_by_host() {
    let mut scene = Scene::with(&["shop.example", "admin.shop.example", "deep.in.legacy.example"]);
    let old = Arc::new(picky(&scene, |_| true, &[&TLS12]));
    let old = || Arc::clone(&old);
    let tls = scene.load();
    let shaken = shake(&tls, old(), "shop.example").unwrap();
    assert_eq!(shaken.server.protocol_version(), Some(ProtocolVersion::TLSv1_2));

    let demands = |min_version| Demands { min_version, client_certificates: ClientCertificates::Off };
    scene.settings.hosts = vec![(config::HostPattern::Exact("admin.shop.example".into()), demands(TlsVersion::V13))];
    let tls = scene.load();
    assert!(shake(&tls, old(), "shop.example").is_ok() && shake(&tls, old(), "admin.shop.example").is_err());

    scene.settings.demands = demands(TlsVersion::V13);
    scene.settings.hosts = vec![(config::HostPattern::Below("legacy.example".into()), demands(TlsVersion::V12))];
    let tls = scene.load();
    assert!(shake(&tls, old(), "shop.example").is_err() && shake(&tls, old(), "deep.in.legacy.example").is_ok());
}

#[test]
fn http_2_is_agreed_on_where_it_is_offered() {
    let scene = Scene::with(&["shop.example"]);
    for (offers_h2, agreed) in [(true, &b"h2"[..]), (false, b"http/1.1")] {
        let tls = ServerTls::load(&scene.settings, offers_h2, None, &scene.clock).unwrap();
        let mut client = scene.authority.client();
        client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        assert_eq!(shake(&tls, client, "shop.example").unwrap().server.alpn_protocol(), Some(agreed));
    }
}

#[test]
fn keys_are_agreed_on_against_later_quantum_computers() {
    let scene = Scene::with(&["shop.example"]);
    let shaken = shake(&scene.load(), scene.authority.client(), "shop.example").unwrap();
    let group = shaken.server.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name);
    assert_eq!(group, Some(NamedGroup::X25519MLKEM768));
    assert_eq!(shaken.server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

#[test]
fn every_file_that_cannot_be_used_is_told_with_its_reason() {
    let mut scene = Scene::new();
    let (one, other) = (scene.authority.issue(&["a.example"]), scene.authority.issue(&["b.example"]));
    scene.serve("mixed", &Issued { chain: one.chain.clone(), key: other.key });
    scene.serve("nothing", &Issued { chain: "no PEM".into(), key: String::new() });
    scene.serve("nobody", &scene.authority.issue(&[]));
    scene.serve(
        "keyless",
        &Issued { chain: one.chain, key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".into() },
    );
    scene.settings.certificates.push(config::Pair { chain: scene.path("absent.pem"), key: scene.path("absent.key") });
    scene.settings.directory = Some(scene.path("absent.d"));
    scene.ask(None, ClientCertificates::Required(scene.write("ca.pem", "")));
    scene.settings.ticket_keys = Some(scene.write("tickets.keys", "secret"));
    let mistakes = scene.mistakes();
    let expected = [
        "`mixed.key` cannot be used: the key is not that of the certificate in `mixed.pem`",
        "`nothing.pem` cannot be used: it holds no certificate as PEM",
        "`nobody.pem` cannot be used: it is for no host",
        "`keyless.key` cannot be used: ",
        "`absent.pem` cannot be used: No such file",
        "`ca.pem` cannot be used: it holds no certificate as PEM",
        "`tickets.keys` cannot be used: line 1 is no key",
        "`absent.d` cannot be used: No such file",
    ];
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert!(mistake.starts_with(expected), "{mistake}");
    }
}

#[test]
fn an_expired_certificate_is_a_warning() {
    let mut scene = Scene::new();
    let past = |params: &mut CertificateParams| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    };
    scene.serve("old", &scene.authority.issue_with(&["old.example"], ECDSA, past));
    assert!(matches!(scene.load().find(Some("old.example")), Found::Ready(_)));
    let text = "tls.certificates = [{ chain = \"DIR/old.pem\", key = \"DIR/old.key\" }]";
    let config = write_config(scene.folder.path(), &format!("[admin]\n[tls]\n{}", text.replace("tls.", "")));
    let warnings = crate::tls::check(&config);
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].severity == config::Severity::Warning && warnings[0].message.contains("has expired"),
        "{warnings:?}"
    );
}
