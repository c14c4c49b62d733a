//! The listeners: bound before anything runs, one socket per worker and address.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    thread,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::{mpsc, watch};

use super::{
    accept::Door,
    worker::{self, Post, Running},
};
use crate::{
    clock::Clock,
    config::Listen,
    fleet::{AnswerDns, Observation},
    table::Table,
};

/// Connections that may wait in the kernel for a worker.
const BACKLOG: i32 = 1024;

/// A listener that could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for HTTP on {address}: {cause}")]
pub struct BindError {
    address: SocketAddr,
    #[source]
    cause: io::Error,
}

/// All listeners of all workers, bound but not served.
#[derive(Debug)]
pub struct Server {
    /// One list per worker.
    listeners: Vec<Vec<(Door, TcpListener)>>,
    http: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
}

impl Server {
    /// Binds every address once per worker. Port 0 becomes a free port, the same for all workers.
    ///
    /// # Errors
    /// Names the first address that cannot be had.
    pub fn bind(listen: &Listen, workers: usize) -> Result<Self, BindError> {
        let mut server = Self { listeners: (0..workers).map(|_| Vec::new()).collect(), http: vec![], https: vec![] };
        server.http = server.open(&listen.http, Door::Plain)?;
        server.https = server.open(&listen.https, Door::Tls)?;
        Ok(server)
    }

    /// Where they are in the end.
    fn open(&mut self, listen: &[SocketAddr], door: Door) -> Result<Vec<SocketAddr>, BindError> {
        let mut addresses = Vec::new();
        for &wanted in listen {
            let failed = |cause| BindError { address: wanted, cause };
            let address = claim(wanted).map_err(failed)?;
            for worker in &mut self.listeners {
                worker.push((door, bind(address).map_err(failed)?));
            }
            addresses.push(address);
        }
        Ok(addresses)
    }

    /// Where it listens for HTTP, with port 0 replaced by what was found.
    pub fn http(&self) -> &[SocketAddr] {
        &self.http
    }

    /// The same for HTTPS.
    pub fn https(&self) -> &[SocketAddr] {
        &self.https
    }

    /// Starts one named thread per worker; each has somebody of its own who answers DNS queries that come by HTTP. All of them tell one `judge`
    /// what they saw of origins.
    ///
    /// # Errors
    /// When a thread cannot be had.
    pub fn start(
        self,
        table: &Table,
        clock: &Clock,
        dns: impl Fn() -> Box<dyn AnswerDns>,
        judge: &mpsc::Sender<Observation>,
    ) -> io::Result<Running> {
        let (drain, told) = watch::channel(false);
        let mut threads = Vec::new();
        for (number, listeners) in self.listeners.into_iter().enumerate() {
            let (table, clock, drain) = (table.clone(), clock.clone(), told.clone());
            let post = Post { listeners, table, clock, dns: dns(), judge: judge.clone(), drain };
            threads.push(thread::Builder::new().name(format!("http-{number}")).spawn(move || worker::run(post))?);
        }
        Ok(Running { threads, drain })
    }
}

/// Makes sure that the address is free. Without this look another process that shares its port the same way would go unnoticed,
/// and each would get half of the connections.
fn claim(wanted: SocketAddr) -> io::Result<SocketAddr> {
    let socket = Socket::new(Domain::for_address(wanted), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    only_v6(&socket, wanted)?;
    socket.bind(&wanted.into())?;
    socket.local_addr()?.as_socket().ok_or_else(|| io::Error::other("not an internet address"))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    only_v6(&socket, address)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// `[::]` means IPv6 alone, so that `0.0.0.0` can stand beside it on every system.
fn only_v6(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv6() { socket.set_only_v6(true) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_an_error_that_names_the_address() {
        let at = |address| Listen { http: vec![address], https: vec![], dns: vec![], admin: address };
        let first = Server::bind(&at(([127, 0, 0, 1], 0).into()), 2).unwrap();
        let taken = first.http()[0];
        let error = Server::bind(&at(taken), 1).unwrap_err();
        assert!(error.to_string().contains(&taken.to_string()), "{error}");
    }
}
