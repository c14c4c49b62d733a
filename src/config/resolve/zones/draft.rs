//! A zone on its way: its records as sets, its aliases and steered names, each with its place.
//!
//! Sets, aliases and steered names are sorted by their owner's bytes, so that a name is found by halving and nothing is hashed twice.

use std::{cell::OnceCell, collections::HashSet, path::PathBuf};

use super::gather::WrittenAlias;
use crate::{
    config::{diagnostic::Place, document, record::kind, resolved::Steered, zonefile::WrittenSoa},
    fleet::DnsName,
};

/// Records of one name and type.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) owner: DnsName,
    pub(super) kind: u16,
    pub(super) ttl: u32,
    pub(super) data: Vec<Box<[u8]>>,
    /// Where each of them is written.
    pub(super) places: Vec<Option<Place>>,
}

impl Set {
    /// Where the first of them is written.
    pub(super) fn place(&self) -> Option<Place> {
        self.places.first().copied().flatten()
    }

    /// The names that these records lead to, with where each is written.
    pub(super) fn targets(&self) -> impl Iterator<Item = (DnsName, Option<Place>)> {
        let before = match self.kind {
            kind::CNAME | kind::DNAME | kind::NS => Some(0),
            kind::MX => Some(2),
            kind::SRV => Some(6),
            _ => None,
        };
        let targets = before.into_iter().flat_map(|before| {
            self.data.iter().zip(&self.places).map(move |(data, place)| (data.get(before..), *place))
        });
        targets.filter_map(|(name, place)| Some((DnsName::from_wire(name?)?, place)))
    }
}

/// A name that follows health, and where it is written.
#[derive(Debug)]
pub(super) struct Following {
    pub(super) steered: Steered,
    pub(super) place: Option<Place>,
}

/// One zone.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) apex: DnsName,
    pub(super) place: Option<Place>,
    pub(super) written: &'a document::Zone,
    /// Without the SOA and the NS records of the zone itself.
    pub(super) sets: Vec<Set>,
    pub(super) nameservers: Vec<(DnsName, Option<Place>)>,
    /// Of its files.
    pub(super) soa: Option<WrittenSoa>,
    pub(super) files: Vec<PathBuf>,
    /// The lowest TTL that the NS records of the zone itself have in its files.
    pub(super) nameserver_ttl: Option<u32>,
    pub(super) aliases: Vec<WrittenAlias>,
    pub(super) steered: Vec<Following>,
    /// Whether all of it could be read, so that something can be said to be missing.
    pub(super) is_complete: bool,
    pub(super) index: OnceCell<Index>,
}

/// Names of a zone that others are looked up by, in wire form.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Where other zones begin.
    pub(super) cuts: HashSet<Box<[u8]>>,
    pub(super) dnames: HashSet<Box<[u8]>>,
    /// All that exist, those without records between others and the zone among them; empty where no name has a `*`.
    existing: HashSet<Box<[u8]>>,
}

/// What is at one name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub(super) owner: &'a DnsName,
    pub(super) sets: &'a [Set],
    pub(super) alias: Option<&'a WrittenAlias>,
    pub(super) steered: Option<&'a Following>,
}

impl<'a> Node<'a> {
    pub(super) fn set(&self, kind: u16) -> Option<&'a Set> {
        self.sets.iter().find(|set| set.kind == kind)
    }

    /// Whether it has addresses by itself.
    pub(super) fn has_addresses(&self) -> bool {
        self.steered.is_some() || self.set(kind::A).or_else(|| self.set(kind::AAAA)).is_some()
    }
}

impl Draft<'_> {
    pub(super) fn sort(&mut self) {
        self.aliases.sort_by(|one, other| one.owner.as_wire().cmp(other.owner.as_wire()));
        self.steered.sort_by(|one, other| one.steered.owner.as_wire().cmp(other.steered.owner.as_wire()));
    }

    /// What is at exactly this name, in wire form.
    pub(super) fn node(&self, name: &[u8]) -> Option<Node<'_>> {
        let from = self.sets.partition_point(|set| set.owner.as_wire() < name);
        let count = self.sets[from..].iter().take_while(|set| set.owner.as_wire() == name).count();
        let sets = &self.sets[from..from + count];
        let found = self.aliases.binary_search_by(|alias| alias.owner.as_wire().cmp(name)).ok();
        let alias = found.map(|at| &self.aliases[at]);
        let found = self.steered.binary_search_by(|one| one.steered.owner.as_wire().cmp(name)).ok();
        let steered = found.map(|at| &self.steered[at]);
        let owner = sets.first().map(|set| &set.owner).or(alias.map(|alias| &alias.owner));
        let owner = owner.or(steered.map(|one| &one.steered.owner))?;
        Some(Node { owner, sets, alias, steered })
    }

    /// All names that have something, in order.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        let mut names: Vec<&[u8]> = self.owners().map(DnsName::as_wire).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter_map(|name| self.node(name))
    }

    /// Some more than once.
    fn owners(&self) -> impl Iterator<Item = &DnsName> {
        let sets = self.sets.iter().map(|set| &set.owner);
        let aliases = self.aliases.iter().map(|alias| &alias.owner);
        sets.chain(aliases).chain(self.steered.iter().map(|one| &one.steered.owner))
    }

    pub(super) fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let mut index = Index::default();
            for set in &self.sets {
                let owner = set.owner.as_wire();
                match set.kind {
                    kind::NS => drop(index.cuts.insert(owner.into())),
                    kind::DNAME => drop(index.dnames.insert(owner.into())),
                    _ => {}
                }
            }
            if self.owners().any(|owner| owner.as_wire().starts_with(b"\x01*")) {
                for owner in self.owners() {
                    let new = suffixes(owner, &self.apex).take_while(|name| index.existing.insert((*name).into()));
                    new.for_each(drop);
                }
                index.existing.insert(self.apex.as_wire().into());
            }
            index
        })
    }

    /// What answers for a name that has nothing of its own: the wildcard below the longest part of it that exists.
    pub(super) fn wildcard(&self, name: &DnsName) -> Option<Node<'_>> {
        let existing = &self.index().existing;
        if existing.is_empty() || existing.contains(name.as_wire()) {
            return None;
        }
        let encloser = suffixes(name, &self.apex).find(|name| existing.contains(*name))?;
        self.node(&[b"\x01*", encloser].concat())
    }
}

/// A name and those above it, down to the zone's own, in wire form.
pub(super) fn suffixes<'a>(name: &'a DnsName, apex: &DnsName) -> impl Iterator<Item = &'a [u8]> {
    let (wire, shortest) = (name.as_wire(), apex.as_wire().len());
    let mut at = 0;
    std::iter::from_fn(move || {
        let suffix = wire.get(at..).filter(|suffix| suffix.len() >= shortest)?;
        at += usize::from(suffix[0]) + 1;
        Some(suffix)
    })
}
