//! Where others bring queries that did not come to DNS's own sockets: DNS over HTTPS, by the proxy's routes.

use std::net::IpAddr;

use super::answering::Answering;
use crate::{dns::outcome::Transport, fleet::AnswerDns};

/// What one thread of others has answered, from what is believed now, and counted and logged like what comes by sockets.
#[derive(Debug)]
pub struct Desk(pub(super) Answering);

impl AnswerDns for Desk {
    fn answer(&mut self, message: &[u8], from: IpAddr, out: &mut Vec<u8>) -> Option<u32> {
        let mut turn = self.0.turn(Transport::Https);
        let is_answered = turn.answer(message, from, out);
        turn.end();
        is_answered.then(|| least_ttl(out).unwrap_or(0))
    }

    fn follow(&mut self) {
        self.0.follow();
    }
}

/// The least TTL of what an answer says or denies: for so long all of it holds (RFC 8484 §5.1). Nothing where it does neither. The SOA of a
/// denial has the TTL of the denial already.
pub(super) fn least_ttl(message: &[u8]) -> Option<u32> {
    let number = |at: usize| Some(u16::from_be_bytes(*message.get(at..)?.first_chunk()?));
    let mut at = 12;
    for _ in 0..number(4)? {
        at = behind_name(message, at)? + 4;
    }
    let mut least = None;
    for _ in 0..u32::from(number(6)?) + u32::from(number(8)?) {
        let head = behind_name(message, at)?;
        let ttl = u32::from_be_bytes(*message.get(head + 4..)?.first_chunk()?);
        least = Some(least.map_or(ttl, |least: u32| least.min(ttl)));
        at = head + 10 + usize::from(number(head + 8)?);
    }
    least
}

/// Where a name ends that begins here.
fn behind_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            0xc0.. => return Some(at + 2),
            length => at += usize::from(length) + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer to `a A` with these records: an owner of so many bytes, a TTL, so many bytes of data.
    fn message(counts: [u16; 3], records: &[(&[u8], u32, u16)]) -> Vec<u8> {
        let [answers, authorities, additionals] = counts;
        let mut message = [7, 0x8400, 1, answers, authorities, additionals].map(u16::to_be_bytes).concat();
        message.extend_from_slice(b"\x01a\0\0\x01\0\x01");
        for (owner, ttl, length) in records {
            message.extend_from_slice(owner);
            message.extend_from_slice(&[0, 1, 0, 1]);
            message.extend_from_slice(&ttl.to_be_bytes());
            message.extend_from_slice(&length.to_be_bytes());
            message.resize(message.len() + usize::from(*length), 0xff);
        }
        message
    }

    #[test]
    fn the_least_ttl_is_of_what_is_answered_or_denied_and_not_of_what_comes_besides() {
        let (pointer, written): (&[u8], &[u8]) = (&[0xc0, 12], b"\x03abc\x01d\0");
        let records = [(pointer, 60, 4), (written, 20, 300), (pointer, 40, 0), (&[0][..], 1, 8)];
        assert_eq!(least_ttl(&message([1, 0, 3], &records)), Some(60));
        assert_eq!(least_ttl(&message([1, 1, 2], &records)), Some(20));
        assert_eq!(least_ttl(&message([3, 0, 1], &records)), Some(20));
        assert_eq!(least_ttl(&message([2, 2, 0], &records)), Some(1));
        assert_eq!(least_ttl(&message([0, 0, 4], &records)), None);
        assert_eq!(least_ttl(&message([1, 0, 0], &[(pointer, u32::MAX, 0)])), Some(u32::MAX));
    }

    #[test]
    fn what_breaks_off_has_none() {
        let whole = message([1, 1, 0], &[(&[0xc0, 12], 60, 4), (b"\x01b\0", 20, 3)]);
        assert_eq!(least_ttl(&whole), Some(20));
        // Only the last record's data is not looked at.
        for length in 0..whole.len() - 3 {
            assert_eq!(least_ttl(&whole[..length]), None, "{length}");
        }
    }
}
