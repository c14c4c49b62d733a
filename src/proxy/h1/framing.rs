//! Where a body ends (RFC 9112 §6.3), with every rule that is there to keep two readers from disagreeing.

use super::{Header, Malformed, Minor, RequestHead, ResponseHead};

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Length {
    /// There is none.
    None,
    /// That many bytes.
    Exact(u64),
    /// In chunks, until the last.
    Chunked,
    /// Until the connection closes; answers only.
    UntilClose,
}

/// A request's.
pub(in crate::proxy) fn request_length(head: &RequestHead<'_>) -> Result<Length, Malformed> {
    Ok(stated(head.headers, head.minor)?.unwrap_or(Length::None))
}

/// An answer's: some have no body whatever their headers say.
pub(in crate::proxy) fn response_length(head: &ResponseHead<'_>, to_head_request: bool) -> Result<Length, Malformed> {
    let stated = stated(head.headers, head.minor)?;
    let has_none = to_head_request || matches!(head.status, 100..200 | 204 | 304);
    Ok(if has_none { Length::None } else { stated.unwrap_or(Length::UntilClose) })
}

/// What the headers say, if they say it in exactly one way.
fn stated(headers: &[Header<'_>], minor: Minor) -> Result<Option<Length>, Malformed> {
    let (mut length, mut is_chunked) = (None, false);
    for header in headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            if length.is_some() {
                return Err(Malformed::ContentLength);
            }
            length = Some(number(header.value).ok_or(Malformed::ContentLength)?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            // HTTP/1.0 knows no chunks, and may be passed on by somebody who does not either (§6.1).
            if is_chunked || minor == Minor::Zero || !header.value.eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed::TransferEncoding);
            }
            is_chunked = true;
        }
    }
    match (length, is_chunked) {
        (Some(_), true) => Err(Malformed::LengthAndChunks),
        (Some(0), false) => Ok(Some(Length::None)),
        (Some(length), false) => Ok(Some(Length::Exact(length))),
        (None, true) => Ok(Some(Length::Chunked)),
        (None, false) => Ok(None),
    }
}

/// Digits and nothing else, the first of several not a zero; at most 18 of them, which no sum of lengths overflows.
fn number(value: &[u8]) -> Option<u64> {
    let is_plain = (1..=18).contains(&value.len())
        && value.iter().all(u8::is_ascii_digit)
        && (value.len() == 1 || value[0] != b'0');
    is_plain.then(|| value.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}
