//! Queries as bytes, and what has to be true of their answers.

use std::net::Ipv4Addr;

use fastrand::Rng;
use hickory_proto::{
    op::{Message, ResponseCode},
    rr::RData,
};
use meridian::clock;

use crate::{places::region_of, scenes::Scene};

pub(crate) const ZONE: &str = "shop.example";
/// The steered name. It is as long as the others, so that all datagrams are.
pub(crate) const STEERED: &str = "steered";

/// No query is longer.
pub(crate) const LONGEST: usize = 128;

/// After the header, the length of the first label.
const FIRST_LABEL: usize = 13;

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Static(u32),
    Steered,
}

/// A static name.
pub(crate) fn label(number: u32) -> String {
    format!("n{number:06}")
}

/// The address of a static name.
pub(crate) fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(10 << 24 | number)
}

/// Makes queries of one scene.
pub(crate) struct Questions {
    template: Vec<u8>,
    random: Rng,
    names: u32,
    steered_percent: u8,
    /// Whether the last three bytes are a client's network.
    has_subnet: bool,
}

impl Questions {
    pub(crate) fn new(scene: &Scene, names: u32) -> Self {
        Self {
            template: template(scene.has_subnet),
            random: clock::random(),
            names,
            steered_percent: scene.steered_percent,
            has_subnet: scene.has_subnet,
        }
    }

    /// Writes the next one, and says how long it is and what it asks.
    pub(crate) fn write(&mut self, id: u16, into: &mut [u8]) -> (usize, Asked) {
        let is_steered = self.random.u8(..100) < self.steered_percent;
        let asked = if is_steered { Asked::Steered } else { Asked::Static(self.random.u32(..self.names)) };
        let network = self.random.u32(..1 << 24);
        (self.write_one(id, asked, network, into), asked)
    }

    /// Writes one. `network` is the first three bytes of the client's, and goes nowhere where the scene has no client subnet.
    pub(crate) fn write_one(&self, id: u16, asked: Asked, network: u32, into: &mut [u8]) -> usize {
        let length = self.template.len();
        let into = &mut into[..length];
        into.copy_from_slice(&self.template);
        into[..2].copy_from_slice(&id.to_be_bytes());
        let label = &mut into[FIRST_LABEL..FIRST_LABEL + STEERED.len()];
        match asked {
            Asked::Steered => label.copy_from_slice(STEERED.as_bytes()),
            Asked::Static(mut number) => {
                for digit in label[1..].iter_mut().rev() {
                    *digit = b'0' + (number % 10) as u8;
                    number /= 10;
                }
            }
        }
        if self.has_subnet {
            into[length - 3..].copy_from_slice(&network.to_be_bytes()[1..]);
        }
        length
    }
}

/// A question for the A record of `n000000` in the zone, with EDNS.
fn template(has_subnet: bool) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    for label in label(0).split('.').chain(ZONE.split('.')) {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    // OPT of the root, 1,232 bytes, and nothing extended.
    bytes.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0]);
    if has_subnet {
        // Client subnet: seven bytes, IPv4, a /24, no scope.
        bytes.extend([0, 11, 0, 8, 0, 7, 0, 1, 24, 0, 0, 0, 0]);
    } else {
        bytes.extend([0, 0]);
    }
    bytes
}

/// The cheap look that every answer gets: whether it is one, without an error, and has records.
pub(crate) fn is_answer(bytes: &[u8]) -> bool {
    bytes.len() > 12 && bytes[2] & 0x80 != 0 && bytes[3] << 4 == 0 && bytes[6..8] != [0, 0]
}

/// The thorough look: the addresses that it names.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn addresses(bytes: &[u8], asked: Asked) -> Result<Vec<Ipv4Addr>, String> {
    let message = Message::from_vec(bytes).map_err(|error| error.to_string())?;
    if message.metadata.response_code != ResponseCode::NoError {
        return Err(format!("it says {}", message.metadata.response_code));
    }
    let addresses: Vec<Ipv4Addr> = message
        .answers
        .iter()
        .filter_map(|record| if let RData::A(address) = &record.data { Some(address.0) } else { None })
        .collect();
    let is_right = match asked {
        Asked::Static(number) => addresses == [address(number)],
        Asked::Steered => !addresses.is_empty() && addresses.iter().all(|address| region_of(*address).is_some()),
    };
    if is_right { Ok(addresses) } else { Err(format!("it leads to {addresses:?}")) }
}
