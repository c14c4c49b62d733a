//! What connections cost that do nothing.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::{measure::resident_bytes, proxies::Proxy};

/// Bytes of resident memory for each of so many connections that have had one answer and say nothing more.
pub(crate) fn bytes(proxy: &Proxy, connections: usize) -> f64 {
    let before = resident_bytes(proxy.pid());
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut stream = TcpStream::connect(proxy.address).unwrap();
        stream.write_all(b"GET /small HTTP/1.1\r\nHost: shop.example\r\n\r\n").unwrap();
        let (mut answer, mut seen) = ([0; 2048], 0);
        // The body is 128 times `x`, and nothing else ends in it.
        while seen == 0 || !answer[..seen].ends_with(b"xxxx") {
            let read = stream.read(&mut answer[seen..]).unwrap();
            assert!(read > 0, "the proxy closed the connection: {}", String::from_utf8_lossy(&answer[..seen]));
            seen += read;
        }
        open.push(stream);
    }
    (resident_bytes(proxy.pid()) - before) / connections as f64
}
