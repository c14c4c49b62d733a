//! A head as it stands in its buffer.

use std::mem::MaybeUninit;

pub(in crate::proxy) use httparse::{EMPTY_HEADER, Header};

use super::{Malformed, scan::is_token};

/// Headers that a message may carry at most, whatever the config says: they stand on the stack while it is settled.
pub(in crate::proxy) const MOST_HEADERS: usize = 256;

/// Trailers that a body may have.
pub(in crate::proxy) const MOST_TRAILERS: usize = 64;

/// Where the headers of one head stand while it is looked at.
pub(in crate::proxy) type Room<'b> = [MaybeUninit<Header<'b>>; MOST_HEADERS];

/// Which HTTP/1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Minor {
    /// HTTP/1.0.
    Zero,
    /// HTTP/1.1.
    One,
}

/// A request's head.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct RequestHead<'b> {
    pub(in crate::proxy) method: &'b str,
    pub(in crate::proxy) target: &'b str,
    pub(in crate::proxy) minor: Minor,
    pub(in crate::proxy) headers: &'b [Header<'b>],
}

/// An answer's head.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct ResponseHead<'b> {
    pub(in crate::proxy) status: u16,
    pub(in crate::proxy) reason: &'b str,
    pub(in crate::proxy) minor: Minor,
    pub(in crate::proxy) headers: &'b [Header<'b>],
}

impl<'b> RequestHead<'b> {
    /// Reads a whole head.
    pub(in crate::proxy) fn parse(bytes: &'b [u8], room: &'b mut Room<'b>) -> Result<Self, Malformed> {
        let mut request = httparse::Request::new(&mut []);
        complete(bytes, request.parse_with_uninit_headers(bytes, room))?;
        let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
            return Err(Malformed::Syntax);
        };
        if !target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(Malformed::Target);
        }
        Ok(Self { method, target, minor: Minor::from(minor), headers: request.headers })
    }
}

impl<'b> ResponseHead<'b> {
    /// Reads a whole head.
    pub(in crate::proxy) fn parse(bytes: &'b [u8], room: &'b mut Room<'b>) -> Result<Self, Malformed> {
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, room);
        complete(bytes, parsed)?;
        let (Some(status), Some(minor)) = (response.code, response.version) else { return Err(Malformed::Syntax) };
        if !(100..1000).contains(&status) {
            return Err(Malformed::Syntax);
        }
        Ok(Self { status, reason: response.reason.unwrap_or(""), minor: Minor::from(minor), headers: response.headers })
    }
}

impl From<u8> for Minor {
    fn from(minor: u8) -> Self {
        if minor == 0 { Self::Zero } else { Self::One }
    }
}

/// Reads the lines behind a chunked body, their empty line included.
pub(in crate::proxy) fn read_trailers<'b>(
    bytes: &'b [u8],
    room: &'b mut [Header<'b>; MOST_TRAILERS],
) -> Result<&'b [Header<'b>], Malformed> {
    match httparse::parse_headers(bytes, room) {
        Ok(httparse::Status::Complete((used, trailers))) if used == bytes.len() => Ok(trailers),
        Ok(_) | Err(_) => Err(Malformed::Trailers),
    }
}

/// A parse that used all of a head and nothing else.
fn complete(bytes: &[u8], parsed: httparse::Result<usize>) -> Result<(), Malformed> {
    match parsed {
        Ok(httparse::Status::Complete(used)) if used == bytes.len() => Ok(()),
        Err(httparse::Error::Version) => Err(Malformed::Version),
        Err(httparse::Error::NewLine) => Err(Malformed::LineEnd),
        Err(httparse::Error::TooManyHeaders) => Err(Malformed::TooManyHeaders),
        Ok(_) | Err(_) => Err(Malformed::Syntax),
    }
}

/// The members of a comma-separated header, without the space around them; empty members are left out.
pub(in crate::proxy) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// Whether these bytes are a header's name.
pub(in crate::proxy) fn is_name(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token)
}
