//! The servers, started side by side, and ended with the bench.

use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    check::until_right,
    client::Target,
    database, echo,
    places::{self, Places},
    process::{Process, free_port},
    settings::World,
};

/// In the order they take their turns.
pub(crate) const SERVERS: [&str; 5] = ["gdnsd", "Knot", "PowerDNS", "echo", "meridian"];

/// What has to be installed.
pub(crate) const PROGRAMS: [&str; 4] = ["gdnsd", "knotd", "pdns_server", "taskset"];

/// One server, running.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) target: Target,
    process: Process,
}

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }
}

/// What all servers share, and where their files are.
pub(crate) struct Farm {
    folder: TempDir,
    doors: u16,
}

impl Farm {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(), doors: places::open_doors() }
    }

    /// Those servers, with so many static names and ranges of addresses.
    pub(crate) fn start(&self, servers: &[&'static str], names: u32, ranges: u32) -> Vec<Server> {
        let (places, database) = (Places::of(ranges), self.folder.path().join(format!("{ranges}.mmdb")));
        fs::write(&database, database::encode(&places)).unwrap();
        servers.iter().map(|name| self.start_one(name, names, &places, &database)).collect()
    }

    /// Starts a server, and waits until it answers rightly.
    fn start_one(&self, name: &'static str, names: u32, places: &Places, database: &Path) -> Server {
        let folder = tempfile::Builder::new().prefix(name).tempdir_in(self.folder.path()).unwrap().keep();
        let port = free_port();
        let world = World { at: &folder, port, names, database, doors: self.doors };
        let process = match name {
            "gdnsd" => gdnsd(world),
            "Knot" => knot(world),
            "PowerDNS" => powerdns(world),
            "meridian" => meridian(world),
            _ => {
                let own = env::current_exe().unwrap();
                Process::start(0, own.to_str().unwrap(), &[echo::SERVER, &port.to_string()])
            }
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let target = Target { address, names, is_checked: name != "echo" };
        match name {
            "echo" => {}
            _ => until_right(name, target, places),
        }
        Server { name, target, process }
    }
}

/// Writes a file, and says where it is.
fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

fn gdnsd(world: World<'_>) -> Process {
    write(world.at, "config", &world.gdnsd());
    write(world.at, "zones/shop.example", &world.zone_file("DYNA geoip!steered"));
    Process::start(0, "/usr/sbin/gdnsd", &["-c", world.at.to_str().unwrap(), "start"])
}

fn knot(world: World<'_>) -> Process {
    write(world.at, "zone", &world.zone_file("A 127.0.0.1"));
    write(world.at, "places", &World::knot_places());
    let path = write(world.at, "knot.conf", &world.knot());
    Process::start(0, "/usr/sbin/knotd", &["-c", path.to_str().unwrap()])
}

fn powerdns(world: World<'_>) -> Process {
    write(world.at, "zones.yaml", &world.powerdns_zone());
    write(world.at, "pdns.conf", &world.powerdns());
    Process::start(0, "/usr/sbin/pdns_server", &[&format!("--config-dir={}", world.at.display())])
}

fn meridian(world: World<'_>) -> Process {
    let zone = write(world.at, "zone", &world.zone_file(""));
    let path = write(world.at, "meridian.toml", &world.meridian(&zone, [free_port(), free_port()]));
    let state = world.at.join("state");
    let arguments = ["serve", "--config", path.to_str().unwrap(), "--state-directory", state.to_str().unwrap()];
    Process::start(0, env!("CARGO_BIN_EXE_meridian"), &arguments)
}
