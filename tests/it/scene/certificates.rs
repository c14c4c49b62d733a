//! An authority that exists for one test, and what it issues.

use std::{fs, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs::default_provider},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tempfile::TempDir;

/// Who issues certificates in a scene, and the folder they lie in.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    folder: TempDir,
}

/// A certificate and its key, as PEM, and where both stand.
pub(crate) struct Issued {
    chain: String,
    key: String,
    pub(crate) chain_file: PathBuf,
    pub(crate) key_file: PathBuf,
}

pub(crate) fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "an authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    let authority = Authority { issuer: Issuer::new(params, key), pem, folder: tempfile::tempdir().unwrap() };
    fs::write(authority.file(), &authority.pem).unwrap();
    authority
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

impl Authority {
    /// Where its own certificate stands.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(crate) fn issue(&self, names: &[&str]) -> Issued {
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, names[0]);
        let key = KeyPair::generate().unwrap();
        let (chain, key_pem) = (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem());
        let file = |ending| self.folder.path().join(format!("{}.{ending}", names[0].replace('*', "_")));
        let issued = Issued { chain_file: file("pem"), key_file: file("key"), chain, key: key_pem };
        fs::write(&issued.chain_file, &issued.chain).unwrap();
        fs::write(&issued.key_file, &issued.key).unwrap();
        issued
    }

    /// What a server that shows this certificate speaks.
    pub(crate) fn server(shown: &Issued, protocol: &[u8]) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_no_client_auth().with_single_cert(shown.chain(), shown.key()).unwrap();
        config.alpn_protocols = vec![protocol.to_vec()];
        Arc::new(config)
    }

    /// What a client that believes this authority speaks.
    pub(crate) fn client(&self, protocol: &[u8], shown: Option<&Issued>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let mut config = match shown {
            Some(shown) => builder.with_client_auth_cert(shown.chain(), shown.key()).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        Arc::new(config)
    }
}

impl Issued {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_slice(self.chain.as_bytes()).unwrap()]
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }
}
