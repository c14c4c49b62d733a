//! The certificates of one host, and which of them a client gets.

use std::sync::Arc;

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::pair::Pair;

/// At least one, ECDSA before RSA.
#[derive(Debug)]
pub(super) struct HostKeys(Vec<Arc<CertifiedKey>>);

impl HostKeys {
    /// In the order given, but for RSA last.
    pub(super) fn new<'a>(pairs: impl IntoIterator<Item = &'a Pair>) -> Self {
        let mut pairs: Vec<&Pair> = pairs.into_iter().collect();
        pairs.sort_by_key(|pair| pair.is_rsa());
        Self(pairs.into_iter().map(|pair| Arc::clone(&pair.certified)).collect())
    }
}

impl ResolvesServerCert for HostKeys {
    /// The first whose signatures the client can verify. Where there is none the first all the same: the handshake then fails with
    /// the alert that says so.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let can_verify = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        self.0.iter().find(can_verify).or(self.0.first()).cloned()
    }
}
