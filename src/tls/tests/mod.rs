//! Real handshakes in memory, with authorities and certificates made for each test. Here is what the scenes are made of.

mod clients;
mod directory;
mod hosts;
mod origins;
mod renewal;
mod sessions;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
    SignatureAlgorithm,
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::{Accepted, Acceptor},
};
use tempfile::TempDir;

use super::{Found, ServerTls};
use crate::{
    clock::Clock,
    config::{self, ClientCertificates, Demands, Identity, TlsVersion, UnknownHost},
};

const ECDSA: &SignatureAlgorithm = &PKCS_ECDSA_P256_SHA256;
const RSA: &SignatureAlgorithm = &PKCS_RSA_SHA256;

/// Who issues certificates in a scene.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
struct Issued {
    chain: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, format!("authority {}", fastrand::u32(..)));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn issue(&self, names: &[&str]) -> Issued {
        self.issue_with(names, ECDSA, |_| {})
    }

    fn issue_with(
        &self,
        names: &[&str],
        algorithm: &'static SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Issued {
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or("nobody"));
        change(&mut params);
        let key = KeyPair::generate_for(algorithm).unwrap();
        let chain = params.signed_by(&key, &self.issuer).unwrap().pem();
        Issued { chain, key: key.serialize_pem() }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        Arc::new(roots)
    }

    /// A client that believes this authority.
    fn client(&self) -> ClientConfig {
        builder().with_root_certificates(self.roots()).with_no_client_auth()
    }

    /// One that shows a certificate of its own, too.
    fn client_showing(&self, shown: &Issued) -> ClientConfig {
        let chain = vec![CertificateDer::from_pem_slice(shown.chain.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
        builder().with_root_certificates(self.roots()).with_client_auth_cert(chain, key).unwrap()
    }
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(super::provider()).with_safe_default_protocol_versions().unwrap()
}

/// A folder with an authority and what it issued, and settings that use it.
struct Scene {
    folder: TempDir,
    authority: Authority,
    settings: config::Tls,
    clock: Clock,
}

impl Scene {
    fn new() -> Self {
        let settings = config::Tls {
            certificates: Vec::new(),
            directory: None,
            max_loaded: 100,
            unknown_host: UnknownHost::Refuse,
            ticket_keys: None,
            handshake_timeout: Duration::from_secs(10),
            watch_interval: Duration::from_millis(20),
            demands: Demands { min_version: TlsVersion::V12, client_certificates: ClientCertificates::Off },
            hosts: Vec::new(),
        };
        Self { folder: tempfile::tempdir().unwrap(), authority: Authority::new(), settings, clock: Clock::manual() }
    }

    /// With one certificate for these.
    fn with(names: &[&str]) -> Self {
        let mut scene = Self::new();
        scene.serve("main", &scene.authority.issue(names));
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Adds a certificate to the config.
    fn serve(&mut self, name: &str, issued: &Issued) {
        let pair = config::Pair {
            chain: self.write(&format!("{name}.pem"), &issued.chain),
            key: self.write(&format!("{name}.key"), &issued.key),
        };
        self.settings.certificates.push(pair);
    }

    /// Adds a certificate to the directory, in a file of this name.
    fn lay(&mut self, file: &str, issued: &Issued) {
        self.write(&format!("certs.d/{file}"), &format!("{}{}", issued.key, issued.chain));
        self.settings.directory = Some(self.path("certs.d"));
    }

    fn ask(&mut self, host: Option<&str>, client_certificates: ClientCertificates) {
        let demands = Demands { min_version: TlsVersion::V12, client_certificates };
        match host {
            None => self.settings.demands = demands,
            Some(host) => self.settings.hosts.push((config::HostPattern::Exact(host.into()), demands)),
        }
    }

    fn load(&self) -> ServerTls {
        ServerTls::load(&self.settings, true, None, &self.clock).unwrap()
    }

    fn load_after(&self, previous: &ServerTls) -> ServerTls {
        ServerTls::load(&self.settings, true, Some(previous), &self.clock).unwrap()
    }

    /// What is wrong, without where.
    fn mistakes(&self) -> Vec<String> {
        let problems = ServerTls::load(&self.settings, true, None, &self.clock).unwrap_err().into_diagnostics();
        let folder = format!("{}/", self.folder.path().display());
        problems.iter().map(|problem| problem.message.replace(&folder, "")).collect()
    }

    /// The serial number of the certificate that a usual client gets for this host.
    fn shown(&self, tls: &ServerTls, host: &str) -> Result<Vec<u8>, rustls::Error> {
        shake(tls, self.authority.client(), host).map(|shaken| shaken.certificate())
    }
}

/// Both ends after a handshake.
struct Shaken {
    client: ClientConnection,
    server: ServerConnection,
}

impl Shaken {
    /// The server's certificate, as it was sent.
    fn certificate(&self) -> Vec<u8> {
        self.client.peer_certificates().unwrap()[0].to_vec()
    }

    fn is_resumed(&self) -> bool {
        self.server.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }

    fn is_rsa(&self) -> bool {
        let certificate = self.certificate();
        let (_, certificate) = x509_parser::parse_x509_certificate(&certificate).unwrap();
        matches!(certificate.public_key().parsed(), Ok(x509_parser::public_key::PublicKey::RSA(_)))
    }
}

fn shake(tls: &ServerTls, client: impl Into<Arc<ClientConfig>>, host: &str) -> Result<Shaken, rustls::Error> {
    let client = ClientConnection::new(client.into(), ServerName::try_from(host.to_owned()).unwrap())?;
    shake_with(client, |hello| match tls.find(hello.client_hello().server_name()) {
        Found::Ready(config) => Some(config),
        Found::Load(loading) => wait(loading),
        Found::Unknown => None,
    })
}

/// Carries bytes to and fro until both ends are done, and what comes after the handshake, too. A host that leads nowhere is a general
/// error, as is an end that says nothing more.
fn shake_with(
    mut client: ClientConnection,
    find: impl FnOnce(&Accepted) -> Option<Arc<rustls::ServerConfig>>,
) -> Result<Shaken, rustls::Error> {
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        acceptor.read_tls(&mut &*hello).unwrap();
        if let Some(accepted) = acceptor.accept().map_err(|(error, _)| error)? {
            break accepted;
        }
    };
    let config = find(&accepted).ok_or_else(|| rustls::Error::General("unrecognized_name".to_owned()))?;
    let mut server = accepted.into_connection(config).map_err(|(error, _)| error)?;
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_tls(&mut &*bytes).unwrap();
        client.process_new_packets()?;
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        while !bytes.is_empty() {
            let read = server.read_tls(&mut &*bytes).unwrap();
            bytes.drain(..read);
            server.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(Shaken { client, server })
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Waits until something a thread does is seen.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let clock = Clock::system();
    while !is_so() {
        assert!(clock.now() < Duration::from_secs(20), "waited in vain until {what}");
        std::thread::yield_now();
    }
}

/// Replaces a file at once, as `mv` does.
fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

fn write_config(folder: &Path, text: &str) -> config::Config {
    let text = format!("[regions.home]\naddresses = [\"192.0.2.1\"]\n{text}").replace("DIR", folder.to_str().unwrap());
    let loaded = config::from_text("test.toml", &text, &Identity::default());
    loaded.config.unwrap_or_else(|| panic!("{}", loaded.diagnostics.render_text(false)))
}
