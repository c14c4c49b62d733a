//! How many connections each client has.

use std::{cell::RefCell, collections::HashMap, net::IpAddr, rc::Rc};

/// Connections of one worker by client: an IPv4 address, or an IPv6 network of 64 bits, as a household has one. Bounded by the connections
/// there are.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Guests(RefCell<HashMap<u64, u32>>);

/// One connection among them.
#[derive(Debug)]
pub(super) struct Guest {
    client: u64,
    guests: Rc<Guests>,
}

impl Guests {
    /// One more, unless there are so many already.
    pub(super) fn admit(self: &Rc<Self>, client: IpAddr, most: u32) -> Option<Guest> {
        let client = key(client);
        let mut guests = self.0.borrow_mut();
        let connections = guests.entry(client).or_default();
        if *connections >= most {
            return None;
        }
        *connections += 1;
        Some(Guest { client, guests: Rc::clone(self) })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut guests = self.guests.0.borrow_mut();
        if let Some(connections) = guests.get_mut(&self.client) {
            *connections -= 1;
            if *connections == 0 {
                guests.remove(&self.client);
            }
        }
    }
}

/// No IPv6 network in use begins with zeros, so the two kinds never meet.
fn key(client: IpAddr) -> u64 {
    match client {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_so_many_connections_and_no_more() {
        let guests = Rc::<Guests>::default();
        let admit = |client: &str| guests.admit(client.parse().unwrap(), 2);
        let held = [admit("192.0.2.1"), admit("192.0.2.1"), admit("2001:db8::1"), admit("2001:db8::2")];
        assert!(held.iter().all(Option::is_some));
        assert!(admit("192.0.2.1").is_none() && admit("2001:db8::3").is_none(), "a network of 64 bits is one client");
        assert!(admit("192.0.2.2").is_some() && admit("2001:db8:0:1::1").is_some());
        drop(held);
        assert!(guests.0.borrow().is_empty());
        assert!(admit("192.0.2.1").is_some());
    }
}
