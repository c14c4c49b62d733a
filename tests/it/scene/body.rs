//! Bodies as both sides of a test see them, framed by HTTP/1 or carried by the `h2` library: nothing of the code under test is in here.

use std::{future::poll_fn, io};

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};

use super::line::Io;

/// What comes.
pub(crate) struct Source {
    from: From,
    /// There once the end was read.
    pub(crate) trailers: HeaderMap,
}

enum From {
    H1(BufReader<ReadHalf<Io>>, Framing),
    H2(RecvStream),
}

/// Where a body of HTTP/1 ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
    Over,
}

/// What goes.
pub(crate) enum Sink {
    H1(WriteHalf<Io>, Framing),
    H2(SendStream<Bytes>),
}

/// All of a body.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    pub(crate) bytes: Vec<u8>,
    pub(crate) trailers: HeaderMap,
    /// It ended where its framing says.
    pub(crate) is_complete: bool,
}

impl Source {
    pub(super) fn h1(read: BufReader<ReadHalf<Io>>, framing: Framing) -> Self {
        Self { from: From::H1(read, framing), trailers: HeaderMap::new() }
    }

    pub(super) fn h2(recv: RecvStream) -> Self {
        Self { from: From::H2(recv), trailers: HeaderMap::new() }
    }

    /// The next stretch; nothing at a proper end.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        match &mut self.from {
            From::H1(read, framing) => {
                let data = h1_next(read, framing, &mut self.trailers).await?;
                Ok(data.map(Bytes::from))
            }
            From::H2(recv) => {
                if let Some(data) = recv.data().await {
                    let data = data.map_err(io::Error::other)?;
                    _ = recv.flow_control().release_capacity(data.len());
                    return Ok(Some(data));
                }
                self.trailers = recv.trailers().await.map_err(io::Error::other)?.unwrap_or_default();
                Ok(None)
            }
        }
    }

    /// Reads to the end, proper or not.
    pub(crate) async fn rest(&mut self) -> Whole {
        let mut whole = Whole::default();
        loop {
            match self.next().await {
                Ok(Some(data)) => whole.bytes.extend_from_slice(&data),
                Ok(None) => return Whole { is_complete: true, trailers: self.trailers.clone(), ..whole },
                Err(_) => return whole,
            }
        }
    }

    /// Reads until this was seen.
    pub(crate) async fn until(&mut self, expected: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(expected) {
            let data = self.next().await.unwrap().unwrap_or_else(|| panic!("`{expected}` does not come behind {seen}"));
            seen += std::str::from_utf8(&data).unwrap();
        }
        seen
    }

    /// The connection, where it is at the end of its body and may serve another.
    pub(super) fn into_h1(self) -> Option<BufReader<ReadHalf<Io>>> {
        match self.from {
            From::H1(read, Framing::Over) => Some(read),
            From::H1(..) | From::H2(_) => None,
        }
    }
}

async fn h1_next(
    read: &mut BufReader<ReadHalf<Io>>,
    framing: &mut Framing,
    trailers: &mut HeaderMap,
) -> io::Result<Option<Vec<u8>>> {
    let mut some = vec![0; 16 * 1024];
    match framing {
        Framing::Over | Framing::Length(0) => {
            *framing = Framing::Over;
            Ok(None)
        }
        Framing::Length(left) => {
            let most = some.len().min(*left);
            let here = read.read(&mut some[..most]).await?;
            some.truncate(here);
            *left -= here;
            if here > 0 { Ok(Some(some)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
        }
        Framing::UntilClose => {
            let here = read.read(&mut some).await?;
            some.truncate(here);
            if here == 0 {
                *framing = Framing::Over;
            }
            Ok((here > 0).then_some(some))
        }
        Framing::Chunked => {
            let size = usize::from_str_radix(&line(read).await?, 16).map_err(io::Error::other)?;
            if size == 0 {
                *trailers = fields(read).await?;
                *framing = Framing::Over;
                return Ok(None);
            }
            let mut chunk = vec![0; size];
            read.read_exact(&mut chunk).await?;
            line(read).await?;
            Ok(Some(chunk))
        }
    }
}

pub(super) async fn line(read: &mut BufReader<ReadHalf<Io>>) -> io::Result<String> {
    let mut line = String::new();
    read.read_line(&mut line).await?;
    Ok(line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?.to_owned())
}

pub(super) async fn fields(read: &mut BufReader<ReadHalf<Io>>) -> io::Result<HeaderMap> {
    let mut fields = HeaderMap::new();
    loop {
        let line = line(read).await?;
        let Some((name, value)) = line.split_once(':') else { return Ok(fields) };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(io::Error::other)?;
        fields.append(name, HeaderValue::from_str(value.trim()).map_err(io::Error::other)?);
    }
}

pub(super) fn write_fields(out: &mut String, fields: &HeaderMap) {
    for (name, value) in fields {
        *out += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
}

impl Sink {
    /// Sends some; waits until the other side takes it.
    pub(crate) async fn data(&mut self, data: &[u8]) -> io::Result<()> {
        match self {
            Self::H1(write, Framing::Chunked) => {
                write.write_all(format!("{:x}\r\n", data.len()).as_bytes()).await?;
                write.write_all(data).await?;
                write.write_all(b"\r\n").await?;
                write.flush().await
            }
            Self::H1(write, _) => {
                write.write_all(data).await?;
                write.flush().await
            }
            Self::H2(send) => {
                let mut data = Bytes::copy_from_slice(data);
                while !data.is_empty() {
                    send.reserve_capacity(data.len());
                    let room = poll_fn(|cx| send.poll_capacity(cx)).await.ok_or(io::ErrorKind::BrokenPipe)?;
                    let here = data.split_to(room.map_err(io::Error::other)?.min(data.len()));
                    send.send_data(here, false).map_err(io::Error::other)?;
                }
                Ok(())
            }
        }
    }

    /// Bytes as they are, where something is to be cut in the middle.
    pub(crate) async fn raw(&mut self, data: &[u8]) -> io::Result<()> {
        let Self::H1(write, _) = self else { return self.data(data).await };
        write.write_all(data).await?;
        write.flush().await
    }

    /// Sends the end.
    pub(crate) async fn end(&mut self, trailers: HeaderMap) -> io::Result<()> {
        match self {
            Self::H1(write, framing) => {
                if *framing == Framing::Chunked {
                    let mut end = "0\r\n".to_owned();
                    write_fields(&mut end, &trailers);
                    write.write_all((end + "\r\n").as_bytes()).await?;
                } else if *framing == Framing::UntilClose {
                    write.shutdown().await?;
                }
                *framing = Framing::Over;
                write.flush().await
            }
            Self::H2(send) if trailers.is_empty() => send.send_data(Bytes::new(), true).map_err(io::Error::other),
            Self::H2(send) => send.send_trailers(trailers).map_err(io::Error::other),
        }
    }

    /// Takes it back: a reset of the stream. A connection of HTTP/1 has to be dropped.
    pub(crate) fn reset(&mut self, reason: Reason) {
        if let Self::H2(send) = self {
            send.send_reset(reason);
        }
    }

    /// Waits until the other side wants no more of it.
    pub(crate) async fn rejected(&mut self, other: &mut Source) {
        match self {
            Self::H1(..) => while matches!(other.hears_more().await, Ok(1..)) {},
            Self::H2(send) => _ = poll_fn(|cx| send.poll_reset(cx)).await,
        }
    }

    pub(super) fn into_h1(self) -> Option<WriteHalf<Io>> {
        match self {
            Self::H1(write, Framing::Over) => Some(write),
            Self::H1(..) | Self::H2(_) => None,
        }
    }
}

impl Source {
    /// Reads whatever comes on the connection; nothing, or an error, at its end.
    async fn hears_more(&mut self) -> io::Result<usize> {
        match &mut self.from {
            From::H1(read, _) => read.read(&mut [0; 4096]).await,
            From::H2(_) => Ok(0),
        }
    }
}
