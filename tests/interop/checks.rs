//! Checks of servers that others wrote.

use std::{
    fs,
    net::TcpListener,
    process::{Command, Stdio},
};

use crate::{
    Running,
    http::serving,
    scene::{certificates::authority, eventually},
};

/// Exit code and what was printed of one probe of a pool by this check.
fn probe(port: u16, check: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("meridian.toml");
    let text = format!(
        "regions.here = {{ addresses = [\"127.0.0.1\"], check = \"none\" }}\n[pools.shop]\n\
         origins = [{{ address = \"127.0.0.1:{port}\" }}]\n[pools.shop.check.{check}\ntimeout = \"5s\"\n"
    );
    fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
    let asked = command.args(["probe", "--json", "--config"]).arg(&file).output().unwrap();
    (asked.status.code(), String::from_utf8_lossy(&asked.stdout).into_owned() + &String::from_utf8_lossy(&asked.stderr))
}

#[test]
fn a_grpc_server_is_asked_for_its_health() {
    let (_server, port) = serving("serving_grpc.py");
    let expect = |check: &str, code: i32, words: &str| {
        let (ended, said) = probe(port, check);
        assert!(ended == Some(code) && said.contains(words), "{check}: {ended:?} {said}");
    };
    expect("grpc]", 0, "\"serving\"");
    expect("grpc]\nservice = \"shop.Cart\"", 0, "\"serving\"");
    expect("grpc]\nservice = \"shop.Old\"", 1, "\"not serving\"");
    expect("grpc]\nservice = \"shop.None\"", 1, "it does not know the service");
}

#[test]
fn openssl_is_shaken_hands_with_and_known_by_its_certificate() {
    let authority = authority();
    let issued = authority.issue(&["shop.test"]);
    // It cannot be asked which port it took.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Command::new("openssl")
        .args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}")])
        .arg("-cert")
        .arg(&issued.chain_file)
        .arg("-key")
        .arg(&issued.key_file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _server = Running(server.unwrap());
    let ca = authority.file();
    let check = |name: &str| format!("tls]\nserver_name = \"{name}\"\ntls.ca = \"{}\"", ca.display());
    let said = eventually("openssl listens", || Some(probe(port, &check("shop.test"))).filter(|it| it.0 == Some(0)));
    assert!(said.1.contains("certificate good for"), "{said:?}");
    let (ended, said) = probe(port, &check("other.test"));
    assert!(ended == Some(1) && said.contains("TLS: "), "{said}");
}
