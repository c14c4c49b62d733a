//! The TCP connections of one thread: a list with free places, and how many each client has.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use super::connection::Connection;

/// Connections looked at to find one that rests.
const LOOKED_AT: usize = 64;
/// How long a connection has to be silent to make place for another.
const REST: Duration = Duration::from_secs(1);

/// What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, as a household has one. No such network in use begins with
/// zeros, so the two kinds never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Guest(u64);

impl From<IpAddr> for Guest {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or_default(),
        })
    }
}

/// How many connections each client has.
#[derive(Debug, Default)]
pub(super) struct Guests(HashMap<Guest, usize>);

impl Guests {
    /// Counts one more, unless the client has as many as it may.
    pub(super) fn admit(&mut self, guest: Guest, most: usize) -> bool {
        let has = self.0.entry(guest).or_default();
        let is_admitted = *has < most;
        *has += usize::from(is_admitted);
        is_admitted
    }

    /// Counts one less.
    pub(super) fn leave(&mut self, guest: Guest) {
        if let Some(has) = self.0.get_mut(&guest) {
            *has -= 1;
            if *has == 0 {
                self.0.remove(&guest);
            }
        }
    }
}

/// All open connections.
#[derive(Debug, Default)]
pub(super) struct Connections {
    places: Vec<Option<Connection>>,
    free: Vec<usize>,
    guests: Guests,
    /// Where the next search for one that rests begins.
    hand: usize,
}

impl Connections {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether this client may have one more; then it counts as there.
    pub(super) fn admit(&mut self, address: IpAddr, most: usize) -> bool {
        self.guests.admit(address.into(), most)
    }

    /// Forgets one that was admitted and did not come.
    pub(super) fn leave(&mut self, address: IpAddr) {
        self.guests.leave(address.into());
    }

    /// The place that the next connection gets.
    pub(super) fn next_place(&self) -> usize {
        self.free.last().copied().unwrap_or(self.places.len())
    }

    /// Takes in a connection that was admitted.
    pub(super) fn insert(&mut self, connection: Connection) {
        match self.free.pop() {
            Some(place) => self.places[place] = Some(connection),
            None => self.places.push(Some(connection)),
        }
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut Connection> {
        self.places.get_mut(place)?.as_mut()
    }

    /// Closes one; whether it was there.
    pub(super) fn remove(&mut self, place: usize) -> bool {
        // Closing the socket takes it out of the poll.
        let Some(connection) = self.places.get_mut(place).and_then(Option::take) else { return false };
        self.guests.leave(connection.address().into());
        self.free.push(place);
        true
    }

    /// Makes place for a newcomer: closes one that has said nothing for a while. Looks at a few, each time at others.
    pub(super) fn remove_one_that_rests(&mut self, now: Duration) -> bool {
        for _ in 0..LOOKED_AT.min(self.places.len()) {
            self.hand = (self.hand + 1) % self.places.len();
            let place = self.places[self.hand].as_ref();
            if place.is_some_and(|connection| connection.silence(now) >= REST) {
                return self.remove(self.hand);
            }
        }
        false
    }

    /// Closes all that said nothing for so long; how many that were.
    pub(super) fn remove_idle(&mut self, now: Duration, limit: Duration) -> u64 {
        let mut count = 0;
        for place in 0..self.places.len() {
            let is_idle = self.places[place].as_ref().is_some_and(|connection| connection.silence(now) >= limit);
            count += u64::from(is_idle && self.remove(place));
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(address: &str) -> Guest {
        Guest::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_network_of_64_bits_is_one_client() {
        assert_eq!(guest("2001:db8::1"), guest("2001:db8::2"));
        assert_ne!(guest("2001:db8::1"), guest("2001:db8:0:1::1"));
        assert_ne!(guest("192.0.2.1"), guest("192.0.2.2"));
        assert_eq!(guest("192.0.2.1"), guest("::ffff:192.0.2.1"));
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let mut guests = Guests::default();
        assert!(guests.admit(guest("192.0.2.1"), 1));
        assert!(!guests.admit(guest("192.0.2.1"), 1));
        assert!(guests.admit(guest("192.0.2.2"), 1));
        guests.leave(guest("192.0.2.1"));
        guests.leave(guest("192.0.2.2"));
        assert!(guests.0.is_empty());
    }
}
