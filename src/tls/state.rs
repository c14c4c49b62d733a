//! What was read of a config's files, and what handshakes make of it.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use rustls::{
    RootCertStore, ServerConfig,
    server::{NoServerSessionStorage, ProducesTickets, WebPkiClientVerifier},
    version::{TLS12, TLS13},
};

use super::{
    authorities,
    demands::DemandTable,
    expiry::ExpiryGauges,
    host_keys::HostKeys,
    pair::Pair,
    tickets::{self, TicketKey},
    watched::Watched,
};
use crate::config::{ClientCertificates, Code, Demands, Diagnostic, Tls, TlsVersion};

/// The files that are read when a config is applied.
pub(super) struct Files {
    /// In the order of the config, with what metrics call them.
    pairs: Vec<(Arc<str>, Watched<Pair>)>,
    authorities: BTreeMap<PathBuf, Watched<RootCertStore>>,
    pub(super) tickets: Option<Watched<Vec<TicketKey>>>,
}

/// What [`Files::renew`] found.
#[derive(Debug)]
pub(super) struct Renewed {
    pub(super) has_new_tickets: bool,
    /// Anything else.
    pub(super) has_new: bool,
}

impl Files {
    pub(super) fn open(settings: &Tls) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut files = Self { pairs: Vec::new(), authorities: BTreeMap::new(), tickets: None };
        for pair in &settings.certificates {
            let (chain, key) = (pair.chain.clone(), pair.key.clone());
            let label = chain.display().to_string().into();
            let watched = Watched::open(vec![chain.clone(), key.clone()], move || Pair::of_hosts(&chain, &key));
            files.pairs.extend(watched.map_err(|problem| problems.push(problem)).ok().map(|watched| (label, watched)));
        }
        for demands in std::iter::once(&settings.demands).chain(settings.hosts.iter().map(|(_, demands)| demands)) {
            let Some(path) = ca(demands).filter(|path| !files.authorities.contains_key(*path)) else { continue };
            let from = path.clone();
            match Watched::open(vec![path.clone()], move || authorities::read(&from)) {
                Ok(watched) => drop(files.authorities.insert(path.clone(), watched)),
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(path) = settings.ticket_keys.clone() {
            let watched = Watched::open(vec![path.clone()], move || tickets::read(&path));
            files.tickets = watched.map_err(|problem| problems.push(problem)).ok();
        }
        if problems.is_empty() { Ok(files) } else { Err(problems) }
    }

    /// Looks at all of them.
    pub(super) fn renew(&mut self) -> Renewed {
        let mut has_new = false;
        for (_, pair) in &mut self.pairs {
            has_new |= pair.renew();
        }
        for roots in self.authorities.values_mut() {
            has_new |= roots.renew();
        }
        Renewed { has_new, has_new_tickets: self.tickets.as_mut().is_some_and(Watched::renew) }
    }

    /// A warning for each certificate that is past its end.
    pub(super) fn expired(&self, now: Duration) -> Vec<Diagnostic> {
        let expired = self.pairs.iter().filter(|(_, pair)| pair.value().expires <= now);
        let warnings = expired.map(|(file, _)| {
            let message = format!("the certificate in `{file}` has expired");
            Diagnostic::warning(Code::ExpiredCertificate, message).hint("clients refuse it: renew it".to_owned())
        });
        warnings.collect()
    }

    /// What metrics call the certificates.
    pub(super) fn labels(&self) -> impl Iterator<Item = &Arc<str>> {
        self.pairs.iter().map(|(file, _)| file)
    }

    /// Tells metrics when each certificate ends.
    pub(super) fn tell(&self, gauges: &ExpiryGauges) {
        for (file, pair) in &self.pairs {
            if let Some(gauge) = gauges.get(file) {
                gauge.set(pair.value().expires);
            }
        }
        metrics::gauge!("meridian_tls_certificates_loaded", "source" => "config").set(precise(self.pairs.len()));
    }
}

/// Everything about handshakes that changes together.
#[derive(Debug, Default)]
pub(super) struct State {
    /// By the keys of `names`.
    pub(super) hosts: HashMap<Box<str>, Arc<HostKeys>>,
    /// Of the first certificate in the config.
    pub(super) first: Option<Arc<HostKeys>>,
    /// By the number of what they demand; without certificates.
    bases: HashMap<u32, ServerConfig>,
}

impl State {
    pub(super) fn build(
        files: &Files,
        demands: &DemandTable,
        tickets: &Arc<dyn ProducesTickets>,
        offers_h2: bool,
    ) -> Result<Self, String> {
        let mut by_host: HashMap<&str, Vec<&Pair>> = HashMap::new();
        for pair in files.pairs.iter().map(|(_, pair)| pair.value()) {
            for name in &pair.names {
                by_host.entry(name).or_default().push(pair);
            }
        }
        let hosts: HashMap<Box<str>, _> =
            by_host.into_iter().map(|(name, pairs)| (name.into(), Arc::new(HostKeys::new(pairs)))).collect();
        let first = files.pairs.first().and_then(|(_, pair)| hosts.get(pair.value().names.first()?).cloned());
        let bases = demands
            .in_use()
            .map(|(number, demands)| base(demands, &files.authorities, tickets, offers_h2).map(|base| (number, base)));
        Ok(Self { bases: bases.collect::<Result<_, _>>()?, hosts, first })
    }

    /// A handshake with these certificates and demands. Made for each: that is a handful of allocations before the signature
    /// of a handshake, and new authorities hold at once for every certificate that was read before.
    pub(super) fn config(&self, demands: u32, keys: Arc<HostKeys>) -> Option<Arc<ServerConfig>> {
        let mut config = self.bases.get(&demands)?.clone();
        config.cert_resolver = keys;
        Some(Arc::new(config))
    }
}

fn base(
    demands: &Demands,
    authorities: &BTreeMap<PathBuf, Watched<RootCertStore>>,
    tickets: &Arc<dyn ProducesTickets>,
    offers_h2: bool,
) -> Result<ServerConfig, String> {
    let versions: &[_] = match demands.min_version {
        TlsVersion::V12 => &[&TLS13, &TLS12],
        TlsVersion::V13 => &[&TLS13],
    };
    let builder = ServerConfig::builder_with_provider(super::provider())
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?;
    let roots = ca(demands).and_then(|path| authorities.get(path)).map(|roots| Arc::clone(roots.value()));
    let builder = match (&demands.client_certificates, roots) {
        (ClientCertificates::Off, _) => builder.with_no_client_auth(),
        (_, None) => return Err("an authority of client certificates was not read".to_owned()),
        (asked, Some(roots)) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, super::provider());
            let is_optional = matches!(asked, ClientCertificates::Optional(_));
            let verifier = if is_optional { verifier.allow_unauthenticated() } else { verifier };
            builder.with_client_cert_verifier(verifier.build().map_err(|error| error.to_string())?)
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(HostKeys::new([])));
    config.alpn_protocols =
        [&b"h2"[..], b"http/1.1"].into_iter().skip(usize::from(!offers_h2)).map(<[u8]>::to_vec).collect();
    // Sessions are in tickets or nowhere. Those with client certificates are not resumed, see the module.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if demands.client_certificates == ClientCertificates::Off {
        config.ticketer = Arc::clone(tickets);
    } else {
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

fn ca(demands: &Demands) -> Option<&PathBuf> {
    match &demands.client_certificates {
        ClientCertificates::Off => None,
        ClientCertificates::Optional(ca) | ClientCertificates::Required(ca) => Some(ca),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a count of certificates is far below 2^52")]
pub(super) fn precise(count: usize) -> f64 {
    count as f64
}
