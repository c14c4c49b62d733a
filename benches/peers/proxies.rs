//! The origin and the proxies, started side by side, and ended with the bench.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    certificate::Certificate,
    process::{Process, free_port},
    settings,
};

/// In the order they take their turns; the first is what the others are compared to.
pub(crate) const PROXIES: [&str; 3] = ["HAProxy", "nginx", "meridian"];

/// What has to be installed.
pub(crate) const PROGRAMS: [&str; 5] = ["haproxy", "nginx", "wrk", "h2load", "taskset"];

/// One proxy, running.
pub(crate) struct Proxy {
    pub(crate) clear: SocketAddr,
    pub(crate) tls: SocketAddr,
    process: Process,
}

impl Proxy {
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }
}

/// Everything that runs.
pub(crate) struct Farm {
    pub(crate) proxies: Vec<Proxy>,
    _origin: Process,
    folder: TempDir,
}

impl Farm {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for (name, size) in [("small", 128), ("64k", 64 * 1024), ("1m", 1024 * 1024)] {
            fs::write(at.join(name), vec![b'x'; size]).unwrap();
        }
        let certificate = Certificate::make(at);
        let origin = free_port();
        let process = nginx(at, "origin", 1, &settings::origin(at, origin));
        until_open("the origin", origin);
        let mut proxies = Vec::new();
        for name in PROXIES {
            let ports = settings::Ports { clear: free_port(), tls: free_port(), origin };
            let process = match name {
                "HAProxy" => haproxy(at, &settings::haproxy(&certificate, ports)),
                "nginx" => nginx(at, "proxy", 0, &settings::nginx(at, &certificate, ports)),
                _ => meridian(at, &settings::meridian(&certificate, ports, [free_port(), free_port()])),
            };
            let [clear, tls] = [ports.clear, ports.tls].map(|port| until_open(name, port));
            proxies.push(Proxy { clear, tls, process });
        }
        Self { proxies, _origin: process, folder }
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn until_open(name: &str, port: u16) -> SocketAddr {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for _ in 0..200 {
        if TcpStream::connect(address).is_ok() {
            return address;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{name} did not start");
}

fn nginx(at: &Path, name: &str, core: u32, settings: &str) -> Process {
    let path = at.join(format!("{name}.conf"));
    fs::write(&path, settings).unwrap();
    // One process that is master and worker: its CPU time is all there is.
    Process::start(core, "/usr/sbin/nginx", &["-c", path.to_str().unwrap(), "-e", "/dev/null"])
}

fn haproxy(at: &Path, settings: &str) -> Process {
    let path = at.join("haproxy.cfg");
    fs::write(&path, settings).unwrap();
    Process::start(0, "/usr/sbin/haproxy", &["-db", "-f", path.to_str().unwrap()])
}

fn meridian(at: &Path, settings: &str) -> Process {
    let (path, state) = (at.join("meridian.toml"), at.join("state"));
    fs::write(&path, settings).unwrap();
    let arguments = ["serve", "--config", path.to_str().unwrap(), "--state-directory", state.to_str().unwrap()];
    Process::start(0, env!("CARGO_BIN_EXE_meridian"), &arguments)
}
