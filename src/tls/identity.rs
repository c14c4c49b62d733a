//! Who a client is by its certificate, in words that fit a header.

use std::{fmt::Write, net::IpAddr};

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;

use super::pair::alternative_names;

/// A client's certificate, as far as origins want to know it. All of it is visible ASCII and spaces: whatever else a certificate
/// has in its names is there as `%XX`, and so is `%`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// Such as `O=Shop, CN=worker-7`; may be empty.
    pub subject: String,
    /// Such as `DNS:worker-7.shop.example`, `URI:spiffe://shop.example/worker`, `EMAIL:...`, `IP:192.0.2.1`.
    pub alternative_names: Vec<String>,
    /// The SHA-256 of the certificate, in lower case hex.
    pub fingerprint: String,
}

/// Who a client is that showed these certificates, its own first. They were verified in the handshake.
pub fn client_identity(shown: &[CertificateDer<'_>]) -> Option<ClientIdentity> {
    let own = shown.first()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(own).ok()?;
    let alternative_names = alternative_names(&certificate).filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(format!("DNS:{}", visible(name))),
        GeneralName::URI(uri) => Some(format!("URI:{}", visible(uri))),
        GeneralName::RFC822Name(mailbox) => Some(format!("EMAIL:{}", visible(mailbox))),
        GeneralName::IPAddress(bytes) => Some(format!("IP:{}", ip(bytes)?)),
        _ => None,
    });
    Some(ClientIdentity {
        subject: visible(&certificate.subject().to_string()),
        alternative_names: alternative_names.collect(),
        fingerprint: HEXLOWER.encode(digest::digest(&digest::SHA256, own).as_ref()),
    })
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => visible.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => _ = write!(visible, "%{byte:02X}"),
        }
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_a_header() {
        assert_eq!(visible("CN=a\r\nx: y%0d"), "CN=a%0D%0Ax: y%250d");
        assert_eq!(visible("O=Bücher"), "O=B%C3%BCcher");
        assert_eq!(client_identity(&[]), None);
        assert_eq!(client_identity(&[CertificateDer::from(vec![0x30, 1])]), None);
    }
}
