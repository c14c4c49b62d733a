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
    bind::{self, BindError},
    worker::Worker,
};
use crate::{clock::Clock, table::Table};

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
}

impl Server {
    /// Binds every address once per thread, for UDP and TCP. Port 0 becomes a free port, the same for all.
    ///
    /// # Errors
    /// Names the first address that cannot be had, and for which transport.
    pub fn bind(listen: &[SocketAddr], threads: usize) -> Result<Self, BindError> {
        let mut sockets: Vec<Sockets> = (0..threads).map(|_| Sockets::default()).collect();
        let mut addresses = Vec::new();
        for wanted in listen {
            let address = bind::claim(*wanted)?;
            for thread in &mut sockets {
                thread.udp.push(bind::udp(address)?);
                thread.tcp.push(bind::tcp(address)?);
            }
            addresses.push(address);
        }
        Ok(Self { sockets, addresses })
    }

    /// Where it listens, with port 0 replaced by what was found.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Starts one named thread per set of sockets.
    ///
    /// # Errors
    /// When a thread or a poll cannot be had.
    pub fn start(self, table: &Table, clock: &Clock) -> io::Result<Running> {
        let stop = Arc::new(AtomicBool::new(false));
        let (mut threads, mut wakers) = (Vec::new(), Vec::new());
        for (number, sockets) in self.sockets.into_iter().enumerate() {
            let (worker, waker) = Worker::new(sockets, table, clock, Arc::clone(&stop))?;
            wakers.push(waker);
            threads.push(thread::Builder::new().name(format!("dns-{number}")).spawn(move || worker.run())?);
        }
        Ok(Running { threads, wakers, stop })
    }
}

/// All threads, running.
#[derive(Debug)]
pub struct Running {
    threads: Vec<JoinHandle<()>>,
    wakers: Vec<Waker>,
    stop: Arc<AtomicBool>,
}

impl Running {
    /// Lets each thread answer what has arrived, and joins it.
    pub fn stop(self) {
        // Pairs with the acquire in the threads' loop; the wake-up makes them look.
        self.stop.store(true, Ordering::Release);
        for waker in &self.wakers {
            if let Err(error) = waker.wake() {
                tracing::warn!(%error, "a DNS thread could not be woken");
            }
        }
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a DNS thread had panicked");
            }
        }
    }
}
