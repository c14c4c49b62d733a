//! One node with an origin of every tongue behind it.

use std::{net::SocketAddr, sync::Arc};

use rustls::ClientConfig;

use super::{
    asker::Asker,
    certificates::{Authority, authority},
    line::Tongue,
    node::{Meridian, eventually, meridian},
    server::{Server, server},
};

/// A node, and behind it one origin of every tongue.
pub(crate) struct House {
    pub(crate) node: Meridian,
    pub(crate) authority: Authority,
    servers: [Server; 4],
}

pub(crate) fn house() -> House {
    house_with("")
}

/// With more of a config, in which `{ca}` is the file of who issues certificates.
pub(crate) fn house_with(more: &str) -> House {
    let authority = authority();
    let (shown, own) = (authority.issue(&["*.shop.test"]), authority.issue(&["origin.test"]));
    let servers = Tongue::ALL.map(|tongue| server(tongue, &own));
    let more = more.replace("{ca}", authority.file().to_str().unwrap());
    let mut config = format!(
        "{more}\n[regions.here]\naddresses = [\"127.0.0.1\"]\n[[tls.certificates]]\nchain = \"{}\"\nkey = \"{}\"\n",
        shown.chain_file.display(),
        shown.key_file.display(),
    );
    for (tongue, server) in Tongue::ALL.into_iter().zip(&servers) {
        let pool = tongue.host().trim_end_matches(".shop.test");
        config += &format!(
            "[pools.{pool}]\nprotocol = \"{}\"\n[pools.{pool}.timeouts]\nresponse_head = \"10s\"\n\
             [[pools.{pool}.origins]]\naddress = \"{}\"\n[[routes]]\npool = \"{pool}\"\nhost = \"{}\"\n",
            if tongue.is_h2() { "h2" } else { "h1" },
            server.address,
            tongue.host(),
        );
        if tongue.is_tls() {
            let ca = authority.file();
            config += &format!("[pools.{pool}.tls]\nca = \"{}\"\nserver_name = \"origin.test\"\n", ca.display());
        }
    }
    House { node: meridian(&config), authority, servers }
}

impl House {
    pub(crate) fn tls(&self, client: Tongue) -> Arc<ClientConfig> {
        self.authority.client(client.protocol(), None)
    }

    /// The listener for this tongue, and how it is spoken there.
    pub(crate) fn door(&self, client: Tongue) -> (SocketAddr, Option<Arc<ClientConfig>>) {
        if client.is_tls() { (self.node.https(), Some(self.tls(client))) } else { (self.node.http(), None) }
    }

    pub(crate) async fn open(&self, client: Tongue, origin: Tongue) -> Asker {
        Asker::open(&self.node, client, &self.tls(client), origin.host()).await
    }

    pub(crate) fn server(&self, tongue: Tongue) -> &Server {
        let at = Tongue::ALL.iter().position(|known| *known == tongue).unwrap();
        &self.servers[at]
    }

    pub(crate) fn outcomes(&self, origin: Tongue, outcome: &str) -> i64 {
        let (host, pool) = (origin.host(), origin.host().trim_end_matches(".shop.test"));
        let labels = format!("{{route=\"{host}/\",pool=\"{pool}\",outcome=\"{outcome}\"}}");
        self.node.metric(&format!("meridian_http_requests_total{labels}"))
    }

    /// Every connection that was counted as opened is counted as closed once its side is gone.
    pub(crate) fn nothing_stays_open(&self) {
        eventually("every client's connection is counted as closed", || {
            let count = |what: &str| self.node.metric(&format!("meridian_http_connections_{what}_total"));
            (count("opened") > 0 && count("opened") == count("closed")).then_some(())
        });
    }
}
