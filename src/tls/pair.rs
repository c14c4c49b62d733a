//! A certificate with its key: read, and seen to belong together.

use std::{path::Path, sync::Arc, time::Duration};

use rustls::{
    Error, InconsistentKeys, SignatureAlgorithm,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use x509_parser::{extensions::GeneralName, prelude::X509Certificate};

use super::{names, problem};
use crate::config::Diagnostic;

/// One certificate, ready to be shown.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    /// The keys of the hosts it is for; there may be none.
    pub(super) names: Vec<Box<str>>,
    /// When it ends, as time since 1970.
    pub(super) expires: Duration,
}

impl Pair {
    /// A pair that hosts are served with.
    pub(super) fn of_hosts(chain: &Path, key: &Path) -> Result<Self, Diagnostic> {
        let pair = Self::read(chain, key)?;
        if pair.names.is_empty() {
            return Err(problem::unusable(chain, "it is for no host: none is among its subject alternative names"));
        }
        Ok(pair)
    }

    pub(super) fn read(chain: &Path, key: &Path) -> Result<Self, Diagnostic> {
        let bytes = problem::contents(chain)?;
        let certificates = certificates(chain, &bytes)?;
        let (names, expires) = leaf(&certificates[0]).map_err(|why| problem::unusable(chain, why))?;
        // Both in one file are read at once, so that they are of the same moment.
        let bytes = if key == chain { bytes } else { problem::contents(key)? };
        let key_der = PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|error| problem::unusable(key, format_args!("it holds no private key as PEM ({error})")))?;
        let certified =
            CertifiedKey::from_der(certificates, key_der, &super::provider()).map_err(|error| match error {
                Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    let whose = chain.display();
                    problem::unusable(key, format_args!("the key is not that of the certificate in `{whose}`")).hint(
                        "is the node's own certificate the first in the file, and was the key replaced, too?"
                            .to_owned(),
                    )
                }
                error => problem::unusable(key, error),
            })?;
        Ok(Self { certified: Arc::new(certified), names, expires })
    }

    pub(super) fn is_rsa(&self) -> bool {
        self.certified.key.algorithm() == SignatureAlgorithm::RSA
    }

    /// Whether a host or wildcard, by its key, is one that it is for.
    pub(super) fn is_for(&self, key: &str) -> bool {
        names::keys(key).any(|key| self.names.iter().any(|name| **name == *key))
    }
}

/// All certificates among the contents of a file; at least one.
pub(super) fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, Diagnostic> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let certificates = read.map_err(|error| problem::unusable(path, error))?;
    if certificates.is_empty() {
        return Err(problem::unusable(path, "it holds no certificate as PEM"));
    }
    Ok(certificates)
}

/// When the first certificate of a chain ends, in time since 1970; nothing where it cannot be read.
pub fn end_of(chain: &[CertificateDer<'_>]) -> Option<Duration> {
    leaf(chain.first()?).ok().map(|(_, ends)| ends)
}

/// The hosts that a certificate is for, and when it ends.
fn leaf(der: &CertificateDer<'_>) -> Result<(Vec<Box<str>>, Duration), String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(|error| error.to_string())?;
    let names = alternative_names(&certificate).filter_map(|name| match name {
        GeneralName::DNSName(name) => names::key(name),
        _ => None,
    });
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or_default();
    Ok((names.collect(), Duration::from_secs(seconds)))
}

pub(super) fn alternative_names<'a>(certificate: &'a X509Certificate<'a>) -> impl Iterator<Item = &'a GeneralName<'a>> {
    let names = certificate.subject_alternative_name().ok().flatten();
    names.into_iter().flat_map(|extension| &extension.value.general_names)
}
