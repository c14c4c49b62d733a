//! HTTP/1, HTTP/2 and TLS with clients and balancers that others wrote.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    Running, curl, run,
    scene::{
        House, Meridian, Tongue,
        certificates::{Authority, authority},
        eventually, house, house_with, meridian, pairs,
    },
};

/// What goes through HTTP/2 and TLS and back: 1 GiB, and less of it where nothing is optimized.
const LARGE: usize = if cfg!(debug_assertions) { 64 } else { 1024 } * 1024 * 1024;

/// Debian's, as its modules are.
const PYTHON: &str = "/usr/bin/python3";

/// Where this tongue is spoken, as curl is told.
fn url(house: &House, client: Tongue, origin: Tongue, path: &str) -> (String, Vec<String>) {
    let (scheme, address) = if client.is_tls() { ("https", house.node.https()) } else { ("http", house.node.http()) };
    let version = match client {
        Tongue::H1 | Tongue::H1Tls => "--http1.1",
        Tongue::H2 => "--http2-prior-knowledge",
        Tongue::H2Tls => "--http2",
    };
    let (host, port) = (origin.host(), address.port());
    let ca = house.authority.file().display().to_string();
    let arguments =
        [version, "--cacert", &ca, "--resolve", &format!("{host}:{port}:127.0.0.1")].map(str::to_owned).into();
    (format!("{scheme}://{host}:{port}{path}"), arguments)
}

fn curl_to(house: &House, client: Tongue, origin: Tongue, path: &str, more: &[&str]) -> String {
    let (url, arguments) = url(house, client, origin, path);
    let arguments: Vec<&str> =
        arguments.iter().map(String::as_str).chain(more.iter().copied()).chain([&*url]).collect();
    curl(&arguments)
}

/// Bytes that nobody would make by accident.
fn write_noise(path: &Path, length: usize) {
    let mut file = File::create(path).unwrap();
    let block: Vec<u8> = (0..1_u32 << 20).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    for at in 0..length >> 20 {
        file.write_all(&at.to_be_bytes()).unwrap();
        file.write_all(&block[size_of::<usize>()..]).unwrap();
    }
}

fn are_alike(a: &Path, b: &Path) -> bool {
    let (mut a, mut b) = (BufReader::new(File::open(a).unwrap()), BufReader::new(File::open(b).unwrap()));
    let (mut here, mut there) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let read = a.read(&mut here).unwrap();
        if read == 0 {
            return b.read(&mut there).unwrap() == 0;
        }
        if b.read_exact(&mut there[..read]).is_err() || here[..read] != there[..read] {
            return false;
        }
    }
}

#[test]
fn curl_speaks_with_every_origin_in_every_way() {
    let house = house();
    let folder = tempfile::tempdir().unwrap();
    let (sent, received) = (folder.path().join("sent"), folder.path().join("received"));
    write_noise(&sent, 4 << 20);
    for (client, origin) in pairs() {
        assert_eq!(curl_to(&house, client, origin, "/", &[]), "here");
        let version = if client.is_h2() { "HTTP/2 200" } else { "HTTP/1.1 200" };
        assert!(curl_to(&house, client, origin, "/", &["--head"]).starts_with(version), "{client:?} {origin:?}");
        let body = format!("@{}", sent.display());
        let told = curl_to(&house, client, origin, "/tell", &["--data-binary", &body]);
        assert!(told.contains(&format!("bytes: {}\n", 4 << 20)), "{client:?} {origin:?}: {told}");
        let streamed = ["--upload-file", "-", "--output", received.to_str().unwrap()];
        let (url, arguments) = url(&house, client, origin, "/echo");
        let ended = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--max-time", "20"])
            .args(arguments)
            .args(streamed)
            .args(["--request", "POST", &url])
            .stdin(File::open(&sent).unwrap())
            .status();
        assert!(ended.unwrap().success() && are_alike(&sent, &received), "{client:?} {origin:?}");
    }
}

#[test]
fn a_large_upload_through_http_2_and_tls_comes_back_as_it_was() {
    let house = house();
    let folder = tempfile::tempdir().unwrap();
    let (sent, received) = (folder.path().join("sent"), folder.path().join("received"));
    write_noise(&sent, LARGE);
    let more = ["--request", "POST", "--upload-file", sent.to_str().unwrap(), "--output", received.to_str().unwrap()];
    let more = [&more[..], &["--max-time", "300"]].concat();
    curl_to(&house, Tongue::H2Tls, Tongue::H2Tls, "/echo", &more);
    assert!(are_alike(&sent, &received));
}

#[test]
fn h2load_gets_every_answer() {
    let house = house();
    for origin in Tongue::ALL {
        let host = origin.host();
        for (scheme, address) in [("http", house.node.http()), ("https", house.node.https())] {
            let (to, url) = (format!("--connect-to={address}"), format!("{scheme}://{host}/"));
            let said = run("h2load", &["-n", "1000", "-c", "4", "-m", "32", &to, &url]);
            assert!(said.contains("1000 succeeded, 0 failed, 0 errored"), "{origin:?} {scheme}: {said}");
        }
    }
}

#[test]
fn nghttp_sends_and_gets_trailers() {
    let house = house();
    let folder = tempfile::tempdir().unwrap();
    let body = folder.path().join("body");
    std::fs::write(&body, "all there is").unwrap();
    for origin in Tongue::ALL {
        let authority = format!(":authority: {}", origin.host());
        for (scheme, address) in [("http", house.node.http()), ("https", house.node.https())] {
            let url = format!("{scheme}://{address}/echo");
            let arguments = ["--verbose", "--no-verify-peer", "--header", &authority, "--trailer", "x-sum: 7"];
            let rest = ["--no-content-length", "--data", body.to_str().unwrap(), &url];
            let ended = Command::new("nghttp").args(arguments).args(rest).output().unwrap();
            let said = String::from_utf8_lossy(&ended.stdout);
            let came = said.split("recv (stream_id=13) :status: 200").nth(1).unwrap_or_else(|| panic!("{said}"));
            assert!(came.contains("all there is") && came.contains(") x-sum: 7"), "{origin:?}: {said}");
        }
    }
}

/// Speaks TLS, asks for the root over HTTP/1.1, and returns what openssl says of it.
fn s_client(house: &House, more: &[&str]) -> String {
    let address = house.node.https().to_string();
    let ca = house.authority.file();
    let mut child = Command::new("openssl")
        .args(["s_client", "-connect", &address, "-servername", Tongue::H1.host(), "-CAfile", ca.to_str().unwrap()])
        .args(["-verify_return_error", "-ign_eof"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", Tongue::H1.host());
    // Who failed to shake hands does not listen.
    _ = child.stdin.as_mut().unwrap().write_all(request.as_bytes());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{more:?}: {said}");
    said
}

#[test]
fn openssl_shakes_hands_and_comes_back_by_ticket() {
    let house = house();
    let folder = tempfile::tempdir().unwrap();
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let session = folder.path().join(name);
        let session = session.to_str().unwrap();
        let said = s_client(&house, &[version, "-alpn", "http/1.1", "-sess_out", session]);
        assert!(said.contains(&format!("New, {name}")) && said.contains("ALPN protocol: http/1.1"), "{said}");
        assert!(said.contains("HTTP/1.1 200 ") && said.contains("Verify return code: 0 (ok)"), "{said}");
        let said = s_client(&house, &[version, "-alpn", "http/1.1", "-sess_in", session]);
        assert!(said.contains(&format!("Reused, {name}")) && said.contains("HTTP/1.1 200 "), "{said}");
    }
    house.node.metric_becomes("meridian_tls_handshakes_total{result=\"resumed\"}", 2);
    let version = run("openssl", &["version"]);
    let [major, minor] = [0, 1].map(|at| {
        let number = version.split(['.', ' ']).nth(at + 1).unwrap();
        number.parse::<u32>().unwrap()
    });
    if (major, minor) >= (3, 5) {
        let said = s_client(&house, &["-tls1_3", "-groups", "X25519MLKEM768"]);
        assert!(said.contains("X25519MLKEM768") && said.contains("HTTP/1.1 200 "), "{said}");
    }
}

/// One of the scripts beside this file, serving; and the port that it says.
pub(crate) fn serving(script: &str) -> (Running, u16) {
    let script = format!("tests/interop/{script}");
    let mut child = Command::new(PYTHON).args([&script, "serve"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().parse().unwrap_or_else(|_| panic!("{script} does not serve"));
    (Running(child), port)
}

/// A node with certificates in front of one origin, and the file of who issued them.
fn in_front_of(port: u16, protocol: &str) -> (Meridian, Authority) {
    let authority = authority();
    let shown = authority.issue(&["*.shop.test"]);
    let node = meridian(&format!(
        "[regions.here]\naddresses = [\"127.0.0.1\"]\n[[tls.certificates]]\nchain = \"{}\"\nkey = \"{}\"\n\
         [pools.shop]\nprotocol = \"{protocol}\"\n[[pools.shop.origins]]\naddress = \"127.0.0.1:{port}\"\n\
         [[routes]]\npool = \"shop\"\n",
        shown.chain_file.display(),
        shown.key_file.display(),
    ));
    (node, authority)
}

#[test]
fn websockets_pass_in_the_clear_and_over_tls() {
    let (_server, port) = serving("websocket.py");
    let (node, authority) = in_front_of(port, "h1");
    let ca = authority.file();
    let (plain, secured) = (node.http().port(), node.https().port());
    for url in [format!("ws://ws.shop.test:{plain}/"), format!("wss://ws.shop.test:{secured}/")] {
        let said = run(PYTHON, &["tests/interop/websocket.py", "ask", &url, ca.to_str().unwrap(), "50"]);
        assert_eq!(said, "done\n", "{url}");
    }
}

#[test]
fn grpc_calls_of_every_shape_pass_in_the_clear_and_over_tls() {
    let (_server, port) = serving("grpc_calls.py");
    let (node, authority) = in_front_of(port, "h2");
    let (plain, secured, ca) = (node.http().to_string(), node.https().to_string(), authority.file());
    for arguments in [vec![&*plain], vec![&*secured, ca.to_str().unwrap()]] {
        let said = run(PYTHON, &[&["tests/interop/grpc_calls.py", "ask"], &arguments[..]].concat());
        assert_eq!(said, "done\n", "{arguments:?}");
    }
}

/// HAProxy in front of a node, saying whose connections it passes on.
fn haproxy(node: SocketAddr, how: &str, folder: &Path) -> (Running, SocketAddr) {
    // It cannot be asked which port it took.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = folder.join(how);
    let config = format!(
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 20s\n  timeout server 20s\n\
         listen all\n  bind {port}\n  server meridian {node} {how}\n"
    );
    std::fs::write(&file, config).unwrap();
    let running = Running(Command::new("/usr/sbin/haproxy").arg("-q").arg("-f").arg(&file).spawn().unwrap());
    eventually("HAProxy listens", || TcpStream::connect(port).ok());
    (running, port)
}

#[test]
fn haproxy_says_whose_connections_it_passes_on() {
    let house = house_with("[http]\nproxy_protocol = [\"127.0.0.1\"]\n");
    let folder = tempfile::tempdir().unwrap();
    for how in ["send-proxy", "send-proxy-v2"] {
        for client in Tongue::ALL {
            let node = if client.is_tls() { house.node.https() } else { house.node.http() };
            let (_running, port) = haproxy(node, how, folder.path());
            let (_, mut arguments) = url(&house, client, Tongue::H1, "/tell");
            let host = Tongue::H1.host();
            let scheme = if client.is_tls() { "https" } else { "http" };
            arguments.extend(["--interface", "127.0.0.9", "--resolve"].map(str::to_owned));
            arguments.push(format!("{host}:{}:127.0.0.1", port.port()));
            arguments.push(format!("{scheme}://{host}:{}/tell", port.port()));
            let told = curl(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
            assert!(told.contains("x-forwarded-for: 127.0.0.9\n"), "{how} {client:?}: {told}");
        }
    }
}
