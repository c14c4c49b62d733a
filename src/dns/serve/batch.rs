//! UDP many at a time: one system call takes up to 32 datagrams, another sends their answers.
//!
//! An answer leaves from the address that was asked: a socket for all addresses is told of it with each datagram, and says it back.
//! A socket for one address has no need of that and carries none of it. This file speaks to the kernel itself: what a safe wrapper
//! offers (`nix`) gives all datagrams of one call the same control messages, and here each has its own.
//!
//! Everything is allocated once per socket. Pointers between the parts are set once or just before the call that reads them; what a
//! call changed is set back before the next, and no more than that.
//!
//! Not here: where other systems send and receive (`single`), and what is answered.

#![allow(unsafe_code, reason = "`recvmmsg`, `sendmmsg` and control messages have no safe interface that fits")]

use std::{
    io,
    mem::{offset_of, size_of},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    os::fd::AsRawFd,
    ptr::{self, NonNull},
};

use libc::{c_int, c_void, cmsghdr, iovec, mmsghdr};

use super::{Replied, Wait};

/// Datagrams of one call.
pub(super) const WIDTH: usize = 32;
/// Bytes of the longest query; nothing longer is one.
const LONGEST: usize = 4096;

/// An address as the kernel writes it: that of IPv6, whose second word is an IPv4 address where the family is that.
#[repr(C)]
struct Name {
    family: libc::sa_family_t,
    port: [u8; 2],
    v4: [u8; 4],
    v6: [u8; 16],
    scope: u32,
}

const _: () = assert!(size_of::<Name>() == size_of::<libc::sockaddr_in6>());
const _: () = assert!(offset_of!(Name, v4) == offset_of!(libc::sockaddr_in, sin_addr));
const _: () = assert!(offset_of!(Name, v6) == offset_of!(libc::sockaddr_in6, sin6_addr));

impl Name {
    fn read(&self) -> Option<SocketAddr> {
        let port = u16::from_be_bytes(self.port);
        match c_int::from(self.family) {
            libc::AF_INET => Some((Ipv4Addr::from(self.v4), port).into()),
            libc::AF_INET6 => Some((Ipv6Addr::from(self.v6), port).into()),
            _ => None,
        }
    }
}

/// The one control message that a datagram comes and goes with, with place for the longer kind of address.
#[repr(C)]
struct Control {
    header: cmsghdr,
    data: [u8; 24],
}

/// `in_pktinfo`: the interface, the address that answers to it, the address in the datagram's header.
const V4_INFO: usize = 12;
/// `in6_pktinfo`: the address, the interface.
const V6_INFO: usize = 20;

const _: () = assert!(V4_INFO == size_of::<libc::in_pktinfo>() && V6_INFO == size_of::<libc::in6_pktinfo>());
const _: () = assert!(size_of::<Control>() == space(V6_INFO) && offset_of!(Control, data) == size_of::<cmsghdr>());

/// What a control message with so much data takes.
const fn space(data: usize) -> usize {
    size_of::<cmsghdr>() + data.next_multiple_of(size_of::<usize>())
}

impl Control {
    /// Makes what was received fit to be sent: from the address that was asked, by whatever interface leads to the client. Says how long it
    /// is; nothing where the address is that of many hosts, all of which were asked.
    fn turn_around(&mut self, received: usize) -> Option<usize> {
        let kind = (self.header.cmsg_level, self.header.cmsg_type);
        match kind {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) if received >= space(V4_INFO) => {
                let (interface, addresses) = self.data[..V4_INFO].split_at_mut(4);
                let (own, asked) = addresses.split_at(4);
                interface.fill(0);
                (own == asked).then_some(space(V4_INFO))
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if received >= space(V6_INFO) => {
                let (asked, interface) = self.data[..V6_INFO].split_first_chunk_mut::<16>()?;
                let asked = Ipv6Addr::from(*asked);
                // A link-local address means nothing without its link.
                if !asked.is_unicast_link_local() {
                    interface.fill(0);
                }
                (!asked.is_multicast()).then_some(space(V6_INFO))
            }
            _ => Some(0),
        }
    }
}

/// One datagram, and what belongs to it and its answer.
#[repr(C)]
struct Slot {
    name: Name,
    control: Control,
    into: iovec,
    from: iovec,
    bytes: [u8; LONGEST],
}

#[repr(C)]
struct Storage {
    slots: [Slot; WIDTH],
    arriving: [mmsghdr; WIDTH],
    leaving: [mmsghdr; WIDTH],
}

/// A socket and a batch of datagrams.
pub(super) struct Datagrams {
    socket: UdpSocket,
    /// Owned, and reached by nothing else but the pointers inside it.
    storage: NonNull<Storage>,
    answers: [Vec<u8>; WIDTH],
    /// How many of `arriving` the last call may have changed.
    used: usize,
    /// Length of the control messages that are asked for; 0 where the socket has one address.
    control: usize,
}

// SAFETY: the storage belongs to this value alone, and its pointers lead into it or are set anew before each use.
unsafe impl Send for Datagrams {}

impl Datagrams {
    /// Takes a bound socket over.
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        let address = socket.local_addr()?.ip();
        if address.is_unspecified() {
            say_who_was_asked(&socket, address)?;
        }
        // SAFETY: integers, arrays of them and null pointers are what zeros mean in every part of it.
        let storage = Box::into_raw(unsafe { Box::<Storage>::new_zeroed().assume_init() });
        for at in 0..WIDTH {
            // SAFETY: `storage` was made above and belongs to nobody else. No reference is made, so that the pointers stay good beside
            // each other for as long as the storage lives.
            unsafe {
                let slot = &raw mut (*storage).slots[at];
                (*slot).into = iovec { iov_base: (&raw mut (*slot).bytes).cast(), iov_len: LONGEST };
                let header = &raw mut (*storage).arriving[at].msg_hdr;
                (*header).msg_name = (&raw mut (*slot).name).cast();
                (*header).msg_iov = &raw mut (*slot).into;
                (*header).msg_iovlen = 1;
                (*header).msg_control = (&raw mut (*slot).control).cast();
            }
        }
        Ok(Self {
            socket,
            // SAFETY: a box is never null.
            storage: unsafe { NonNull::new_unchecked(storage) },
            answers: std::array::from_fn(|_| Vec::with_capacity(1344)),
            used: WIDTH,
            control: if address.is_unspecified() { size_of::<Control>() } else { 0 },
        })
    }

    /// Takes what has arrived, as much as fits, and says how many datagrams.
    ///
    /// # Errors
    /// `WouldBlock` where nothing has.
    pub(super) fn receive(&mut self, wait: Wait) -> io::Result<usize> {
        let flags = if wait == Wait::ForOne { libc::MSG_WAITFORONE } else { libc::MSG_DONTWAIT };
        let (used, control) = (self.used, self.control);
        for header in &mut self.storage().arriving[..used] {
            header.msg_hdr.msg_namelen = length(size_of::<Name>());
            header.msg_hdr.msg_controllen = control as _;
        }
        let (socket, storage) = (self.socket.as_raw_fd(), self.storage.as_ptr());
        // SAFETY: the headers lead to names, buffers and control messages inside the storage, with their lengths; nobody holds a reference
        // to any of it during the call.
        let received = again(|| unsafe {
            let headers = (&raw mut (*storage).arriving).cast::<mmsghdr>();
            libc::recvmmsg(socket, headers, length(WIDTH), flags as _, ptr::null_mut())
        });
        self.used = *received.as_ref().unwrap_or(&0);
        received
    }

    /// Has each datagram that was received answered into a buffer, and sends what there is: `answer` says whether there is anything.
    pub(super) fn reply(&mut self, mut answer: impl FnMut(&[u8], SocketAddr, &mut Vec<u8>) -> bool) -> Replied {
        let (mut replied, mut answered) = (Replied::default(), 0);
        for at in 0..self.used {
            let out = &mut self.answers[answered];
            // SAFETY: as in `storage`; the buffers of answers are no part of it.
            let Storage { slots, arriving, .. } = unsafe { self.storage.as_mut() };
            let (slot, arrived) = (&mut slots[at], &arriving[at]);
            let control = slot.control.turn_around(as_usize(arrived.msg_hdr.msg_controllen));
            let (Some(client), Some(control)) = (slot.name.read(), control) else {
                replied.unanswerable += 1;
                continue;
            };
            if arrived.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
                replied.oversized += 1;
                continue;
            }
            let message = &slot.bytes[..LONGEST.min(arrived.msg_len as usize)];
            if !answer(message, client, out) {
                continue;
            }
            slot.from = iovec { iov_base: out.as_mut_ptr().cast(), iov_len: out.len() };
            self.address(answered, at, control);
            answered += 1;
        }
        replied.unsent = self.send(answered);
        replied
    }

    /// Lets the answer of this number go to whom the datagram of that number came from.
    fn address(&mut self, answer: usize, datagram: usize, control: usize) {
        let storage = self.storage.as_ptr();
        // SAFETY: as in `new`: no references. The length of the name is the kernel's own.
        unsafe {
            let slot = &raw mut (*storage).slots[datagram];
            let header = &raw mut (*storage).leaving[answer].msg_hdr;
            (*header).msg_name = (&raw mut (*slot).name).cast();
            (*header).msg_namelen = (*storage).arriving[datagram].msg_hdr.msg_namelen;
            (*header).msg_iov = &raw mut (*slot).from;
            (*header).msg_iovlen = 1;
            (*header).msg_control = if control == 0 { ptr::null_mut() } else { (&raw mut (*slot).control).cast() };
            (*header).msg_controllen = control as _;
        }
    }

    /// Sends the first so many answers; says how many could not be. A full queue loses the rest, as a network may.
    fn send(&mut self, count: usize) -> u64 {
        let (socket, storage) = (self.socket.as_raw_fd(), self.storage.as_ptr());
        let (mut next, mut unsent) = (0, 0);
        while next < count {
            // SAFETY: the headers from `next` to `count` were set in `address`; what they lead to is in the storage or in `answers`, neither
            // of which changed since. The kernel writes nothing but lengths.
            let sent = again(|| unsafe {
                let headers = (&raw mut (*storage).leaving).cast::<mmsghdr>().add(next);
                libc::sendmmsg(socket, headers, length(count - next), libc::MSG_DONTWAIT as _)
            });
            match sent {
                Ok(sent) if sent > 0 => next += sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return unsent + (count - next) as u64,
                // This one cannot be sent: no way to the client, or a filter. The others may.
                _ => (next, unsent) = (next + 1, unsent + 1),
            }
        }
        unsent
    }

    fn storage(&mut self) -> &mut Storage {
        // SAFETY: made in `new` and owned; the borrow of `self` makes sure that it is the only reference.
        unsafe { self.storage.as_mut() }
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        // SAFETY: it came from a box, and nobody has it any more.
        drop(unsafe { Box::from_raw(self.storage.as_ptr()) });
    }
}

/// Has the kernel tell with each datagram which address it was sent to.
fn say_who_was_asked(socket: &UdpSocket, address: IpAddr) -> io::Result<()> {
    let (level, option) = match address {
        IpAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        IpAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
    let (socket, on) = (socket.as_raw_fd(), 1_i32);
    again(|| {
        let value: *const c_void = (&raw const on).cast();
        // SAFETY: the value is an integer of the length that is said, and lives through the call.
        unsafe { libc::setsockopt(socket, level, option, value, length(size_of::<c_int>())) }
    })
    .map(|_| ())
}

/// A system call's result, made again where a signal came between.
fn again(mut call: impl FnMut() -> c_int) -> io::Result<usize> {
    loop {
        match usize::try_from(call()) {
            Ok(count) => return Ok(count),
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error => return Err(error),
            },
        }
    }
}

/// A length of something in this file, all of which are small.
fn length(of: usize) -> libc::socklen_t {
    libc::socklen_t::try_from(of).unwrap_or_default()
}

/// Wider on some systems than on others.
#[allow(clippy::unnecessary_cast, clippy::useless_conversion, reason = "`socklen_t` with musl, `size_t` with glibc")]
fn as_usize(length: impl TryInto<usize>) -> usize {
    length.try_into().unwrap_or_default()
}
