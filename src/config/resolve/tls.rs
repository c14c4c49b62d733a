//! TLS on both sides: what holds for which host, and whose certificates are believed.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use super::twice::duplicate;
use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics, Place},
    document::{self, Document, Scalar, Value},
    resolved::{ClientCertificates, Demands, HostPattern, OriginTls, Pair, Tls, TlsVersion, Trust, UnknownHost},
};

pub(super) fn tls(document: &Document, has_https: bool, problems: &mut Diagnostics) -> Tls {
    let written = &document.tls.value;
    let demands = Demands {
        min_version: version(written.min_version.value),
        client_certificates: written
            .client_certificates
            .as_ref()
            .map_or(ClientCertificates::Off, |asked| client_certificates(asked, asked.place, None, problems)),
    };
    has_certificates(document, has_https, problems);
    Tls {
        certificates: written.certificates.items.iter().filter_map(|item| pair(item)).collect(),
        directory: written.directory.as_ref().map(|directory| directory.value.clone()),
        max_loaded: written.max_loaded.value as usize,
        unknown_host: match written.unknown_host.value {
            document::UnknownHost::Refuse => UnknownHost::Refuse,
            document::UnknownHost::First => UnknownHost::First,
        },
        ticket_keys: written.ticket_keys.as_ref().map(|file| file.value.clone()),
        handshake_timeout: written.handshake_timeout.value,
        watch_interval: written.watch_interval.value,
        hosts: hosts(document, &demands, problems),
        demands,
    }
}

fn has_certificates(document: &Document, has_https: bool, problems: &mut Diagnostics) {
    let written = &document.tls.value;
    let certificates = &written.certificates;
    if !certificates.items.is_empty() || certificates.is_broken || certificates.is_stand_in {
        return;
    }
    if written.unknown_host.value == document::UnknownHost::First {
        let message = "`unknown_host` is `first`, and there is no first certificate";
        let hint = "add one to `tls.certificates`, or set `unknown_host` to `refuse`".to_owned();
        let error = Diagnostic::error(Code::NoCertificate, message);
        problems.push(error.at(written.unknown_host.place, "`certificates` is empty").hint(hint));
    } else if written.directory.as_ref().is_none() && !written.directory.is_unreadable() {
        let listen = &document.listen;
        for (key, is_set, place) in [
            ("https", has_https, listen.https.place),
            ("dns_tls", !listen.dns_tls.items.is_empty(), listen.dns_tls.place),
            ("dns_https", !listen.dns_https.items.is_empty(), listen.dns_https.place),
        ] {
            if is_set {
                let message = format!("`listen.{key}` is set, and there is no certificate");
                let hint =
                    "add `certificates = [{ chain = \"shop.pem\", key = \"shop.key\" }]` or a `directory` to `[tls]`";
                let error = Diagnostic::error(Code::NoCertificate, message);
                problems.push(error.at(place, "no client could finish a handshake here").hint(hint.to_owned()));
            }
        }
    }
}

/// In the order of their names, as written. What one leaves out is as for all hosts.
fn hosts(document: &Document, all: &Demands, problems: &mut Diagnostics) -> Vec<(HostPattern, Demands)> {
    let mut seen: HashMap<HostPattern, Option<Place>> = HashMap::new();
    let mut hosts = Vec::with_capacity(document.tls.hosts.len());
    for host in document.tls.hosts.iter() {
        let Some(pattern) = pattern(&host.name, host.place, problems) else { continue };
        if let Some(first) = seen.insert(pattern.clone(), host.place) {
            let message = format!("`{pattern}` is twice in `tls.hosts`");
            problems.push(duplicate(Code::DuplicateName, message, host.place, first));
        }
        let client_certificates = match host.value.client_certificates.as_ref() {
            Some(asked) => client_certificates(asked, asked.place, Some(&all.client_certificates), problems),
            None => all.client_certificates.clone(),
        };
        let min_version = host.value.min_version.as_ref().map_or(all.min_version, |written| version(written.value));
        hosts.push((pattern, Demands { min_version, client_certificates }));
    }
    hosts
}

fn pattern(name: &str, place: Option<Place>, problems: &mut Diagnostics) -> Option<HostPattern> {
    match HostPattern::read(&Value::Text(name.to_owned())) {
        Ok(HostPattern::Any) | Err(_) => {
            let message = format!("`{}` cannot be a host of `tls`", name.escape_debug());
            let error = Diagnostic::error(Code::BadName, message).at(place, "expected a host, or `*.` and a host");
            problems.push(error.hint("what holds for all hosts stands in `[tls]` itself".to_owned()));
            None
        }
        Ok(pattern) => Some(pattern),
    }
}

/// What is asked; `all` is what every host asks, where this is about one of them.
fn client_certificates(
    written: &document::ClientCertificates,
    place: Option<Place>,
    all: Option<&ClientCertificates>,
    problems: &mut Diagnostics,
) -> ClientCertificates {
    let Some(mode) = &written.mode else { return ClientCertificates::Off };
    if mode.value == document::ClientMode::Off {
        return ClientCertificates::Off;
    }
    let own = written.ca.as_ref().map(|file| file.value.clone());
    let ca = own.or_else(|| match all {
        Some(ClientCertificates::Optional(ca) | ClientCertificates::Required(ca)) => Some(ca.clone()),
        _ => None,
    });
    if ca.is_none() && !written.ca.is_unreadable() {
        let error = Diagnostic::error(Code::MissingKey, "`client_certificates` needs `ca`");
        let error = error.at(place, "whose certificates are good?");
        problems.push(error.hint("add `ca = \"clients.pem\"`, or set `mode` to `off`".to_owned()));
    }
    match (ca, mode.value) {
        (Some(ca), document::ClientMode::Required) => ClientCertificates::Required(ca),
        (Some(ca), _) => ClientCertificates::Optional(ca),
        (None, _) => ClientCertificates::Off,
    }
}

/// Nothing once a missing key is reported.
fn pair(written: &document::Pair) -> Option<Pair> {
    let (chain, key) = (written.chain.as_ref()?, written.key.as_ref()?);
    Some(Pair { chain: chain.value.clone(), key: key.value.clone() })
}

fn version(written: document::TlsVersion) -> TlsVersion {
    match written {
        document::TlsVersion::V12 => TlsVersion::V12,
        document::TlsVersion::V13 => TlsVersion::V13,
    }
}

/// How a pool's origins are spoken to.
pub(super) fn origins(written: &document::OriginTls, place: Option<Place>, problems: &mut Diagnostics) -> OriginTls {
    OriginTls {
        trust: trust(written, place, problems),
        server_name: written.server_name.as_ref().map(|host| Arc::from(host.0.as_str())),
        client: written.client.as_ref().and_then(|client| pair(client)),
    }
}

fn trust(written: &document::OriginTls, place: Option<Place>, problems: &mut Diagnostics) -> Trust {
    let verify = written.verify.as_ref();
    match (verify.map(|verify| verify.value), written.ca.as_ref()) {
        (None | Some(document::Verify::Ca), Some(ca)) => Trust::Ca(ca.value.clone()),
        (Some(document::Verify::Ca), None) => {
            if !written.ca.is_unreadable() {
                let error = Diagnostic::error(Code::MissingKey, "`verify` is `ca`, and `ca` is not there");
                let error = error.at(place, "`ca` is missing here");
                problems.push(error.hint("add `ca = \"own-ca.pem\"`".to_owned()));
            }
            Trust::Ca(PathBuf::new())
        }
        (Some(document::Verify::Platform | document::Verify::WebPki), Some(ca)) => {
            let error =
                Diagnostic::error(Code::Contradiction, "`ca` is given, and `verify` says that others are believed");
            let error = error.at(ca.place, "never read").at(verify.and_then(|verify| verify.place), "who is believed");
            problems.push(error.hint("set `verify` to `ca`, or remove `ca`".to_owned()));
            Trust::Platform
        }
        (None | Some(document::Verify::Platform), None) => Trust::Platform,
        (Some(document::Verify::WebPki), None) => Trust::WebPki,
    }
}
