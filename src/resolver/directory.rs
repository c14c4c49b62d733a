//! The cells of all names of a config, and the way to an origin through them.

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use arc_swap::ArcSwapOption;
use tokio::{net::TcpStream, sync::Notify};

use super::race::{ATTEMPT_DELAY, race};
use crate::{config::Config, fleet::Address};

/// Every name that a config's origins have, each with its cell. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Directory(Arc<HashMap<Arc<str>, Arc<Cell>>>);

/// What one name leads to now, in the order of trying.
#[derive(Default)]
pub(super) struct Cell {
    /// Nothing until the first lookup is over, and an empty list where it led nowhere.
    addresses: ArcSwapOption<Vec<IpAddr>>,
    is_told: Notify,
}

/// An origin as it is connected to.
#[derive(Clone, Debug)]
pub struct Reach {
    address: Address,
    /// Of its name, where it has one and the directory knows it.
    cell: Option<Arc<Cell>>,
}

impl Directory {
    /// For this config. Names that `before` has, too, keep their cell.
    pub fn of(config: &Config, before: &Self) -> Self {
        let hosts = config.pools.iter().flat_map(|pool| &pool.origins).filter_map(|origin| origin.address.host());
        let cells = hosts.map(|host| (Arc::clone(host), before.0.get(host).map_or_else(Arc::default, Arc::clone)));
        Self(Arc::new(cells.collect()))
    }

    /// The way to an origin that listens there.
    pub fn reach(&self, address: &Address) -> Reach {
        let cell = address.host().and_then(|host| self.0.get(host)).map(Arc::clone);
        Reach { address: address.clone(), cell }
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<Cell>)> {
        self.0.iter()
    }
}

impl Cell {
    pub(super) fn set(&self, addresses: Vec<IpAddr>) {
        self.addresses.store(Some(Arc::new(addresses)));
        self.is_told.notify_waiters();
    }

    /// What it says, once anything was said.
    async fn said(&self) -> Arc<Vec<IpAddr>> {
        loop {
            // Made before the look, so that a word between the two is heard.
            let told = self.is_told.notified();
            if let Some(addresses) = self.addresses.load_full() {
                return addresses;
            }
            told.await;
        }
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cell").field(&self.addresses.load()).finish()
    }
}

impl Reach {
    /// The origin's address as it is written.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Connects, and says where to. A name that was never looked up is waited for; who calls sets the limit.
    ///
    /// # Errors
    /// When the name leads nowhere, or nobody accepts where it leads.
    pub async fn connect(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match self.address {
            Address::Fixed(address) => Ok((TcpStream::connect(address).await?, address)),
            // Apart, so that futures that connect to a fixed address have no room for a race.
            Address::Named { port, .. } => Box::pin(self.connect_by_name(port)).await,
        }
    }

    async fn connect_by_name(&self, port: u16) -> io::Result<(TcpStream, SocketAddr)> {
        let addresses = match &self.cell {
            Some(cell) => cell.said().await,
            None => Arc::default(),
        };
        let targets: Vec<_> = addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        let connect = |target| async move { Ok((TcpStream::connect(target).await?, target)) };
        let nowhere = || Err(io::Error::new(io::ErrorKind::NotFound, "its name does not resolve"));
        race(targets, ATTEMPT_DELAY, connect).await.unwrap_or_else(nowhere)
    }

    /// Whether a connection to `peer` is still one to this origin.
    pub fn leads_to(&self, peer: SocketAddr) -> bool {
        match (&self.address, &self.cell) {
            (Address::Fixed(address), _) => *address == peer,
            (Address::Named { port, .. }, Some(cell)) => {
                let addresses = cell.addresses.load();
                *port == peer.port() && addresses.as_ref().is_some_and(|known| known.contains(&peer.ip()))
            }
            (Address::Named { .. }, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;
    use crate::config::{self, Identity};

    fn directory(origins: &[&str], before: &Directory) -> Directory {
        let origins: Vec<_> = origins.iter().map(|origin| format!("{{ address = \"{origin}\" }}")).collect();
        let text = format!(
            "[regions.here]\naddresses = [\"192.0.2.1\"]\n[pools.shop]\norigins = [{}]\n[[routes]]\npool = \"shop\"\n",
            origins.join(", ")
        );
        Directory::of(&config::from_text("test.toml", &text, &Identity::default()).config.unwrap(), before)
    }

    fn reach(directory: &Directory, address: &str) -> Reach {
        directory.reach(&address.parse().unwrap())
    }

    #[test]
    fn a_name_that_stays_keeps_its_cell_whatever_its_port() {
        let first = directory(&["app.example:80", "10.0.0.1:80"], &Directory::default());
        assert_eq!(first.cells().count(), 1);
        first.0["app.example"].set(vec!["192.0.2.7".parse().unwrap()]);
        let second = directory(&["app.example:81", "new.example:80"], &first);
        assert!(reach(&second, "app.example:81").leads_to("192.0.2.7:81".parse().unwrap()));
        assert!(!reach(&second, "app.example:81").leads_to("192.0.2.7:80".parse().unwrap()));
        assert!(!reach(&second, "new.example:80").leads_to("192.0.2.7:80".parse().unwrap()));
    }

    #[tokio::test]
    async fn who_connects_to_a_name_waits_for_its_first_lookup_and_only_for_that() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let directory = directory(&[&format!("app.example:{}", here.port())], &Directory::default());
        let way = reach(&directory, &format!("app.example:{}", here.port()));
        let waiting = tokio::time::timeout(Duration::from_millis(20), way.connect()).await;
        assert!(waiting.is_err(), "nothing was said of it yet");

        let cell = &directory.0["app.example"];
        let (connected, ()) = tokio::join!(way.connect(), async { cell.set(vec![here.ip()]) });
        assert_eq!(connected.unwrap().1, here);
        cell.set(Vec::new());
        assert_eq!(way.connect().await.unwrap_err().kind(), io::ErrorKind::NotFound);
        let unknown = reach(&Directory::default(), "app.example:80").connect().await;
        assert_eq!(unknown.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
