//! What the demo consists of: regions, their addresses, and the config they share.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use super::{certificates, ports};

/// One region of the demo.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) region: &'static str,
    pub(super) node: &'static str,
    location: &'static str,
    /// The third number of its loopback addresses, `127.0.N.x`.
    number: u8,
}

const PLACES: [Place; 3] = [
    Place { region: "eu-central", node: "fra-1", location: "{ latitude = 50.1, longitude = 8.7 }", number: 1 },
    Place { region: "us-east", node: "iad-1", location: "{ latitude = 38.9, longitude = -77.5 }", number: 2 },
    Place { region: "ap-south", node: "sin-1", location: "{ latitude = 1.35, longitude = 103.8 }", number: 3 },
];

/// The origins of each region: a name and the last number of its address.
const ORIGINS: [(&str, u8); 2] = [("a", 11), ("b", 12)];

/// All of it, with ports that were free.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) places: &'static [Place],
    http: u16,
    https: u16,
    dns: u16,
    admin: u16,
    origin: u16,
    panel: u16,
}

impl Place {
    /// The region's front door.
    pub(super) fn front_door(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, 0, self.number, 1)
    }
}

impl Scene {
    /// Looks for free ports.
    pub(super) fn find_places() -> Result<Self, String> {
        let doors: Vec<Ipv4Addr> = PLACES.iter().map(Place::front_door).collect();
        let origins: Vec<Ipv4Addr> = PLACES
            .iter()
            .flat_map(|place| ORIGINS.map(|(_, last)| Ipv4Addr::new(127, 0, place.number, last)))
            .collect();
        Ok(Self {
            places: &PLACES,
            http: ports::free(8080, &doors, false)?,
            https: ports::free(8443, &doors, false)?,
            dns: ports::free(5300, &doors, true)?,
            admin: ports::free(9900, &doors, false)?,
            origin: ports::free(9000, &origins, false)?,
            panel: ports::free(9950, &[Ipv4Addr::LOCALHOST], false)?,
        })
    }

    pub(super) fn http(&self, place: &Place) -> SocketAddr {
        (place.front_door(), self.http).into()
    }

    pub(super) fn https(&self, place: &Place) -> SocketAddr {
        (place.front_door(), self.https).into()
    }

    pub(super) fn dns(&self, place: &Place) -> SocketAddr {
        (place.front_door(), self.dns).into()
    }

    pub(super) fn admin(&self, place: &Place) -> SocketAddr {
        (place.front_door(), self.admin).into()
    }

    /// Where origins are told to fail.
    pub(super) fn panel(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.panel).into()
    }

    /// Every origin: region, name, address.
    pub(super) fn origins(&self) -> impl Iterator<Item = (&'static str, &'static str, SocketAddr)> {
        self.places.iter().flat_map(|place| {
            ORIGINS.map(|(name, last)| {
                let address = Ipv4Addr::new(127, 0, place.number, last);
                (place.region, name, SocketAddr::from((address, self.origin)))
            })
        })
    }

    /// The config that all three nodes share; what differs per node comes as flags. Certificates lie in `directory`.
    pub(super) fn config(&self, directory: &Path) -> String {
        let regions: String = self
            .places
            .iter()
            .map(|place| {
                let Place { region, location, .. } = place;
                let (door, port) = (place.front_door(), self.http);
                format!(
                    "[regions.{region}]\nlocation = {location}\naddresses = [\"{door}\"]\n\
                     check.tcp = {{ port = {port} }}\n\n"
                )
            })
            .collect();
        let origins: String = self
            .origins()
            .map(|(region, _, address)| {
                format!("[[pools.shop.origins]]\naddress = \"{address}\"\nregion = \"{region}\"\n\n")
            })
            .collect();
        format!(
            "[failover]\nhold = \"5s\"\nregion_hold = \"10s\"\nramp = \"20s\"\n\n{regions}[pools.shop]\nslow_start.window = \"10s\"\n\n\
             [pools.shop.check.http]\npath = \"/healthz\"\n\n{origins}\
             [[routes]]\nhost = \"*\"\npool = \"shop\"\n\n\
             [zones.\"shop.example\"]\nnameservers = [\"ns1.shop.example\"]\n\n\
             [zones.\"shop.example\".records.ns1]\nA = [\"{nameserver}\"]\n\n\
             [zones.\"shop.example\".steer.\"@\"]\npools = [\"shop\"]\nttl = \"5s\"\n\n\
             [tls]\ncertificates = [{{ chain = \"{chain}\", key = \"{key}\" }}]\nunknown_host = \"first\"\n\n\
             [http]\nworkers = 1\ndrain_timeout = \"2s\"\n\n[dns]\nthreads = 1\n",
            nameserver = self.places[0].front_door(),
            chain = directory.join(certificates::CHAIN).display(),
            key = directory.join(certificates::KEY).display(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Identity};

    #[test]
    fn the_demos_config_is_a_good_one() {
        let scene = Scene { places: &PLACES, http: 1, https: 6, dns: 2, admin: 3, origin: 4, panel: 5 };
        let identity = Identity { region: Some("us-east".into()), ..Identity::default() };
        let loaded = config::from_text("demo.toml", &scene.config(Path::new("/demo")), &identity);
        assert!(loaded.diagnostics.iter().next().is_none(), "{}", loaded.diagnostics.render_text(false));
        assert_eq!(loaded.config.unwrap().pools[0].origins.len(), 6);
    }
}
