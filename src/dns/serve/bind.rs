//! The sockets: one of each kind per thread and address, sharing the port.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use mio::net::TcpListener;
use socket2::{Domain, Protocol, Socket, Type};

/// Streams that may wait in the kernel for a thread.
const BACKLOG: i32 = 256;
/// Datagrams that may wait in the kernel: a burst while a thread is busy is answered, not lost.
const UDP_BUFFER: usize = 1 << 20;
/// How long a thread waits for a datagram before it looks whether it is to stop.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);
/// How often to look for a port that is free for both transports.
const PORT_TRIES: usize = 16;

/// A listener that could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for DNS on {address} ({transport}): {cause}")]
pub struct BindError {
    address: SocketAddr,
    transport: &'static str,
    #[source]
    cause: io::Error,
}

/// Makes sure that an address is free for both transports. Without this look another process that shares its port the same way
/// would go unnoticed, and each would get part of the queries. Port 0 becomes one that both transports can have.
pub(super) fn claim(wanted: SocketAddr) -> Result<SocketAddr, BindError> {
    let mut tries = if wanted.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let failed = |transport| move |cause| BindError { address: wanted, transport, cause };
        let udp = socket(wanted, Type::DGRAM, false).map_err(failed("udp"))?;
        let found = udp.local_addr().map_err(failed("udp"))?.as_socket().unwrap_or(wanted);
        match socket(found, Type::STREAM, false) {
            Ok(_) => return Ok(found),
            Err(_) if tries > 0 => {}
            Err(cause) => return Err(failed("tcp")(cause)),
        }
    }
}

pub(super) fn udp(address: SocketAddr) -> Result<UdpSocket, BindError> {
    let failed = |cause| BindError { address, transport: "udp", cause };
    let socket = socket(address, Type::DGRAM, true).map_err(failed)?;
    // The system may grant less; then bursts are shorter.
    _ = socket.set_recv_buffer_size(UDP_BUFFER);
    socket.set_nonblocking(false).and_then(|()| socket.set_read_timeout(Some(PATIENCE))).map_err(failed)?;
    Ok(socket.into())
}

pub(super) fn tcp(address: SocketAddr) -> Result<TcpListener, BindError> {
    let failed = |cause| BindError { address, transport: "tcp", cause };
    let socket = socket(address, Type::STREAM, true).map_err(failed)?;
    // Whoever is accepted has it from the listener: answers are written whole, and none waits for an acknowledgement of the one before.
    socket.set_tcp_nodelay(true).map_err(failed)?;
    socket.listen(BACKLOG).map_err(failed)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// A listener for what is spoken over TLS; one thread serves it.
pub(super) fn secure(
    address: SocketAddr,
    transport: &'static str,
) -> Result<(std::net::TcpListener, SocketAddr), BindError> {
    let failed = |cause| BindError { address, transport, cause };
    let socket = socket(address, Type::STREAM, false).map_err(failed)?;
    socket.set_tcp_nodelay(true).map_err(failed)?;
    socket.listen(BACKLOG).map_err(failed)?;
    let listener = std::net::TcpListener::from(socket);
    let found = listener.local_addr().map_err(failed)?;
    Ok((listener, found))
}

fn socket(address: SocketAddr, kind: Type, is_shared: bool) -> io::Result<Socket> {
    let protocol = if kind == Type::DGRAM { Protocol::UDP } else { Protocol::TCP };
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    #[cfg(unix)]
    socket.set_reuse_port(is_shared)?;
    if address.is_ipv6() {
        // `[::]` means IPv6 alone, so that `0.0.0.0` can stand beside it on every system.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
