//! Finding ports that are free: the usual ones where possible, the next ones where not.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

/// How far to look before giving up.
const TRIES: u16 = 200;

/// The first port from `wanted` on that is free on all of these addresses, for TCP and, where asked, UDP.
pub(super) fn free(wanted: u16, addresses: &[Ipv4Addr], udp: bool) -> Result<u16, String> {
    let is_free = |port: u16| {
        addresses.iter().all(|address| {
            let place = SocketAddr::from((*address, port));
            TcpListener::bind(place).is_ok() && (!udp || UdpSocket::bind(place).is_ok())
        })
    };
    (wanted..wanted + TRIES).find(|port| is_free(*port)).ok_or_else(|| {
        format!(
            "no port from {wanted} to {} is free on {addresses:?}; \
             on systems other than Linux, loopback addresses such as 127.0.1.1 must be added first",
            wanted + TRIES - 1
        )
    })
}
