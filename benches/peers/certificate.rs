//! The certificate of all proxies, and what clients take it with.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::{
        CryptoProvider,
        aws_lc_rs::{default_provider, kx_group},
    },
    pki_types::{CertificateDer, pem::PemObject},
};

/// Whom it is for.
pub(crate) const HOST: &str = "shop.example";

/// Where it is: the certificate, its key, and both in one, as HAProxy wants it.
pub(crate) struct Certificate {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) both: PathBuf,
}

impl Certificate {
    /// One that is there already.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { chain: folder.join("chain.pem"), key: folder.join("key.pem"), both: folder.join("both.pem") }
    }

    /// Makes one.
    pub(crate) fn make(folder: &Path) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let signed = CertificateParams::new([HOST.to_owned()]).unwrap().self_signed(&key).unwrap();
        let files = Self::in_folder(folder);
        fs::write(&files.chain, signed.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        fs::write(&files.both, signed.pem() + &key.serialize_pem()).unwrap();
        files
    }

    /// TLS 1.3 with X25519, which all proxies have, and no way back into a session.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.chain).unwrap()).unwrap();
        let provider = CryptoProvider { kx_groups: vec![kx_group::X25519], ..default_provider() };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config
    }
}
