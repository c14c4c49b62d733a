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
                return Some(Found { zone, node: zone.node(name) });
            }
            match name.get(at)? {
                0 => return None,
                length => at += usize::from(*length) + 1,
            }
        }
    }
}

impl Zone {
    /// The node of a name in the zone: its own, or else the wildcard below its closest ancestor that exists (RFC 4592 §3.3.1).
    fn node(&self, name: &[u8]) -> Option<&Node> {
        if let Some(node) = self.nodes.get(name) {
            return Some(node);
        }
        if !self.has_wildcards {
            return None;
        }
        let mut at = 0;
        loop {
            at += usize::from(*name.get(at).filter(|length| **length > 0)?) + 1;
            let ancestor = name.get(at..)?;
            if self.nodes.contains_key(ancestor) {
                // A name in wire form has at most 255 bytes.
                let mut wildcard = [0; 2 + 255];
                wildcard[..2].copy_from_slice(b"\x01*");
                wildcard.get_mut(2..2 + ancestor.len())?.copy_from_slice(ancestor);
                return self.nodes.get(&wildcard[..2 + ancestor.len()]);
            }
        }
    }
}
