//! All threads: bound, started, stopped.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use mio::{
    Waker,
    net::{TcpListener, UdpSocket},
};

use super::{
    answering::Answering,
    bind::{self, BindError},
    desk::Desk,
    secure,
    worker::Worker,
};
use crate::{clock::Clock, config, dns::log::Log, table::Table};

/// One thread's sockets.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    pub(super) udp: Vec<UdpSocket>,
    pub(super) tcp: Vec<TcpListener>,
}

/// All sockets of all threads, bound but not served.
#[derive(Debug)]
pub struct Server {
    sockets: Vec<Sockets>,
    addresses: Vec<SocketAddr>,
    doors: secure::Doors,
}

impl Server {
    /// Binds every address once per thread, for UDP and TCP, and those for TLS and HTTPS once. Port 0 becomes a free port, the same for all.
    ///
    /// # Errors
    /// Names the first address that cannot be had, and for which transport.
    pub fn bind(listen: &[SocketAddr], settings: &config::Dns) -> Result<Self, BindError> {
        let mut sockets: Vec<Sockets> = (0..settings.threads).map(|_| Sockets::default()).collect();
        let mut addresses = Vec::new();
        for wanted in listen {
            let address = bind::claim(*wanted)?;
            for thread in &mut sockets {
                thread.udp.push(bind::udp(address)?);
                thread.tcp.push(bind::tcp(address)?);
            }
            addresses.push(address);
        }
        Ok(Self { sockets, addresses, doors: secure::Doors::bind(settings)? })
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

    /// Starts one named thread per set of sockets, and one for TLS where it is spoken.
    ///
    /// # Errors
    /// When a thread or a poll cannot be had.
    pub fn start(self, table: &Table, clock: &Clock) -> io::Result<Running> {
        let (stop, log) = (Arc::new(AtomicBool::new(false)), Log::new(clock));
        let (mut threads, mut wakers) = (Vec::new(), Vec::new());
        for (number, sockets) in self.sockets.into_iter().enumerate() {
            let (worker, waker) = Worker::new(sockets, Answering::new(table, clock, &log), Arc::clone(&stop))?;
            wakers.push(waker);
            threads.push(thread::Builder::new().name(format!("dns-{number}")).spawn(move || worker.run())?);
        }
        let secure = self.doors.start(|| Answering::new(table, clock, &log), table)?;
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
