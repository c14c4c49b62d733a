//! What the clients do.

use std::{net::SocketAddr, process::Command};

/// One kind of traffic.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    path: &'static str,
    connections: u32,
    kind: Kind,
}

enum Kind {
    /// As fast as it goes, over kept connections.
    Keep,
    /// A connection for each request.
    Fresh,
    /// So many requests a second.
    Paced(u32),
}

/// What the clients saw.
pub(crate) struct Seen {
    pub(crate) requests: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Scene {
    pub(crate) const ALL: [Self; 5] = [
        Self { name: "keep-alive 128 B", path: "small", connections: 64, kind: Kind::Keep },
        Self { name: "8,000/s fixed", path: "small", connections: 64, kind: Kind::Paced(8000) },
        Self { name: "connection per request", path: "small", connections: 64, kind: Kind::Fresh },
        Self { name: "64 KiB", path: "64k", connections: 32, kind: Kind::Keep },
        Self { name: "1 MiB", path: "1m", connections: 16, kind: Kind::Keep },
    ];

    /// Loads a proxy for so long, from the second core.
    pub(crate) fn load(&self, address: SocketAddr, seconds: f64) -> Seen {
        let url = format!("http://{address}/{}", self.path);
        match self.kind {
            Kind::Paced(rate) => self.paced(&url, rate, seconds),
            Kind::Keep => self.wrk(&url, &[], seconds),
            Kind::Fresh => self.wrk(&url, &["-H", "Connection: close"], seconds),
        }
    }

    fn wrk(&self, url: &str, extra: &[&str], seconds: f64) -> Seen {
        let (connections, duration) = (self.connections.to_string(), format!("{}s", seconds.ceil()));
        let output = Command::new("taskset")
            .args(["-c", "1", "wrk", "-t1", "-c", &connections, "-d", &duration, "--latency"])
            .args(extra)
            .arg(url)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "{}: {text}", self.name);
        let field = |prefix: &str| {
            text.lines()
                .find_map(|line| line.trim().strip_prefix(prefix).map(|rest| rest.trim().to_owned()))
                .unwrap_or_default()
        };
        let requests =
            text.lines().find_map(|line| line.trim().split_once(" requests in").map(|(count, _)| count.to_owned()));
        Seen {
            requests: requests.and_then(|count| count.parse().ok()).unwrap_or_default(),
            p50_ms: milliseconds(&field("50%")),
            p99_ms: milliseconds(&field("99%")),
        }
    }

    /// h2load keeps a rate; its clients each send theirs.
    fn paced(&self, url: &str, rate: u32, seconds: f64) -> Seen {
        let per_client = rate / self.connections;
        let total = (f64::from(per_client * self.connections) * seconds) as u64;
        let output = Command::new("taskset")
            .args(["-c", "1", "h2load", "--h1", "-t1", "-m1"])
            .args([
                "-c",
                &self.connections.to_string(),
                "-n",
                &total.to_string(),
                "--rps",
                &per_client.to_string(),
                url,
            ])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let requests = text.lines().find_map(|line| {
            line.strip_prefix("requests:")?
                .split(',')
                .find_map(|part| part.trim().strip_suffix(" succeeded")?.parse().ok())
        });
        // It prints no percentiles: the mean stands for the median, the largest for the last percentile.
        let times: Vec<&str> = text
            .lines()
            .find_map(|line| line.strip_prefix("time for request:"))
            .map(|rest| rest.split_whitespace().collect())
            .unwrap_or_default();
        Seen {
            requests: requests.unwrap_or_default(),
            p50_ms: milliseconds(times.get(2).copied().unwrap_or_default()),
            p99_ms: milliseconds(times.get(1).copied().unwrap_or_default()),
        }
    }
}

/// `1.5ms`, `750us`, `2.00s`.
fn milliseconds(text: &str) -> f64 {
    let unit = text.trim_start_matches(|symbol: char| symbol.is_ascii_digit() || symbol == '.');
    let number: f64 = text[..text.len() - unit.len()].parse().unwrap_or_default();
    number
        * match unit {
            "us" => 0.001,
            "s" => 1000.0,
            _ => 1.0,
        }
}
