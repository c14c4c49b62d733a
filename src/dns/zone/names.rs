//! Every name of every zone in one table, found by hash: what exists costs one look, whatever the number of zones and names.
//!
//! What is read together lies together: names and encoded records in one run of bytes, in the order of zones and owners, so that a look at
//! one of a million names misses few cache lines.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use crate::dns::wire::Records;

/// Position of a node.
pub(in crate::dns) type NodeId = u32;

/// No node.
pub(in crate::dns) const NOBODY: NodeId = NodeId::MAX;

/// All nodes, by name.
#[derive(Debug, Default)]
pub(in crate::dns) struct Names {
    table: HashTable<NodeId>,
    hasher: RandomState,
    pub(super) nodes: Vec<Node>,
    pub(super) sets: Vec<Set>,
    pub(super) bytes: Vec<u8>,
    /// Labels of the longest name: what has more of them is below, at best.
    depth: usize,
}

/// One name.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) struct Node {
    pub(super) name: Span,
    pub(super) sets: Span,
    /// Its zone, as a position.
    pub(in crate::dns) zone: u32,
    /// The wildcard below it.
    pub(in crate::dns) wildcard: NodeId,
    /// Where authority ends: itself or a name above it.
    pub(in crate::dns) cut: NodeId,
    /// The name above it that everything below leads elsewhere from.
    pub(in crate::dns) redirect: NodeId,
    /// Whether names below it lie below another name.
    pub(super) leads_away: bool,
    /// Whose addresses it gives.
    pub(in crate::dns) alias: NodeId,
    /// How it is steered, as a position.
    pub(in crate::dns) steer: u32,
}

/// Records of one type, encoded one behind the other.
#[derive(Clone, Copy, Debug)]
pub(in crate::dns) struct Set {
    pub(in crate::dns) kind: u16,
    pub(super) count: u16,
    pub(super) span: Span,
}

/// A piece of one of the lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
}

impl Span {
    fn of<T>(self, list: &[T]) -> &[T] {
        list.get(self.start as usize..self.start as usize + self.length as usize).unwrap_or_default()
    }
}

impl Node {
    /// A number of its own.
    pub(in crate::dns) fn mark(&self) -> u64 {
        u64::from(self.name.start)
    }

    pub(super) fn new(zone: u32) -> Self {
        Self {
            name: Span::default(),
            sets: Span::default(),
            zone,
            wildcard: NOBODY,
            cut: NOBODY,
            redirect: NOBODY,
            leads_away: false,
            alias: NOBODY,
            steer: u32::MAX,
        }
    }
}

impl Names {
    /// A node of exactly this name, given in wire form and lower case.
    pub(in crate::dns) fn find(&self, name: &[u8]) -> Option<NodeId> {
        self.table.find(self.hasher.hash_one(name), |id| self.name(*id) == name).copied()
    }

    /// Puts in a name that is not there yet.
    pub(super) fn insert(&mut self, name: &[u8], zone: u32) -> NodeId {
        let id = NodeId::try_from(self.nodes.len()).unwrap_or(NOBODY);
        let name_span = self.keep(name);
        self.nodes.push(Node { name: name_span, ..Node::new(zone) });
        self.depth = self.depth.max(labels(name));
        let Self { table, hasher, nodes, bytes, .. } = self;
        let hash = |id: &NodeId| hasher.hash_one(nodes[*id as usize].name.of(bytes));
        table.insert_unique(hash(&id), id, hash);
        id
    }

    /// Appends bytes, and says where.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(bytes);
        Span { start, length: u32::try_from(bytes.len()).unwrap_or_default() }
    }

    /// The node of an id.
    pub(in crate::dns) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// A node's name in wire form; empty for nobody.
    pub(in crate::dns) fn name(&self, id: NodeId) -> &[u8] {
        self.node(id).map_or(&[], |node| node.name.of(&self.bytes))
    }

    /// What a name has.
    pub(in crate::dns) fn sets(&self, node: &Node) -> &[Set] {
        node.sets.of(&self.sets)
    }

    /// What a name has of one type.
    pub(in crate::dns) fn set(&self, node: &Node, kind: u16) -> Option<Records<'_>> {
        let set = self.sets(node).iter().find(|set| set.kind == kind)?;
        Some(self.records(set))
    }

    /// A set's records.
    pub(in crate::dns) fn records(&self, set: &Set) -> Records<'_> {
        Records { bytes: set.span.of(&self.bytes), count: set.count }
    }

    /// How far to cut a name that has more labels than any here: bytes to leave out, whole labels.
    pub(super) fn too_deep(&self, name: &[u8]) -> usize {
        let mut at = 0;
        for _ in self.depth..labels(name) {
            at += usize::from(name.get(at).copied().unwrap_or_default()) + 1;
        }
        at
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
}

fn labels(name: &[u8]) -> usize {
    let (mut at, mut count) = (0, 0);
    while let Some(length) = name.get(at).filter(|length| **length > 0) {
        at += usize::from(*length) + 1;
        count += 1;
    }
    count
}
