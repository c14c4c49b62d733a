//! Records become sets: of one name and type, with one TTL, each record once.

use std::collections::HashSet;

use super::draft::Set;
use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    record::kind,
    zonefile::Record,
};

/// Records of one type that one name may have.
const MAX_RECORDS: usize = 500;
/// Bytes that a set may take: a message over TCP has 65,535, and its header, question and OPT take the rest.
const MAX_SET_SIZE: usize = 65_000;

/// The sets of a zone, by the bytes of their owner, then by type.
pub(super) fn sets(mut records: Vec<Record>, problems: &mut Diagnostics) -> Vec<Set> {
    records.sort_by(|one, other| (one.owner.as_wire(), one.kind).cmp(&(other.owner.as_wire(), other.kind)));
    let mut sets: Vec<Set> = Vec::with_capacity(records.len());
    let mut records = records.into_iter().peekable();
    while let Some(first) = records.next() {
        let mut set = Together { lowest: 0, highest: 0, records: vec![first] };
        while let Some(next) = records.next_if(|next| next.kind == set.kind() && next.owner == set.records[0].owner) {
            set.add(next);
        }
        sets.extend(set.settle(problems));
    }
    sets.shrink_to_fit();
    sets
}

/// Records of one name and type, as they are written.
struct Together {
    records: Vec<Record>,
    /// The positions of the lowest and highest TTL.
    lowest: usize,
    highest: usize,
}

impl Together {
    fn kind(&self) -> u16 {
        self.records[0].kind
    }

    fn add(&mut self, record: Record) {
        if record.ttl < self.records[self.lowest].ttl {
            self.lowest = self.records.len();
        }
        if record.ttl > self.records[self.highest].ttl {
            self.highest = self.records.len();
        }
        self.records.push(record);
    }

    /// Nothing where there is more than an answer holds.
    fn settle(mut self, problems: &mut Diagnostics) -> Option<Set> {
        let kind = self.kind();
        if self.records.len() > 1 {
            self.report_ttls(problems);
            self.drop_twins(problems);
        }
        let (count, first) = (self.records.len(), &self.records[0]);
        if count > MAX_RECORDS {
            let name = kind::name(kind);
            let message = format!("there are {count} {name} records of one name, and at most {MAX_RECORDS} fit");
            let place = self.records[MAX_RECORDS].place;
            problems.push(Diagnostic::error(Code::TooMany, message).at(place, "the first too many"));
            return None;
        }
        // Each record has its owner as a pointer, type, class, TTL and length before its data.
        let size: usize = self.records.iter().map(|record| 12 + record.data.len()).sum();
        if size > MAX_SET_SIZE {
            let name = kind::name(kind);
            let message =
                format!("the {name} records of one name take {size} bytes, and at most {MAX_SET_SIZE} fit an answer");
            problems.push(Diagnostic::error(Code::TooMany, message).at(first.place, "these together"));
            return None;
        }
        let ttl = self.records.iter().map(|record| record.ttl).min().unwrap_or_default();
        let places = self.records.iter().map(|record| record.place).collect();
        let owner = first.owner.clone();
        Some(Set { owner, kind, ttl, data: self.records.into_iter().map(|record| record.data).collect(), places })
    }

    fn report_ttls(&self, problems: &mut Diagnostics) {
        let (lowest, highest) = (&self.records[self.lowest], &self.records[self.highest]);
        if lowest.ttl != highest.ttl {
            let (kind, owner) = (kind::name(lowest.kind), &lowest.owner);
            let message = format!("the {kind} records of `{owner}` have different TTLs, of which the lowest holds");
            let warning = Diagnostic::warning(Code::TtlMismatch, message);
            let warning = warning.at(highest.place, format!("{} s", highest.ttl));
            problems.push(warning.at(lowest.place, format!("{} s", lowest.ttl)));
        }
    }

    fn drop_twins(&mut self, problems: &mut Diagnostics) {
        let mut seen = HashSet::new();
        let twins: Vec<_> = self.records.iter().map(|record| !seen.insert(&record.data)).collect();
        if !twins.contains(&true) {
            return;
        }
        for (twin, _) in self.records.iter().zip(&twins).filter(|(_, is_twin)| **is_twin) {
            let first = self.records.iter().find(|record| record.data == twin.data).and_then(|first| first.place);
            let message = format!("the same {} record of `{}` is written twice", kind::name(twin.kind), twin.owner);
            let warning = Diagnostic::warning(Code::DuplicateRecord, message);
            problems.push(warning.at(twin.place, "here again").at(first, "first here"));
        }
        let mut twins = twins.into_iter();
        self.records.retain(|_| !twins.next().unwrap_or_default());
        (self.lowest, self.highest) = (0, 0);
    }
}
