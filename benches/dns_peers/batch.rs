//! Datagrams by the batch: `recvmmsg` and `sendmmsg`, for the client and for the server that is compared to.

#![allow(unsafe_code, reason = "the standard library receives and sends one datagram at a time")]

use std::{io, mem, net::UdpSocket, os::fd::AsRawFd, ptr};

use libc::{c_int, c_uint, c_void, iovec, mmsghdr, sockaddr_in, socklen_t};

/// Datagrams of one system call.
pub(crate) const WIDTH: usize = 32;

const SIZE: usize = 1232;

/// Room for so many, used again and again.
pub(crate) struct Batch {
    datagrams: Box<[[u8; SIZE]]>,
    lengths: [usize; WIDTH],
    /// Who sent each.
    senders: [sockaddr_in; WIDTH],
}

/// Whom datagrams are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// What the socket is connected to.
    Peer,
    /// Each goes back to whom it came from.
    Senders,
}

impl Batch {
    pub(crate) fn new() -> Self {
        // SAFETY: all fields are numbers, and zero is a value of each.
        let nobody: sockaddr_in = unsafe { mem::zeroed() };
        Self { datagrams: vec![[0; SIZE]; WIDTH].into(), lengths: [0; WIDTH], senders: [nobody; WIDTH] }
    }

    /// One of those that were received.
    pub(crate) fn datagram(&mut self, at: usize) -> &mut [u8] {
        &mut self.datagrams[at][..self.lengths[at]]
    }

    /// Makes the next one to send; `write` says how long it is.
    pub(crate) fn write(&mut self, at: usize, write: impl FnOnce(&mut [u8]) -> usize) {
        self.lengths[at] = write(&mut self.datagrams[at]).min(SIZE);
    }

    /// Takes what has come, and says how many: with `libc::MSG_WAITFORONE` it waits for the first, with `libc::MSG_DONTWAIT` there may be none.
    pub(crate) fn receive(&mut self, socket: &UdpSocket, flags: c_int) -> io::Result<usize> {
        self.lengths = [SIZE; WIDTH];
        let mut pieces = self.pieces();
        let mut headers = self.headers(&mut pieces, To::Senders);
        // SAFETY: every header points to one piece and one sender, every piece to a datagram of the size it says; all of them outlive the call.
        let received = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), WIDTH as c_uint, flags as _, ptr::null_mut())
        };
        if received < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(0) } else { Err(error) };
        }
        for (length, header) in self.lengths.iter_mut().zip(&headers) {
            *length = (header.msg_len as usize).min(SIZE);
        }
        Ok(received as usize)
    }

    /// Sends the first ones.
    pub(crate) fn send(&mut self, socket: &UdpSocket, count: usize, to: To) -> io::Result<()> {
        let mut pieces = self.pieces();
        let mut headers = self.headers(&mut pieces, to);
        let mut left = &mut headers[..count];
        while !left.is_empty() {
            // SAFETY: as for `receive`; the kernel only reads what pieces and senders hold.
            let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), left.as_mut_ptr(), left.len() as c_uint, 0) };
            if sent < 0 {
                return Err(io::Error::last_os_error());
            }
            left = &mut left[sent as usize..];
        }
        Ok(())
    }

    fn pieces(&mut self) -> [iovec; WIDTH] {
        let mut pieces = [iovec { iov_base: ptr::null_mut(), iov_len: 0 }; WIDTH];
        for ((piece, datagram), length) in pieces.iter_mut().zip(self.datagrams.iter_mut()).zip(self.lengths) {
            *piece = iovec { iov_base: datagram.as_mut_ptr().cast::<c_void>(), iov_len: length };
        }
        pieces
    }

    fn headers(&mut self, pieces: &mut [iovec; WIDTH], to: To) -> [mmsghdr; WIDTH] {
        // SAFETY: numbers and pointers, and zero is a value of each.
        let mut headers: [mmsghdr; WIDTH] = unsafe { mem::zeroed() };
        for ((header, piece), sender) in headers.iter_mut().zip(pieces).zip(&mut self.senders) {
            header.msg_hdr.msg_iov = piece;
            header.msg_hdr.msg_iovlen = 1;
            if to == To::Senders {
                header.msg_hdr.msg_name = ptr::from_mut(sender).cast();
                header.msg_hdr.msg_namelen = size_of::<sockaddr_in>() as socklen_t;
            }
        }
        headers
    }
}
