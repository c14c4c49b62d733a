//! A socket, in the clear or under TLS. What is above does not have to know which.

use std::{
    io::{self, IoSlice},
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    task::coop::unconstrained,
};
use tokio_rustls::TlsStream;

/// One connection's bytes.
#[derive(Debug)]
pub(in crate::proxy) enum Stream {
    /// As they are.
    Plain(TcpStream),
    /// Under TLS. Boxed: a session is large, and most of what handles a stream moves it about.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Whether it is silent and open. Costs no system call in the clear unless something happened.
    pub(in crate::proxy) fn is_silent(&mut self) -> bool {
        let would_block =
            |read: io::Result<usize>| matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        match self {
            // A read that is polled may be put off because the task has done much already; this one never is.
            Self::Plain(stream) => would_block(stream.try_read(&mut [0])),
            Self::Tls(stream) => {
                let mut byte = [0];
                let mut room = ReadBuf::new(&mut byte);
                let read = std::future::poll_fn(|cx| Pin::new(&mut **stream).poll_read(cx, &mut room));
                let mut read = pin!(unconstrained(read));
                read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
            }
        }
    }

    /// From now on closing it resets it, where only its end would say that something was whole. Under TLS the end says so itself, or does not.
    pub(in crate::proxy) fn reset_when_closed(&self) {
        if let Self::Plain(stream) = self {
            // A socket that cannot do it is closed all the same.
            _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// Whether what was written may still stand in a buffer of its own.
    pub(in crate::proxy) fn holds_back(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, room),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(cx, room),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(_) => Poll::Ready(Ok(())),
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
