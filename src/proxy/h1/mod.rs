//! HTTP/1.1 as bytes in, meaning out: where a head ends, what it says, where its body ends. No sockets, no clock, no tasks.
//!
//! Strict by design: whatever two readers could read differently is an error here, on both sides, so that no request and no answer is
//! ever forwarded whose end is a matter of opinion (RFC 9112 §11). `httparse` reads the lines of a head; what it tolerates and we do not is
//! refused before (`scan`) or after it (`head`, `framing`).
//!
//! Costs no allocation: a head borrows from the buffer it stands in, its headers from the caller's stack.
//!
//! Not here: what a request means (`decide`), what is added to and removed from it (`headers`).

mod chunked;
#[cfg(test)]
mod differential;
mod framing;
mod head;
mod malformed;
mod scan;
#[cfg(test)]
mod tests;

pub(super) use chunked::Chunked;
pub(super) use framing::{Length, request_length, response_length};
pub(super) use head::{
    EMPTY_HEADER, Header, MOST_HEADERS, MOST_TRAILERS, Minor, RequestHead, ResponseHead, Room, is_name, members,
    read_trailers,
};
pub(super) use malformed::Malformed;
pub(super) use scan::Scan;
