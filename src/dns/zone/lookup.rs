//! Finding a name: the closest zone above it, then the name itself. One hash look-up per label, on the query's own bytes.

use super::compile::{Node, Zone, Zones};

/// Where a name is.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) struct Found<'a> {
    pub(in crate::dns) zone: &'a Zone,
    /// `None` where the zone has no such name.
    pub(in crate::dns) node: Option<&'a Node>,
}

impl Zones {
    /// Finds a name given in wire form and lower case.
    pub(in crate::dns) fn find(&self, name: &[u8]) -> Option<Found<'_>> {
        let mut at = 0;
        loop {
            if let Some(zone) = self.by_name.get(&name[at..]) {
                return Some(Found { zone, node: zone.nodes.get(name) });
            }
            match name.get(at)? {
                0 => return None,
                length => at += usize::from(*length) + 1,
            }
        }
    }
}
