//! What a tree of policies makes of each address, ready to be looked up.
//!
//! A query asks once, whatever the policies' nesting: the view it gets holds the choice of each of them. Views are few, ranges are
//! many, and what makes no difference to any policy of the tree does not end a range: so the scope told to resolvers (RFC 7871) is as
//! wide as the tree allows.
//!
//! Not here: how it is made (`draft`, `charts`), and what becomes of a choice when its regions are down (`dns`).

use std::net::IpAddr;

use super::{chooser::Choice, index::Index};
use crate::{
    config::Branch,
    fleet::{PolicyId, RegionId},
};

/// The choices of one tree of policies for all addresses.
#[derive(Debug)]
pub struct Chart {
    pub(super) index: Index,
    pub(super) views: Box<[View]>,
    pub(super) size: Size,
}

/// How large a chart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Ranges of addresses with one view, of both families.
    pub ranges: usize,
    /// Views that are told apart.
    pub views: usize,
    /// What looking up takes of memory.
    pub bytes: usize,
}

/// What holds for an address, and for how much around it.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// What each policy makes of it.
    pub view: &'a View,
    /// The shortest prefix of the address within which everything gets the same view: 0 to 32, or to 64 for IPv6, of which no more
    /// is looked at. IPv4 mapped into IPv6 is IPv4, with 96 more.
    pub scope: u8,
}

/// What each policy of a tree makes of an address.
#[derive(Debug, PartialEq, Eq)]
pub struct View {
    /// By policy, in id order.
    choices: Box<[(PolicyId, Choice)]>,
}

impl Chart {
    /// What holds for an address. Allocates nothing.
    #[inline]
    pub fn find(&self, address: IpAddr) -> Spot<'_> {
        let found = self.index.find(address);
        Spot { view: &self.views[usize::from(found.view)], scope: found.scope }
    }

    /// Every view there is.
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        self.size
    }
}

impl View {
    pub(super) fn new(choices: Box<[(PolicyId, Choice)]>) -> Self {
        Self { choices }
    }

    /// The regions of a `nearest` or `latency` policy of the tree, best first; none for another.
    #[inline]
    pub fn order(&self, policy: PolicyId) -> &[RegionId] {
        match self.choice(policy) {
            Some(Choice::Order(order)) => order,
            _ => &[],
        }
    }

    /// The branch of a `geo` policy of the tree; nothing for another.
    #[inline]
    pub fn branch(&self, policy: PolicyId) -> Option<Branch> {
        match self.choice(policy) {
            Some(Choice::Branch(branch)) => Some(*branch),
            _ => None,
        }
    }

    fn choice(&self, policy: PolicyId) -> Option<&Choice> {
        let at = self.choices.binary_search_by_key(&policy, |(known, _)| *known).ok()?;
        Some(&self.choices[at].1)
    }
}
