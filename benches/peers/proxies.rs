//! The origin and the proxies, started side by side with equal settings, and ended with the bench.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// In the order they take their turns; the first is what the others are compared to.
pub(crate) const PROXIES: [&str; 3] = ["HAProxy", "nginx", "meridian"];

/// Programs that are needed and cannot be found.
pub(crate) fn missing() -> Vec<&'static str> {
    let is_found = |name: &&str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).chain(["/usr/sbin".into()]).any(|folder| folder.join(name).is_file())
    };
    ["haproxy", "nginx", "wrk", "h2load", "taskset"].into_iter().filter(|name| !is_found(name)).collect()
}

/// One proxy, running.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Proxy {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Everything that runs.
pub(crate) struct Farm {
    pub(crate) proxies: Vec<Proxy>,
    _origin: Proxy,
    _folder: TempDir,
}

impl Farm {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for (name, size) in [("small", 128), ("64k", 64 * 1024), ("1m", 1024 * 1024)] {
            fs::write(at.join(name), vec![b'x'; size]).unwrap();
        }
        let origin = nginx(at, "origin", 1, |port| origin_config(at, port));
        let origin_port = origin.address.port();
        let proxies = vec![
            haproxy(at, origin_port),
            nginx(at, "proxy", 0, |port| nginx_config(at, port, origin_port)),
            meridian(at, origin_port),
        ];
        Self { proxies, _origin: origin, _folder: folder }
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn start(core: u32, port: u16, program: &str, arguments: &[&str]) -> Proxy {
    let child = Command::new("taskset")
        .args(["-c", &core.to_string(), program])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let proxy = Proxy { address: (Ipv4Addr::LOCALHOST, port).into(), child };
    for _ in 0..200 {
        if TcpStream::connect(proxy.address).is_ok() {
            return proxy;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{program} did not start");
}

fn nginx(at: &Path, name: &str, core: u32, config: impl FnOnce(u16) -> String) -> Proxy {
    let port = free_port();
    let path = at.join(format!("{name}.conf"));
    fs::write(&path, config(port)).unwrap();
    // One process that is master and worker: its CPU time is all there is.
    start(core, port, "/usr/sbin/nginx", &["-c", path.to_str().unwrap(), "-e", "/dev/null"])
}

fn nginx_common(at: &Path) -> String {
    format!(
        "daemon off; master_process off; worker_processes 1; pid {0}/nginx-{1}.pid; error_log /dev/null;\n\
         events {{ worker_connections 30000; }}\n",
        at.display(),
        free_port()
    )
}

fn nginx_paths(at: &Path) -> String {
    ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", at.display()))
        .collect()
}

fn origin_config(at: &Path, port: u16) -> String {
    format!(
        "{}http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=10;\n{}\
         server {{ listen 127.0.0.1:{port} backlog=4096; root {}; }} }}\n",
        nginx_common(at),
        nginx_paths(at),
        at.display()
    )
}

fn nginx_config(at: &Path, port: u16, origin: u16) -> String {
    format!(
        "{}http {{ access_log off; keepalive_requests 100000000;\n{}\
         upstream origin {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_requests 100000000; }}\n\
         server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ proxy_pass http://origin; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Host $host;\n\
         proxy_set_header X-Forwarded-Proto http; proxy_set_header X-Request-Id $request_id; }} }} }}\n",
        nginx_common(at),
        nginx_paths(at),
    )
}

fn haproxy(at: &Path, origin: u16) -> Proxy {
    let port = free_port();
    let path = at.join("haproxy.cfg");
    let config = format!(
        "global\n nbthread 1\n maxconn 9900\n\
         defaults\n mode http\n timeout connect 1s\n timeout client 60s\n timeout server 30s\n option forwardfor\n http-reuse always\n\
         frontend front\n bind 127.0.0.1:{port} backlog 4096\n unique-id-format %[uuid()]\n unique-id-header X-Request-Id\n \
         http-request set-header X-Forwarded-Proto http\n default_backend back\n\
         backend back\n server origin 127.0.0.1:{origin}\n"
    );
    fs::write(&path, config).unwrap();
    start(0, port, "/usr/sbin/haproxy", &["-db", "-f", path.to_str().unwrap()])
}

fn meridian(at: &Path, origin: u16) -> Proxy {
    let port = free_port();
    let path = at.join("meridian.toml");
    let config = format!(
        "[listen]\nhttp = [\"127.0.0.1:{port}\"]\ndns = [\"127.0.0.1:{}\"]\nadmin = \"127.0.0.1:{}\"\n\
         [http]\nworkers = 1\nmax_connections = 30000\n[dns]\nthreads = 1\n\
         [regions.here]\naddresses = [\"127.0.0.1\"]\n[regions.here.check.tcp]\nport = {port}\n\
         [[routes]]\nhost = \"*\"\npool = \"origin\"\n\
         [pools.origin]\nmax_idle_connections = 256\n[[pools.origin.origins]]\naddress = \"127.0.0.1:{origin}\"\n",
        free_port(),
        free_port(),
    );
    fs::write(&path, config).unwrap();
    let state = at.join("state");
    let arguments = ["serve", "--config", path.to_str().unwrap(), "--state-directory", state.to_str().unwrap()];
    start(0, port, env!("CARGO_BIN_EXE_meridian"), &arguments)
}
