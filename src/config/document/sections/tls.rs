//! Certificates, and what both sides of a TLS connection ask of the other.

use std::{path::PathBuf, time::Duration};

use crate::config::document::{
    List, Named,
    scalar::{HostText, choice},
    section::section,
};

choice! {
    /// What a client gets that names no host, or one that there is no certificate for.
    pub(crate) enum UnknownHost {
        Refuse = "refuse",
        First = "first",
    }
}

choice! {
    /// The oldest version of TLS that is spoken.
    pub(crate) enum TlsVersion {
        V12 = "1.2",
        V13 = "1.3",
    }
}

choice! {
    /// Whether clients are asked for a certificate.
    pub(crate) enum ClientMode {
        Required = "required",
        Optional = "optional",
        Off = "off",
    }
}

choice! {
    /// Which authorities an origin's certificate may come from.
    pub(crate) enum Verify {
        Platform = "platform",
        WebPki = "webpki",
        Ca = "ca",
    }
}

section! {
    /// How TLS is spoken with clients.
    pub(crate) struct Tls ("`tls`") {
        /// Certificates with their keys, read when the config is applied. The hosts that one is for stand in it, as its subject
        /// alternative names. Several may be for one host: the first whose key the client can verify is sent, ECDSA before RSA.
        certificates: List<Pair> = [],
        /// A directory of many certificates, each read when a client first names its host. `shop.example.pem` holds the chain and the
        /// key for `shop.example`, `_.shop.example.pem` those for `*.shop.example`; a second pair with an RSA key may stand beside it as
        /// `shop.example.rsa.pem`. Other names and hidden files are left alone. At most 1,000,000 files; at most 1,024 handshakes wait for
        /// one to be read, and more are refused.
        directory: PathBuf = optional "none",
        /// Hosts of `directory` whose certificates are kept in memory; beyond them those go that were not asked for lately.
        max_loaded: u32 = 10000 in 1 ..= 1000000,
        /// What a client gets that names no host, or one that there is no certificate for: `refuse` ends the handshake with the alert
        /// `unrecognized_name`, `first` sends the first of `certificates`.
        unknown_host: UnknownHost = "refuse",
        /// The oldest version of TLS that is spoken.
        min_version: TlsVersion = "1.2",
        /// The file of the keys that session tickets are encrypted with, the same on all nodes that clients may come back to. Each line is
        /// one key of 32 bytes or more in hex or base64; empty lines and those with `#` in front do not count. The first key encrypts, all
        /// decrypt, at most 16 of them: put a new key last, then first, then take the oldest out, with all nodes renewed between.
        ticket_keys: PathBuf = optional "keys made at the start, replaced every 6 hours, and known to this node alone",
        /// Time for a client to finish its handshake.
        handshake_timeout: Duration = "10s" in "100ms" ..= "5m",
        /// How often files are looked at: certificates, authorities and ticket keys that changed are taken over without a reload, and
        /// what is wrong with them leaves the old ones in force.
        watch_interval: Duration = "5s" in "100ms" ..= "1h",
        /// What is asked of clients, for all hosts without an entry of their own in `hosts`.
        client_certificates: ClientCertificates = optional "clients are asked for none",
        /// What differs for single hosts, by host: `admin.shop.example`, or `*.shop.example` for all below. The most specific one holds, and
        /// what it leaves out is as for all hosts.
        hosts: Named<TlsHost> = {},
    }

    /// A certificate and its key. Paths are relative to the directory the node is started in.
    pub(crate) struct Pair ("a certificate") {
        /// The file of the certificate and those between it and its authority, in this order, as PEM.
        chain: PathBuf = required,
        /// The file of the private key, as PEM.
        key: PathBuf = required,
    }

    /// Which certificates clients must show.
    pub(crate) struct ClientCertificates ("`client_certificates`") {
        /// `required` refuses clients without a valid one, `optional` takes those with none, `off` does not ask.
        mode: ClientMode = required,
        /// The file of the authorities that they may come from, as PEM.
        ca: PathBuf = optional "that of all hosts, in `hosts`; needed everywhere else but with `off`",
    }

    /// What differs for one host.
    pub(crate) struct TlsHost ("a host of `tls`", called HOST) {
        /// The oldest version of TLS that is spoken.
        min_version: TlsVersion = optional "as for all hosts",
        /// What is asked of clients.
        client_certificates: ClientCertificates = optional "as for all hosts",
    }

    /// How TLS is spoken with a pool's origins. Their certificates are always verified.
    pub(crate) struct OriginTls ("`tls` of a pool") {
        /// Which authorities their certificates may come from: those of the system (`platform`), those that browsers trust (`webpki`,
        /// built in), or those in the file `ca`.
        verify: Verify = optional "`ca` where `ca` is given, otherwise `platform`",
        /// The file of the authorities, as PEM.
        ca: PathBuf = optional "none; needed with `verify = \"ca\"`",
        /// The host that their certificates must be for, and that they are asked for.
        server_name: HostText = optional "the origin's address, which then has to be in its certificate",
        /// The certificate that is shown to them.
        client: Pair = optional "none",
    }
}
