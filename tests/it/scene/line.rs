//! A connection in one of four tongues, and the thread that moves what tests do not wait for.

use std::{
    future::{Future, pending},
    io,
    net::{Shutdown, SocketAddr},
    os::fd::AsFd,
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
    thread,
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    runtime::{Builder, Handle},
    time::timeout,
};
use tokio_rustls::{TlsConnector, TlsStream};

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    H1,
    H1Tls,
    H2,
    H2Tls,
}

impl Tongue {
    pub(crate) const ALL: [Self; 4] = [Self::H1, Self::H1Tls, Self::H2, Self::H2Tls];

    pub(crate) fn is_h2(self) -> bool {
        matches!(self, Self::H2 | Self::H2Tls)
    }

    pub(crate) fn is_tls(self) -> bool {
        matches!(self, Self::H1Tls | Self::H2Tls)
    }

    /// As the handshake names it.
    pub(crate) fn protocol(self) -> &'static [u8] {
        if self.is_h2() { b"h2" } else { b"http/1.1" }
    }

    /// The host whose origins speak so.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Self::H1 => "h1.shop.test",
            Self::H1Tls => "h1tls.shop.test",
            Self::H2 => "h2.shop.test",
            Self::H2Tls => "h2tls.shop.test",
        }
    }
}

/// Every client with every origin.
pub(crate) fn pairs() -> impl Iterator<Item = (Tongue, Tongue)> {
    Tongue::ALL.into_iter().flat_map(|client| Tongue::ALL.into_iter().map(move |origin| (client, origin)))
}

/// The bytes of a connection.
pub(crate) enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Io {
    /// As a client; `tls` where that is spoken.
    pub(crate) async fn open(address: SocketAddr, tls: Option<Arc<ClientConfig>>, host: &str) -> io::Result<Self> {
        Self::open_saying(b"", address, tls, host).await
    }

    /// The same with a few bytes before anything else.
    pub(crate) async fn open_saying(
        first: &[u8],
        address: SocketAddr,
        tls: Option<Arc<ClientConfig>>,
        host: &str,
    ) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        stream.write_all(first).await?;
        Ok(match tls {
            None => Self::Plain(stream),
            Some(config) => {
                let name = ServerName::try_from(host.to_owned()).unwrap();
                Self::Tls(Box::new(TlsStream::Client(TlsConnector::from(config).connect(name, stream).await?)))
            }
        })
    }

    /// A hold on its socket, which stays when the connection is taken apart.
    pub(crate) fn cord(&self) -> Cord {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        };
        Cord(stream.as_fd().try_clone_to_owned().unwrap().into())
    }
}

/// A socket that can be hurt.
pub(crate) struct Cord(socket2::Socket);

impl Cord {
    /// Nothing is said any more, not even that this is the end of TLS.
    pub(crate) fn cut(&self) {
        _ = self.0.shutdown(Shutdown::Both);
    }

    /// The end of its stream, and of nothing else.
    pub(crate) fn half_close(&self) {
        _ = self.0.shutdown(Shutdown::Write);
    }

    /// Whoever closes the connection now resets it.
    pub(crate) fn fray(&self) {
        _ = self.0.set_linger(Some(Duration::ZERO));
    }
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, room),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(cx, room),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }
}

/// Where origins live, and what drives the connections of clients.
pub(crate) fn background() -> &'static Handle {
    static BACKGROUND: LazyLock<Handle> = LazyLock::new(|| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        thread::spawn(move || runtime.block_on(pending::<()>()));
        handle
    });
    &BACKGROUND
}

/// Waits for what has to happen soon.
pub(crate) fn wait<F: Future>(what: impl std::fmt::Debug, future: F) -> F::Output {
    let limited = async { timeout(Duration::from_secs(20), future).await };
    background().block_on(limited).unwrap_or_else(|_| panic!("never happened: {what:?}"))
}
