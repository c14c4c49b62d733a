//! The other side: who an origin has to be.

use rustls::{ServerConfig, server::WebPkiClientVerifier};

use super::*;
use crate::{
    config::{Config, Identity, from_text},
    tls::{OriginTls, Outward, watch_origins},
};

/// The only pool of a config whose `tls` is this; `DIR` is the folder.
fn pool(scene: &Scene, keys: &str) -> Arc<config::Pool> {
    let text =
        format!("[pools.shop]\norigins = [{{ address = \"192.0.2.7:8443\" }}]\n{keys}\n[[routes]]\npool = \"shop\"\n");
    Arc::clone(&write_config(scene.folder.path(), &text).pools[0])
}

fn origin(scene: &Scene, keys: &str) -> OriginTls {
    OriginTls::load(&pool(scene, keys)).unwrap().unwrap()
}

/// An origin that shows this, and asks for a certificate of the authority where there is one.
fn serving(issued: &Issued, asks_for: Option<&Authority>) -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_slice(issued.chain.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let builder =
        ServerConfig::builder_with_provider(crate::tls::provider()).with_safe_default_protocol_versions().unwrap();
    let builder = match asks_for {
        None => builder.with_no_client_auth(),
        Some(authority) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(authority.roots(), crate::tls::provider()).build().unwrap(),
        ),
    };
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

fn connect(tls: &OriginTls, server: &Arc<ServerConfig>) -> Result<Shaken, rustls::Error> {
    let name = tls.server_name(&"192.0.2.7:443".parse().unwrap());
    shake_with(ClientConnection::new(tls.config(), name)?, |_| Some(Arc::clone(server)))
}

#[test]
fn an_origin_is_who_its_certificate_says_by_an_authority_that_is_believed() {
    let scene = Scene::new();
    scene.write("own-ca.pem", &scene.authority.pem);
    let named = origin(&scene, "tls = { ca = \"DIR/own-ca.pem\", server_name = \"shop.internal\" }");
    let by_address = origin(&scene, "tls = { verify = \"ca\", ca = \"DIR/own-ca.pem\" }");
    let shop = serving(&scene.authority.issue(&["shop.internal"]), None);
    let address = serving(&scene.authority.issue(&["192.0.2.7"]), None);
    let stranger = serving(&Authority::new().issue(&["shop.internal", "192.0.2.7"]), None);
    assert!(connect(&named, &shop).is_ok() && connect(&by_address, &address).is_ok());
    for (tls, server) in [(&named, &address), (&by_address, &shop), (&named, &stranger), (&by_address, &stranger)] {
        let refused = connect(tls, server).map(|_| ()).unwrap_err();
        assert!(matches!(refused, rustls::Error::InvalidCertificate(_)), "{refused}");
    }
    for trust in ["webpki", "platform"] {
        let public = OriginTls::load(&pool(
            &scene,
            &format!("tls = {{ verify = \"{trust}\", server_name = \"shop.internal\" }}"),
        ));
        // A machine without authorities of its own cannot have `platform`.
        if let Ok(Some(public)) = public {
            assert!(connect(&public, &shop).is_err());
        }
    }
}

#[test]
fn the_protocol_is_what_the_pool_says() {
    let scene = Scene::new();
    scene.write("own-ca.pem", &scene.authority.pem);
    let server = serving(&scene.authority.issue(&["192.0.2.7"]), None);
    for (protocol, agreed) in [("h1", &b"http/1.1"[..]), ("h2", b"h2")] {
        let tls = origin(&scene, &format!("tls = {{ ca = \"DIR/own-ca.pem\" }}\nprotocol = \"{protocol}\""));
        assert_eq!(connect(&tls, &server).unwrap().client.alpn_protocol(), Some(agreed));
    }
    assert!(OriginTls::load(&pool(&scene, "protocol = \"h2\"")).unwrap().is_none(), "in the clear");
}

#[test]
fn an_origin_that_asks_gets_the_pool_s_certificate_and_the_renewed_one() {
    let (scene, inside) = (Scene::new(), Authority::new());
    scene.write("own-ca.pem", &scene.authority.pem);
    let show = |issued: &Issued| {
        replace(&scene.path("me.key"), &issued.key);
        replace(&scene.path("me.pem"), &issued.chain);
    };
    show(&inside.issue(&[]));
    let server = serving(&scene.authority.issue(&["192.0.2.7"]), Some(&inside));
    let silent = origin(&scene, "tls = { ca = \"DIR/own-ca.pem\" }");
    assert!(connect(&silent, &server).is_err());
    let tls =
        origin(&scene, "tls = { ca = \"DIR/own-ca.pem\", client = { chain = \"DIR/me.pem\", key = \"DIR/me.key\" } }");
    let shown = || connect(&tls, &server).unwrap().server.peer_certificates().unwrap()[0].to_vec();
    let first = shown();

    let watching = watch_origins(vec![tls.clone()], Duration::from_millis(20)).unwrap();
    show(&inside.issue(&["me.internal"]));
    until("the new certificate is shown", || shown() != first);
    drop(watching);
}

#[test]
fn all_mistakes_of_all_pools_are_told() {
    let scene = Scene::new();
    let pools = [
        pool(&scene, "tls = { ca = \"DIR/absent.pem\", client = { chain = \"DIR/me.pem\", key = \"DIR/me.key\" } }"),
        pool(&scene, ""),
        pool(&scene, "tls = { ca = \"DIR/other.pem\" }"),
    ];
    let text = "[regions.a]\naddresses = [\"192.0.2.1\"]\nfront_door = { tls = { ca = \"absent.pem\" } }\n";
    let config = from_text("test.toml", text, &Identity::default()).config.unwrap();
    let problems = Outward::load(&Config { pools: pools.to_vec(), ..config.clone() }).unwrap_err().into_diagnostics();
    assert_eq!(problems.len(), 5, "{problems:?}");
    let config = Config { pools: pools[1..2].to_vec(), regions: Vec::new(), ..config };
    assert!(Outward::load(&config).unwrap().origins[0].is_none());
}
