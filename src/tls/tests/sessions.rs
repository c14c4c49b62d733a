//! Resuming sessions: where it works, and where it must not.

use rustls::{
    client::{
        ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
    },
    version::{TLS12, TLS13},
};

use super::*;

const KEY_1: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
const KEY_2: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n";

fn client(scene: &Scene, version: &'static rustls::SupportedProtocolVersion) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(crate::tls::provider());
    let builder = builder.with_protocol_versions(&[version]).unwrap();
    Arc::new(builder.with_root_certificates(scene.authority.roots()).with_no_client_auth())
}

#[test]
fn a_session_is_resumed_at_another_node_with_the_same_keys_and_after_a_reload_without() {
    for version in [&TLS12, &TLS13] {
        let mut scene = Scene::with(&["shop.example"]);
        scene.settings.ticket_keys = Some(scene.write("tickets.keys", KEY_1));
        let (here, there) = (scene.load(), scene.load());
        let client = client(&scene, version);
        assert!(!shake(&here, Arc::clone(&client), "shop.example").unwrap().is_resumed());
        assert!(shake(&there, Arc::clone(&client), "shop.example").unwrap().is_resumed(), "{version:?}");

        scene.settings.ticket_keys = None;
        let (alone, another) = (scene.load(), scene.load());
        assert!(!shake(&alone, Arc::clone(&client), "shop.example").unwrap().is_resumed());
        assert!(shake(&alone, Arc::clone(&client), "shop.example").unwrap().is_resumed());
        assert!(shake(&scene.load_after(&alone), Arc::clone(&client), "shop.example").unwrap().is_resumed());
        assert!(!shake(&another, client, "shop.example").unwrap().is_resumed());
    }
}

#[test]
fn keys_turn_over_by_rewriting_the_file() {
    let mut scene = Scene::with(&["shop.example"]);
    let path = scene.write("tickets.keys", KEY_1);
    scene.settings.ticket_keys = Some(path.clone());
    let tls = scene.load();
    let (old, new) = (client(&scene, &TLS13), client(&scene, &TLS13));
    shake(&tls, Arc::clone(&old), "shop.example").unwrap();

    replace(&path, &format!("{KEY_2}{KEY_1}"));
    // A node that has only the new key tells when tickets are made with it.
    let mut other = Scene::with(&["shop.example"]);
    other.settings = config::Tls { ticket_keys: Some(scene.write("new.keys", KEY_2)), ..scene.settings.clone() };
    let with_new_key = other.load();
    until("tickets are made with the new key", || {
        shake(&tls, Arc::clone(&new), "shop.example").unwrap();
        shake(&with_new_key, Arc::clone(&new), "shop.example").unwrap().is_resumed()
    });
    assert!(shake(&tls, old, "shop.example").unwrap().is_resumed(), "the old key decrypts still");
}

/// What a client keeps that shows every session to every host.
#[derive(Debug)]
struct Careless(ClientSessionMemoryCache);

fn anybody() -> ServerName<'static> {
    ServerName::try_from("anybody.example").unwrap()
}

impl ClientSessionStore for Careless {
    fn set_kx_hint(&self, _: ServerName<'static>, group: rustls::NamedGroup) {
        self.0.set_kx_hint(anybody(), group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<rustls::NamedGroup> {
        self.0.kx_hint(&anybody())
    }

    fn set_tls12_session(&self, _: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.0.set_tls12_session(anybody(), session);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(&anybody())
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&anybody());
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, session: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(anybody(), session);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&anybody())
    }
}

#[test]
fn no_session_is_resumed_at_another_host() {
    for version in [&TLS12, &TLS13] {
        let (mut scene, staff) = (Scene::with(&["a.example", "b.example", "admin.example"]), Authority::new());
        let ca = scene.write("staff.pem", &staff.pem);
        scene.ask(Some("admin.example"), ClientCertificates::Required(ca));
        let tls = scene.load();
        let mut client = Arc::unwrap_or_clone(client(&scene, version));
        client.resumption = Resumption::store(Arc::new(Careless(ClientSessionMemoryCache::new(8))));
        let client = Arc::new(client);
        let is_resumed = |host: &str| shake(&tls, Arc::clone(&client), host).map(|shaken| shaken.is_resumed());
        assert_eq!([is_resumed("a.example"), is_resumed("a.example")], [Ok(false), Ok(true)], "{version:?}");
        assert_eq!([is_resumed("b.example"), is_resumed("b.example")], [Ok(false), Ok(true)], "{version:?}");
        assert!(is_resumed("admin.example").is_err(), "{version:?}");
    }
}

#[test]
fn a_session_made_without_a_client_certificate_is_not_resumed_where_one_is_required() {
    for version in [&TLS12, &TLS13] {
        let (mut scene, staff) = (Scene::with(&["shop.example", "admin.shop.example"]), Authority::new());
        scene.settings.ticket_keys = Some(scene.write("tickets.keys", KEY_1));
        let ca = scene.write("staff.pem", &staff.pem);
        let before = scene.load();
        let client = client(&scene, version);
        assert!(!shake(&before, Arc::clone(&client), "admin.shop.example").unwrap().is_resumed());

        scene.ask(Some("admin.shop.example"), ClientCertificates::Required(ca));
        for tls in [scene.load(), scene.load_after(&before)] {
            assert!(shake(&tls, Arc::clone(&client), "admin.shop.example").is_err(), "{version:?}");
        }
    }
}

#[test]
fn each_connection_to_a_host_that_asks_proves_the_key_anew() {
    let (mut scene, staff) = (Scene::with(&["shop.example"]), Authority::new());
    let ca = scene.write("staff.pem", &staff.pem);
    scene.ask(None, ClientCertificates::Required(ca));
    let tls = scene.load();
    let client = Arc::new(scene.authority.client_showing(&staff.issue(&["ann.shop.example"])));
    for _ in 0..3 {
        let shaken = shake(&tls, Arc::clone(&client), "shop.example").unwrap();
        assert!(!shaken.is_resumed() && shaken.server.peer_certificates().is_some());
    }
}
