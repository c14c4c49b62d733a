//! What a name comes to: a node of its own, the wildcard that stands for it, another server, another name, or nothing.

use super::{
    compile::{Zone, Zones},
    names::{NOBODY, Node, NodeId},
};

/// What a name comes to.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) enum Found<'a> {
    /// It is there, or a wildcard stands for it.
    Here { zone: &'a Zone, node: &'a Node },
    /// Somebody else is to be asked: authority ends at this node.
    Elsewhere { zone: &'a Zone, cut: NodeId },
    /// Everything below this node lies below another name (RFC 6672).
    Moved { zone: &'a Zone, from: NodeId },
    /// The zone has no such name.
    Missing { zone: &'a Zone },
    /// No zone of ours.
    Foreign,
}

impl Zones {
    /// Finds a name given in wire form and lower case. `of_parent` where the parent's side of a delegation is asked for.
    pub(in crate::dns) fn find(&self, name: &[u8], of_parent: bool) -> Found<'_> {
        if let Some(id) = self.names.find(name) {
            return self.settle(id, id, of_parent);
        }
        // What is deeper than all names needs no look of its own.
        let mut at = self.names.too_deep(name);
        if at == 0 {
            at = label(name, 0);
        }
        while at < name.len() {
            if let Some(encloser) = self.names.find(&name[at..]) {
                return self.below(encloser);
            }
            at = label(name, at);
        }
        Found::Foreign
    }

    /// A node that is there.
    fn settle(&self, id: NodeId, at: NodeId, of_parent: bool) -> Found<'_> {
        let Some(node) = self.names.node(id) else { return Found::Foreign };
        let Some(zone) = self.zone(node.zone) else { return Found::Foreign };
        if node.cut != NOBODY && !(of_parent && node.cut == at) {
            return Found::Elsewhere { zone, cut: node.cut };
        }
        if node.redirect != NOBODY {
            return Found::Moved { zone, from: node.redirect };
        }
        Found::Here { zone, node }
    }

    /// A name that is not there, below the closest one that is (RFC 4592 §3.3.1).
    fn below(&self, encloser: NodeId) -> Found<'_> {
        let Some(node) = self.names.node(encloser) else { return Found::Foreign };
        let Some(zone) = self.zone(node.zone) else { return Found::Foreign };
        if node.cut != NOBODY {
            return Found::Elsewhere { zone, cut: node.cut };
        }
        if node.redirect != NOBODY {
            return Found::Moved { zone, from: node.redirect };
        }
        if node.leads_away {
            return Found::Moved { zone, from: encloser };
        }
        match self.names.node(node.wildcard) {
            Some(node) => Found::Here { zone, node },
            None => Found::Missing { zone },
        }
    }
}

/// Where the next label begins.
fn label(name: &[u8], at: usize) -> usize {
    match name.get(at) {
        None | Some(0) => name.len(),
        Some(length) => at + usize::from(*length) + 1,
    }
}
