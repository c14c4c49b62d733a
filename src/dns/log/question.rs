//! What the log wants to know of a query beside its outcome, read again from its bytes: it was found to be well formed before.
//!
//! What cannot be read is left out. Nothing is followed: the first name of a message has no earlier one to point to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the question begins.
const HEADER: usize = 12;
const MAX_NAME: usize = 255;
const OPT: u16 = 41;
const CLIENT_SUBNET: u16 = 8;

/// The network of whoever asked the resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subnet {
    pub(super) address: IpAddr,
    pub(super) bits: u8,
}

/// A name, and for whom it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// In wire form, as it was spelled.
    name: [u8; MAX_NAME],
    length: u8,
    pub(super) subnet: Option<Subnet>,
}

impl Question {
    /// Reads a message; the subnet only where there is one.
    pub(super) fn read(message: &[u8], has_subnet: bool) -> Self {
        let mut question = Self { name: [0; MAX_NAME], length: 0, subnet: None };
        let Some((end, wire)) = name_end(message, HEADER).and_then(|end| Some((end, message.get(HEADER..end)?))) else {
            return question;
        };
        if let (Some(place), Ok(length)) = (question.name.get_mut(..wire.len()), u8::try_from(wire.len())) {
            place.copy_from_slice(wire);
            question.length = length;
        }
        if has_subnet {
            // Type and class come after the name.
            question.subnet = subnet(message, end + 4);
        }
        question
    }

    /// The name in wire form; empty where it could not be read.
    pub(super) fn name(&self) -> &[u8] {
        &self.name[..usize::from(self.length)]
    }
}

/// Where a name ends that begins here.
fn name_end(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length if length < 64 => at += usize::from(length) + 1,
            // A pointer is the end of a name.
            length if length >= 192 => return Some(at + 2),
            _ => return None,
        }
    }
}

/// The client subnet among the options of the OPT record among the records from here on (RFC 6891 §6.1.2, RFC 7871 §6).
fn subnet(message: &[u8], mut at: usize) -> Option<Subnet> {
    loop {
        at = name_end(message, at)?;
        // Type, class, TTL, length.
        let fixed = message.get(at..at + 10)?;
        let length = usize::from(word(fixed, 8)?);
        let data = message.get(at + 10..at + 10 + length)?;
        if word(fixed, 0)? == OPT {
            return option(data, CLIENT_SUBNET).and_then(network);
        }
        at += 10 + length;
    }
}

fn option(mut options: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (code, length) = (word(options, 0)?, usize::from(word(options, 2)?));
        let data = options.get(4..4 + length)?;
        if code == wanted {
            return Some(data);
        }
        options = &options[4 + length..];
    }
}

fn network(data: &[u8]) -> Option<Subnet> {
    let (family, bits, prefix) = (word(data, 0)?, *data.get(2)?, data.get(4..)?);
    let mut octets = [0; 16];
    octets.get_mut(..prefix.len())?.copy_from_slice(prefix);
    let address = match family {
        1 => Ipv4Addr::from_bits(u32::from_be_bytes(*octets.first_chunk()?)).into(),
        2 => Ipv6Addr::from(octets).into(),
        // A network of no bits may have no family.
        _ => return None,
    };
    Some(Subnet { address, bits })
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
