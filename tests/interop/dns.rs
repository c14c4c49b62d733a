//! DNS with resolvers and load that others wrote.

use std::{
    fmt::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    Running, run,
    scene::{Meridian, eventually, meridian},
};

/// Two regions, the first for some networks of loopback, the second for all others. Nobody is there: all is down, and open.
fn split_node() -> Meridian {
    meridian(
        r#"
        [node]
        region = "one"
        [regions.one]
        addresses = ["127.0.0.51"]
        [regions.two]
        addresses = ["127.0.0.52"]
        [pools.shop]
        when_all_down = "open"
        [[pools.shop.origins]]
        address = "127.0.0.1:9"
        region = "one"
        [[pools.shop.origins]]
        address = "127.0.0.2:9"
        region = "two"
        [policies.halves.geo]
        networks = { "127.1.0.0/17" = "one", "127.2.0.0/20" = "one" }
        default = "two"
        [zones."shop.example"]
        nameservers = ["ns1.shop.example"]
        [zones."shop.example".records.ns1]
        A = ["127.0.0.1"]
        [zones."shop.example".records.fixed]
        A = ["192.0.2.9"]
        [zones."shop.example".steer.app]
        policy = "halves"
        pools = ["shop"]
        ttl = "60s"
        min_ttl = "60s"
        "#,
    )
}

/// A caching resolver that tells us for whom it asks.
fn unbound(node: SocketAddr, folder: &Path) -> (Running, SocketAddr) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = folder.join("unbound.conf");
    let config = format!(
        "server:\n  interface: {}@{}\n  access-control: 127.0.0.0/8 allow\n  do-daemonize: no\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n\
         directory: \"{}\"\n  use-syslog: no\n  do-ip6: no\n  do-not-query-localhost: no\n  module-config: \"subnetcache iterator\"\n\
         send-client-subnet: 127.0.0.0/8\n  max-client-subnet-ipv4: 24\n  trust-anchor-file: \"\"\n  local-zone: \"example.\" nodefault\n\
         remote-control:\n  control-enable: no\n\
         stub-zone:\n  name: \"shop.example\"\n  stub-addr: {}@{}\n",
        address.ip(),
        address.port(),
        folder.display(),
        node.ip(),
        node.port(),
    );
    std::fs::write(&file, config).unwrap();
    let running = Running(Command::new("/usr/sbin/unbound").arg("-c").arg(&file).spawn().unwrap());
    eventually("unbound listens", || TcpStream::connect(address).ok());
    (running, address)
}

/// What a resolver tells a client at this address.
fn told(resolver: SocketAddr, client: &str, name: &str) -> String {
    let (server, port) = (format!("@{}", resolver.ip()), resolver.port().to_string());
    run("dig", &["-b", client, &server, "-p", &port, name, "A", "+short", "+tries=2", "+time=5"]).trim().to_owned()
}

#[test]
fn clients_behind_one_caching_resolver_never_get_each_others_answers() {
    let node = split_node();
    let folder = tempfile::tempdir().unwrap();
    let (_running, resolver) = unbound(node.dns(), folder.path());
    eventually("the node answers", || (told(resolver, "127.1.0.1", "app.shop.example") == "127.0.0.51").then_some(()));
    // The edges of each network, and everybody more than once, in an order in which neighbours of different networks follow each other.
    let clients = [
        ("127.1.0.1", "127.0.0.51"),
        ("127.1.128.1", "127.0.0.52"),
        ("127.1.127.254", "127.0.0.51"),
        ("127.2.15.254", "127.0.0.51"),
        ("127.2.16.1", "127.0.0.52"),
        ("127.3.0.1", "127.0.0.52"),
        ("127.0.255.254", "127.0.0.52"),
    ];
    for turn in 0..3 {
        for (client, expected) in clients {
            assert_eq!(told(resolver, client, "app.shop.example"), expected, "{client}, turn {turn}");
            assert_eq!(told(resolver, client, "fixed.shop.example"), "192.0.2.9");
            assert_eq!(told(resolver, client, "none.shop.example"), "");
        }
    }
    // It kept what it was told: each network was asked for once, the fixed name for all of them once.
    let asked =
        node.metric(r#"meridian_dns_queries_total{zone="shop.example",type="a",rcode="noerror",transport="udp"}"#);
    let once = i64::try_from(clients.len()).unwrap();
    assert!(asked <= 2 * once + 6, "{asked} queries for {once} networks: nothing was kept");
}

#[test]
fn dnsperf_gets_every_answer() {
    let node = split_node();
    let folder = tempfile::tempdir().unwrap();
    let mut queries = String::new();
    for at in 0..1_000 {
        let name = ["app", "fixed", "none", "ns1"][at % 4];
        // A text takes every write.
        _ = writeln!(queries, "{name}.shop.example A");
    }
    let file = folder.path().join("queries");
    std::fs::write(&file, queries).unwrap();
    let (address, port) = (node.dns().ip().to_string(), node.dns().port().to_string());
    let stop = Arc::new(AtomicUsize::new(0));
    let reloader = {
        // Taking a config changes nothing for anybody.
        let (process, stop) = (node.process_id(), Arc::clone(&stop));
        thread::spawn(move || {
            while stop.load(Ordering::Relaxed) == 0 {
                run("kill", &["-HUP", &process.to_string()]);
                thread::sleep(std::time::Duration::from_millis(200));
            }
        })
    };
    for mode in ["udp", "tcp"] {
        let said = run(
            "dnsperf",
            &[
                "-s",
                &address,
                "-p",
                &port,
                "-d",
                file.to_str().unwrap(),
                "-n",
                "20",
                "-c",
                "4",
                "-q",
                "100",
                "-m",
                mode,
            ],
        );
        assert!(said.contains("Queries sent:         20000"), "{said}");
        assert!(said.contains("Queries completed:    20000 (100.00%)"), "{mode}: {said}");
        assert!(said.contains("NOERROR 15000") && said.contains("NXDOMAIN 5000"), "{said}");
    }
    stop.store(1, Ordering::Relaxed);
    reloader.join().unwrap();
}
