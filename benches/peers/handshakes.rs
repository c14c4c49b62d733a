//! A client of our own for full TLS handshakes, which the others do not promise: it forgets what would resume a session. It is this program,
//! started again on the second core.

use std::{
    cell::RefCell,
    env,
    io::ErrorKind,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use meridian::clock::Clock;
use rustls::{HandshakeKind, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{self, LocalSet},
};
use tokio_rustls::TlsConnector;

use crate::{
    certificate::{Certificate, HOST},
    load::{Scene, Seen},
};

/// The argument that makes this program the client.
pub(crate) const CLIENT: &str = "--handshakes";

const REQUEST: &[u8] = b"GET /small HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n";

/// Loads a proxy for so long.
pub(crate) fn load(scene: &Scene, address: SocketAddr, seconds: f64, folder: &Path) -> Seen {
    let output = Command::new("taskset")
        .args(["-c", "1"])
        .arg(env::current_exe().unwrap())
        .args([CLIENT, &address.to_string(), &scene.connections.to_string(), &seconds.to_string()])
        .arg(folder)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: the client failed", scene.name);
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(|number| number.parse().unwrap());
    let mut next = || numbers.next().unwrap();
    Seen { requests: next(), p50_ms: next(), p99_ms: next() }
}

/// The client: what [`load`] gives it, after [`CLIENT`].
pub(crate) fn client(arguments: &[String]) {
    let [address, connections, seconds, folder] = arguments else { panic!("four arguments, from this program") };
    let (address, connections): (SocketAddr, u32) = (address.parse().unwrap(), connections.parse().unwrap());
    let (clock, end) = (Clock::system(), Duration::from_secs_f64(seconds.parse().unwrap()));
    let connector = TlsConnector::from(Arc::new(Certificate::in_folder(Path::new(folder)).client()));
    let took = Rc::new(RefCell::new(Vec::new()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let repeat = || {
        let (clock, connector, took) = (clock.clone(), connector.clone(), Rc::clone(&took));
        async move {
            while clock.now() < end {
                let begun = clock.now();
                one(address, &connector).await;
                took.borrow_mut().push(clock.now().saturating_sub(begun).as_secs_f64() * 1000.0);
            }
        }
    };
    LocalSet::new().block_on(&runtime, async {
        let all: Vec<_> = (0..connections).map(|_| task::spawn_local(repeat())).collect();
        for one in all {
            one.await.unwrap();
        }
    });
    let seen = Seen::of(took.take());
    println!("{} {} {}", seen.requests, seen.p50_ms, seen.p99_ms);
}

/// A connection, a full handshake, a request, its answer, and the end.
async fn one(address: SocketAddr, connector: &TlsConnector) {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut stream = connector.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = [0; 2048];
    let mut filled = 0;
    loop {
        match stream.read(&mut answer[filled..]).await {
            Ok(0) => break,
            Ok(read) => filled += read,
            // HAProxy says no farewell.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => panic!("{error}"),
        }
    }
    let is_whole = answer[..filled].starts_with(b"HTTP/1.1 200 ") && answer[..filled].ends_with(b"xxxx");
    assert!(is_whole, "{}", String::from_utf8_lossy(&answer[..filled]));
}
