//! What connections cost that do nothing.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
};

use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};

use crate::{
    certificate::{Certificate, HOST},
    load::Over,
    measure::resident_bytes,
    proxies::{Farm, Proxy},
};

/// So many connections, held open.
pub(crate) struct Idle {
    pub(crate) name: &'static str,
    pub(crate) connections: usize,
    over: Over,
}

impl Idle {
    /// Both kinds.
    pub(crate) fn both(is_tiny: bool) -> [Self; 2] {
        let many = |full: usize, tiny: usize| if is_tiny { tiny } else { full };
        [
            Self { name: "idle in the clear", connections: many(9_000, 200), over: Over::Clear },
            Self { name: "idle TLS", connections: many(3_000, 200), over: Over::Tls },
        ]
    }

    /// Bytes of resident memory of each proxy for each connection that has had one answer and says nothing more. The proxies are new: what
    /// others left would be used again, and hide it.
    pub(crate) fn bytes(&self) -> Vec<f64> {
        let farm = Farm::start();
        farm.proxies.iter().map(|proxy| self.bytes_of(proxy, farm.folder())).collect()
    }

    fn bytes_of(&self, proxy: &Proxy, folder: &Path) -> f64 {
        let config = Arc::new(Certificate::in_folder(folder).client());
        let open = |_| match self.over {
            Over::Clear => answered(TcpStream::connect(proxy.clear).unwrap(), |stream| stream),
            Over::Tls => answered(handshaken(proxy.tls, &config), |stream| stream.sock),
        };
        // The first ones bring what all share.
        let _first: Vec<TcpStream> = (0..50).map(open).collect();
        let before = resident_bytes(proxy.pid());
        let _open: Vec<TcpStream> = (0..self.connections).map(open).collect();
        (resident_bytes(proxy.pid()) - before) / self.connections as f64
    }
}

fn handshaken(address: SocketAddr, config: &Arc<ClientConfig>) -> rustls::StreamOwned<ClientConnection, TcpStream> {
    let connection = ClientConnection::new(Arc::clone(config), ServerName::try_from(HOST).unwrap()).unwrap();
    rustls::StreamOwned::new(connection, TcpStream::connect(address).unwrap())
}

/// The connection below, once it has had an answer.
fn answered<S: Read + Write>(mut stream: S, below: impl FnOnce(S) -> TcpStream) -> TcpStream {
    stream.write_all(b"GET /small HTTP/1.1\r\nHost: shop.example\r\n\r\n").unwrap();
    let (mut answer, mut seen) = ([0; 2048], 0);
    // The body is 128 times `x`, and nothing else ends in it.
    while seen == 0 || !answer[..seen].ends_with(b"xxxx") {
        let read = stream.read(&mut answer[seen..]).unwrap();
        assert!(read > 0, "the proxy closed the connection: {}", String::from_utf8_lossy(&answer[..seen]));
        seen += read;
    }
    below(stream)
}
