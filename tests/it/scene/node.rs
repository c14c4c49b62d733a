//! A node as a process of its own, made from a config text.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, Connection, get};

/// Long enough for a busy machine, short enough for a test that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running node; it is killed with the value.
pub(crate) struct Meridian {
    child: Child,
    http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    dns: Option<SocketAddr>,
    dns_tls: Option<SocketAddr>,
    dns_https: Option<SocketAddr>,
    admin: SocketAddr,
    logs: Arc<Mutex<Vec<Value>>>,
    directory: Arc<TempDir>,
}

/// Looks again and again until there is something to see.
#[allow(clippy::disallowed_methods, reason = "a test waits in real time")]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "never happened: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// Starts a node on ports the system chose, and waits until it is ready.
pub(crate) fn meridian(config: &str) -> Meridian {
    meridian_at(config, "127.0.0.1:0")
}

/// The same with its HTTP listener at a given address.
pub(crate) fn meridian_at(config: &str, http: &str) -> Meridian {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    fs::write(directory.path().join("meridian.toml"), config).unwrap();
    start(directory, http)
}

fn start(directory: Arc<TempDir>, http: &str) -> Meridian {
    let config = fs::read_to_string(directory.path().join("meridian.toml")).unwrap();
    let (has_certificates, has_dns) = (config.contains("[[tls.certificates]]"), config.contains("listen.dns ="));
    let mut child = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["serve", "--stop-with-stdin", "--log-format", "json", "--log-level", "info"])
        .args(["--listen-http", http, "--listen-admin", "127.0.0.1:0"])
        .args(if has_dns { &[][..] } else { &["--listen-dns", "127.0.0.1:0"] })
        .args(if has_certificates { &["--listen-https", "127.0.0.1:0"][..] } else { &[] })
        .arg("--config")
        .arg(directory.path().join("meridian.toml"))
        .arg("--state-directory")
        .arg(directory.path().join("state"))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let logs = Arc::new(Mutex::new(Vec::new()));
    let (seen, stderr) = (Arc::clone(&logs), child.stderr.take().unwrap());
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let entry = serde_json::from_str(&line).unwrap_or(Value::String(line));
            seen.lock().unwrap().push(entry);
        }
    });
    let listening = eventually("the node listens", || {
        assert!(child.try_wait().unwrap().is_none(), "the node ended: {:?}", logs.lock().unwrap());
        logs.lock().unwrap().iter().find(|entry| entry["message"] == "listening").cloned()
    });
    let address = |field: &str| listening[field].as_str()?.trim_matches(['[', ']']).split(", ").next()?.parse().ok();
    let node = Meridian {
        child,
        http: address("http"),
        https: address("https"),
        dns: address("dns"),
        dns_tls: address("dns_tls"),
        dns_https: address("dns_https"),
        admin: address("admin").unwrap(),
        logs,
        directory,
    };
    eventually("the node is ready", || (node.page("/readyz").status == 200).then_some(()));
    node
}

impl Meridian {
    pub(crate) fn http(&self) -> SocketAddr {
        self.http.unwrap()
    }

    /// Where TLS is spoken; only with certificates in the config.
    pub(crate) fn https(&self) -> SocketAddr {
        self.https.unwrap()
    }

    pub(crate) fn dns(&self) -> SocketAddr {
        self.dns.unwrap()
    }

    /// Where DNS is spoken over TLS; only where the config says so.
    pub(crate) fn dns_tls(&self) -> SocketAddr {
        self.dns_tls.unwrap()
    }

    /// The same over HTTPS.
    pub(crate) fn dns_https(&self) -> SocketAddr {
        self.dns_https.unwrap()
    }

    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Bytes of memory that it holds.
    pub(crate) fn resident(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process_id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    /// An admin page that needs no token.
    pub(crate) fn page(&self, path: &str) -> Answer {
        get(self.admin, "admin", path).unwrap_or_default()
    }

    pub(crate) fn token_file(&self) -> PathBuf {
        self.directory.path().join("state/admin.token")
    }

    /// An admin call with the token and a JSON body.
    pub(crate) fn command(&self, method: &str, path: &str, body: &str) -> Answer {
        let token = fs::read_to_string(self.token_file()).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: admin\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            token.trim(),
            body.len(),
        );
        Connection::open(self.admin).ask(request.as_bytes()).unwrap()
    }

    /// The counter or gauge of this name and labels; 0 where it does not exist.
    pub(crate) fn metric(&self, name: &str) -> i64 {
        let text = self.page("/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
        #[allow(clippy::cast_possible_truncation, reason = "counts in tests are small")]
        line.map_or(0, |value| value.parse::<f64>().unwrap() as i64)
    }

    /// All counters whose names and labels begin so, together.
    pub(crate) fn metrics(&self, beginning: &str) -> i64 {
        let text = self.page("/metrics").text();
        let values = text.lines().filter(|line| line.starts_with(beginning)).filter_map(|line| line.rsplit_once(' '));
        values.map(|(_, value)| value.parse::<i64>().unwrap()).sum()
    }

    pub(crate) fn metric_becomes(&self, name: &str, value: i64) {
        eventually(name, || (self.metric(name) == value).then_some(()));
    }

    /// Writes another config, and asks the node to take it.
    pub(crate) fn reload(&self, config: &str) {
        fs::write(self.directory.path().join("meridian.toml"), config).unwrap();
        self.signal("HUP");
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process_id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for a log line with this message.
    pub(crate) fn said(&self, message: &str) -> Value {
        eventually(message, || self.logs.lock().unwrap().iter().find(|entry| entry["message"] == message).cloned())
    }

    /// Asks it to drain, and waits for its end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        eventually("the node ends", || self.child.try_wait().unwrap())
    }

    /// Stops it, and starts it again with what it left on disk.
    pub(crate) fn restart(self) -> Self {
        self.restart_after(|_| ())
    }

    /// The same, with something done to its state directory meanwhile.
    pub(crate) fn restart_after(mut self, meanwhile: impl FnOnce(&Path)) -> Self {
        self.stop();
        meanwhile(&self.directory.path().join("state"));
        let (directory, http) = (Arc::clone(&self.directory), self.http().to_string());
        start(directory, &http)
    }
}

impl Drop for Meridian {
    fn drop(&mut self) {
        if thread::panicking()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            // A node that was killed from outside says nothing itself.
            _ = writeln!(std::io::stderr(), "the node had ended: {status}, saying {:?}", self.logs.lock().unwrap());
        }
        _ = self.child.kill();
        _ = self.child.wait();
        // A panic ends one task and is easily survived unseen.
        if !thread::panicking() {
            let logs = self.logs.lock().unwrap();
            let panic = logs.iter().find(|entry| entry.as_str().is_some_and(|line| line.contains("panicked at")));
            assert!(panic.is_none(), "the node panicked: {panic:?}");
        }
    }
}
