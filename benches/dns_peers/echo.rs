//! The least that a DNS server over UDP can cost: it takes queries by the batch and sends them back as answers. It is this program, started
//! again on the first core.

use std::net::{Ipv4Addr, UdpSocket};

use crate::batch::{Batch, To};

/// The argument that makes this program the server.
pub(crate) const SERVER: &str = "--echo";

/// The server: until it is killed.
pub(crate) fn server(arguments: &[String]) {
    let port: u16 = arguments[0].parse().unwrap();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut batch = Batch::new();
    loop {
        let Ok(count) = batch.receive(&socket, libc::MSG_WAITFORONE) else { continue };
        for at in 0..count {
            if let Some(flags) = batch.datagram(at).get_mut(2) {
                *flags |= 0x80;
            }
        }
        // Who is gone gets none.
        _ = batch.send(&socket, count, To::Senders);
    }
}
