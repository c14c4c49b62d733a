//! TLS on both sides. What changed inside a file is not seen here.

use std::path::PathBuf;

use super::{change::Changes, fields};
use crate::config::{ClientCertificates, Demands, HostPattern, OriginTls, Tls, TlsVersion, Trust, UnknownHost};

pub(super) fn compare(old: &Tls, new: &Tls, changes: &mut Changes) {
    let pairs = |tls: &Tls| {
        let pairs = tls.certificates.iter().map(|pair| format!("{} with {}", pair.chain.display(), pair.key.display()));
        fields::list(&pairs.collect::<Vec<_>>())
    };
    changes.field("tls", "certificates", &pairs(old), &pairs(new));
    changes.field("tls", "directory", &file(old.directory.as_ref()), &file(new.directory.as_ref()));
    fields::number(changes, "tls", "max_loaded", &old.max_loaded, &new.max_loaded);
    let unknown = |tls: &Tls| match tls.unknown_host {
        UnknownHost::Refuse => "refuse",
        UnknownHost::First => "first",
    };
    changes.field("tls", "unknown_host", unknown(old), unknown(new));
    changes.field("tls", "ticket_keys", &file(old.ticket_keys.as_ref()), &file(new.ticket_keys.as_ref()));
    fields::duration(changes, "tls", "handshake_timeout", old.handshake_timeout, new.handshake_timeout);
    fields::duration(changes, "tls", "watch_interval", old.watch_interval, new.watch_interval);
    compare_demands("tls", &old.demands, &new.demands, changes);

    let describe = |host: &String| format!("tls of `{host}`");
    let key = |(host, _): &(HostPattern, Demands)| host.to_string();
    for (host, (_, before), (_, after)) in changes.members(&old.hosts, &new.hosts, key, describe) {
        compare_demands(&describe(&host), before, after, changes);
    }
}

fn compare_demands(subject: &str, old: &Demands, new: &Demands, changes: &mut Changes) {
    let version = |demands: &Demands| match demands.min_version {
        TlsVersion::V12 => "1.2",
        TlsVersion::V13 => "1.3",
    };
    changes.field(subject, "min_version", version(old), version(new));
    let asked = |demands: &Demands| match &demands.client_certificates {
        ClientCertificates::Off => "off".to_owned(),
        ClientCertificates::Optional(ca) => format!("optional by `{}`", ca.display()),
        ClientCertificates::Required(ca) => format!("required by `{}`", ca.display()),
    };
    changes.field(subject, "client_certificates", &asked(old), &asked(new));
}

fn file(path: Option<&PathBuf>) -> String {
    path.map_or_else(|| "none".to_owned(), |path| format!("`{}`", path.display()))
}

/// How origins are spoken to, in words.
pub(super) fn of_origins(tls: Option<&OriginTls>) -> String {
    let Some(OriginTls { trust, server_name, client }) = tls else { return "off".to_owned() };
    let trust = match trust {
        Trust::Platform => "platform".to_owned(),
        Trust::WebPki => "webpki".to_owned(),
        Trust::Ca(ca) => format!("ca `{}`", ca.display()),
    };
    let name = server_name.as_ref().map_or("their addresses", |name| name);
    let client = client
        .as_ref()
        .map_or_else(String::new, |pair| format!(", shown `{}` with `{}`", pair.chain.display(), pair.key.display()));
    format!("{trust} for {name}{client}")
}
