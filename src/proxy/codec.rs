//! The HTTP/1 codec by itself, for benches alone (the feature `bench`): a whole message in, what it says out, as a worker does it.
//!
//! Not here: the codec (`h1`).

use std::mem::MaybeUninit;

use super::{
    h1::{Chunked, Length, RequestHead, ResponseHead, Room, Scan, request_length, response_length},
    headers::Hop,
};

/// Finds a request's head, reads it, its `Connection` and the length of its body. Nothing where it is not one; otherwise how many headers it
/// has, and whether a body follows.
pub fn read_request(bytes: &[u8]) -> Option<(usize, bool)> {
    let head = Scan::default().head(bytes).ok()??;
    let mut room: Room<'_> = [const { MaybeUninit::uninit() }; _];
    let head = RequestHead::parse(&bytes[head], &mut room).ok()?;
    let persists = Hop::read(head.headers).ok()?.persists(head.minor);
    let length = request_length(&head).ok()?;
    persists.then_some((head.headers.len(), length != Length::None))
}

/// The same for an answer.
pub fn read_response(bytes: &[u8]) -> Option<(usize, bool)> {
    let head = Scan::default().head(bytes).ok()??;
    let mut room: Room<'_> = [const { MaybeUninit::uninit() }; _];
    let head = ResponseHead::parse(&bytes[head], &mut room).ok()?;
    let persists = Hop::read(head.headers).ok()?.persists(head.minor);
    let length = response_length(&head, false).ok()?;
    persists.then_some((head.headers.len(), length != Length::None))
}

/// Reads a chunked body to its end, and gives the bytes of data in it; nothing where it is not well formed, or not whole.
pub fn read_chunks(bytes: &[u8]) -> Option<usize> {
    let (mut chunked, mut at, mut data) = (Chunked::new(), 0, 0);
    while at < bytes.len() && !chunked.is_done() {
        let piece = chunked.read(&bytes[at..]).ok()?;
        at += piece.used;
        data += piece.data.len();
    }
    chunked.is_done().then_some(data)
}
