//! Who is believed to issue certificates.

use std::{path::Path, sync::Arc};

use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
};
use rustls_platform_verifier::Verifier;

use super::{pair, problem};
use crate::config::{Code, Diagnostic};

/// What the pools of one config share: the system's authorities are read once for all of them.
#[derive(Debug, Default)]
pub(super) struct Authorities {
    platform: Option<Arc<dyn ServerCertVerifier>>,
    web_pki: Option<Arc<dyn ServerCertVerifier>>,
}

impl Authorities {
    pub(super) fn platform(&mut self) -> Result<Arc<dyn ServerCertVerifier>, Diagnostic> {
        if let Some(verifier) = &self.platform {
            return Ok(Arc::clone(verifier));
        }
        let verifier: Arc<dyn ServerCertVerifier> = Arc::new(Verifier::new(super::provider()).map_err(|error| {
            Diagnostic::error(Code::BadCertificate, format!("the system's authorities cannot be used: {error}")).hint(
                "install them (`ca-certificates`), or set `verify` of the pool's `tls` to `webpki` or `ca`".to_owned(),
            )
        })?);
        self.platform = Some(Arc::clone(&verifier));
        Ok(verifier)
    }

    pub(super) fn web_pki(&mut self) -> Result<Arc<dyn ServerCertVerifier>, Diagnostic> {
        if let Some(verifier) = &self.web_pki {
            return Ok(Arc::clone(verifier));
        }
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let verifier = verifier(Arc::new(roots)).map_err(|why| Diagnostic::error(Code::BadCertificate, why))?;
        self.web_pki = Some(Arc::clone(&verifier));
        Ok(verifier)
    }
}

/// Believes these and nobody else.
pub(super) fn verifier(roots: Arc<RootCertStore>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let built = WebPkiServerVerifier::builder_with_provider(roots, super::provider()).build();
    built.map(|verifier| verifier as Arc<dyn ServerCertVerifier>).map_err(|error| error.to_string())
}

/// The authorities in a file; at least one.
pub(super) fn read(path: &Path) -> Result<RootCertStore, Diagnostic> {
    let mut roots = RootCertStore::empty();
    for certificate in pair::certificates(path, &problem::contents(path)?)? {
        roots.add(certificate).map_err(|error| problem::unusable(path, error))?;
    }
    Ok(roots)
}
