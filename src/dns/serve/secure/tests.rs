//! Clients over real TLS, and what becomes of answers on their way through another's hands.

mod doors;
mod same;

use std::{fs, path::Path, sync::Arc, time::Duration};

use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tempfile::TempDir;

use super::{super::server, Encrypted};
use crate::{
    clock::Clock,
    config::{self, Config},
    dns::{Guard, Server, Zones},
    geo::{Atlas, Charts},
    table::{Compiled, Membership, Writer},
    tls::ServerTls,
};

/// A zone with some of everything, and TLS.
fn config(folder: &Path) -> Config {
    let many: String = (0..100).map(|at| format!("\"192.0.2.{at}\", ")).collect();
    let folder = folder.display();
    let text = format!(
        r#"
        [regions.here]
        addresses = ["192.0.2.1"]
        [[tls.certificates]]
        chain = "{folder}/main.pem"
        key = "{folder}/main.key"
        [zones."shop.example"]
        nameservers = ["ns1.shop.example", "ns2.elsewhere.example"]
        [zones."shop.example".records]
        "@" = {{ MX = ["10 mail.shop.example", "20 mail.elsewhere.example"] }}
        ns1 = {{ A = ["192.0.2.53"] }}
        www = {{ A = ["192.0.2.1"], AAAA = ["2001:db8::1"] }}
        alias = {{ CNAME = "WWW.shop.example" }}
        away = {{ CNAME = "host.elsewhere.example" }}
        text = {{ TXT = [["hello", "world"]] }}
        "_sip._tcp" = {{ SRV = ["1 2 5060 sip.shop.example"] }}
        caa = {{ CAA = ["0 issue \"ca.example\""] }}
        big = {{ A = [{many}] }}
        "#
    );
    let loaded = config::from_text("test.toml", &text, &config::Identity::default());
    let mut config = loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)));
    config.dns.threads = 1;
    config.dns.nsid = (*b"node-1").into();
    config.dns.tls = vec!["127.0.0.1:0".parse().unwrap()];
    config.dns.https = vec!["127.0.0.1:0".parse().unwrap()];
    config
}

fn zones(config: &Config) -> Zones {
    let charts = Charts::build(config, &Atlas::load(&config.geo).unwrap()).unwrap();
    Zones::build(config, &charts, Guard::build(&config.dns, None).unwrap().into(), 2026)
}

/// A certificate that stands for itself, written where the config looks for it.
fn certify(folder: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let pem = CertificateParams::new(["ns1.shop.example".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    fs::write(folder.join("main.pem"), &pem).unwrap();
    fs::write(folder.join("main.key"), key.serialize_pem()).unwrap();
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// A server of its own, without a node around it.
struct Scene {
    folder: TempDir,
    config: Config,
    writer: Writer,
    clock: Clock,
    certificate: CertificateDer<'static>,
    server: Option<server::Running>,
    tls: std::net::SocketAddr,
    https: std::net::SocketAddr,
}

/// With these changes to the config.
fn scene(change: impl FnOnce(&mut Config)) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let certificate = certify(folder.path());
    let mut config = config(folder.path());
    change(&mut config);
    let (clock, bound) = (Clock::system(), Server::bind(&[], &config.dns).unwrap());
    let mut scene = Scene {
        folder,
        writer: Writer::new(None),
        clock,
        certificate,
        server: None,
        tls: bound.tls()[0],
        https: bound.https()[0],
        config,
    };
    scene.publish(1);
    scene.server = Some(bound.start(&scene.writer.table(), &scene.clock).unwrap());
    scene
}

impl Scene {
    /// Puts the config into force, with the certificates as they are now.
    fn publish(&mut self, revision: u64) {
        let tls = ServerTls::load(&self.config.tls, true, None, &self.clock).unwrap();
        let compiled = Compiled::default().with(zones(&self.config)).with(Encrypted::build(&self.config, Some(tls)));
        self.writer.publish(Membership { revision, compiled, ..Membership::default() });
    }

    /// A client that believes this scene's certificate alone, and speaks this protocol.
    fn client(&self, protocol: &[u8]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        Arc::new(config)
    }

    fn stop(&mut self) {
        self.server.take().unwrap().stop();
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }
}

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a client to its end.
fn play<T>(part: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, part).await.expect("it takes too long") })
}
