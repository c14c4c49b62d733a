//! All threads: bound, started, stopped.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use mio::{Waker, net::TcpListener};

use super::{
    answering::Answering,
    bind::{self, BindError},
    datagrams::Datagrams,
    desk::Desk,
    secure,
    streams::Streams,
    udp::Postman,
};
use crate::{clock::Clock, config, dns::log::Log, table::Table};

/// All sockets of all threads, bound but not served.
#[derive(Debug)]
pub struct Server {
    /// Each for a thread.
    udp: Vec<UdpSocket>,
    /// All listeners of each thread.
    tcp: Vec<Vec<TcpListener>>,
    addresses: Vec<SocketAddr>,
    doors: secure::Doors,
}

impl Server {
    /// Binds every address once per thread, for UDP and TCP, and those for TLS and HTTPS once. Port 0 becomes a free port, the same for all.
    ///
    /// # Errors
    /// Names the first address that cannot be had, and for which transport.
    pub fn bind(listen: &[SocketAddr], settings: &config::Dns) -> Result<Self, BindError> {
        let mut tcp: Vec<Vec<TcpListener>> = (0..settings.threads).map(|_| Vec::new()).collect();
        let (mut udp, mut addresses) = (Vec::new(), Vec::new());
        for wanted in listen {
            let address = bind::claim(*wanted)?;
            for listeners in &mut tcp {
                udp.push(bind::udp(address)?);
                listeners.push(bind::tcp(address)?);
            }
            addresses.push(address);
        }
        Ok(Self { udp, tcp, addresses, doors: secure::Doors::bind(settings)? })
    }

    /// Where it listens, with port 0 replaced by what was found.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where it listens for DNS over TLS.
    pub fn tls(&self) -> &[SocketAddr] {
        self.doors.tls()
    }

    /// Where it listens for DNS over HTTPS.
    pub fn https(&self) -> &[SocketAddr] {
        self.doors.https()
    }

    /// Starts a named thread for each UDP socket and for each set of listeners, and one for TLS where it is spoken.
    ///
    /// # Errors
    /// When a thread or a poll cannot be had.
    pub fn start(self, table: &Table, clock: &Clock) -> io::Result<Running> {
        let (stop, log) = (Arc::new(AtomicBool::new(false)), Log::new(clock));
        let answering = || Answering::new(table, clock, &log);
        let (mut threads, mut wakers) = (Vec::new(), Vec::new());
        for (number, socket) in self.udp.into_iter().enumerate() {
            let postman = Postman::new(Datagrams::new(socket)?, answering(), Arc::clone(&stop));
            threads.push(thread::Builder::new().name(format!("dns-udp-{number}")).spawn(move || postman.run())?);
        }
        for (number, listeners) in self.tcp.into_iter().enumerate() {
            let (streams, waker) = Streams::new(listeners, answering(), Arc::clone(&stop))?;
            wakers.push(waker);
            threads.push(thread::Builder::new().name(format!("dns-tcp-{number}")).spawn(move || streams.run())?);
        }
        let secure = self.doors.start(answering, table)?;
        Ok(Running { threads, wakers, secure, stop, log })
    }
}

/// All threads, running.
#[derive(Debug)]
pub struct Running {
    threads: Vec<JoinHandle<()>>,
    wakers: Vec<Waker>,
    secure: Option<secure::Running>,
    stop: Arc<AtomicBool>,
    log: Arc<Log>,
}

impl Running {
    /// A desk for one thread of others; to be left before [`Self::stop`].
    pub fn desk(&self, table: &Table, clock: &Clock) -> Desk {
        Desk(Answering::new(table, clock, &self.log))
    }

    /// Lets each thread answer what has arrived, and joins it.
    pub fn stop(self) {
        // Pairs with the acquire in the threads' loop; the wake-up makes them look.
        self.stop.store(true, Ordering::Release);
        for waker in &self.wakers {
            if let Err(error) = waker.wake() {
                tracing::warn!(%error, "a DNS thread could not be woken");
            }
        }
        if let Some(secure) = self.secure {
            secure.stop();
        }
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a DNS thread had panicked");
            }
        }
        self.log.close();
    }
}
