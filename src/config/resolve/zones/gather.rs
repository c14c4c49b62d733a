//! The records of a zone, from the config and from its files, as one list.

use std::{net::Ipv4Addr, path::PathBuf};

use super::{Owners, owner::owner};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, Data, List, Written},
        record::kind,
        resolve::twice::duplicate,
        zonefile::{self, Budget, Record, WrittenSoa},
    },
    fleet::DnsName,
};

/// TTLs where nobody says.
pub(super) const DEFAULT_TTL: u32 = 3600;

/// A name that answers as another does, as it is written.
#[derive(Debug)]
pub(super) struct WrittenAlias {
    pub(super) owner: DnsName,
    pub(super) target: DnsName,
    pub(super) place: Option<Place>,
}

/// Everything that is written of a zone's names, steering left out.
pub(super) struct Gathered {
    pub(super) records: Vec<Record>,
    /// The NS records of the zone itself in its files.
    pub(super) nameservers: Vec<Record>,
    pub(super) soa: Option<WrittenSoa>,
    pub(super) files: Vec<PathBuf>,
    pub(super) aliases: Vec<WrittenAlias>,
    pub(super) is_complete: bool,
}

pub(super) fn gather(
    apex: &DnsName,
    zone: &document::Zone,
    budget: &mut Budget,
    problems: &mut Diagnostics,
) -> Gathered {
    let ttl = zone.ttl.as_ref().map_or(DEFAULT_TTL, |ttl| ttl.0);
    let contents = zonefile::read(&zone.files.items, apex, ttl, budget, problems);
    let is_read = !contents.is_broken && !zone.files.is_broken && !zone.files.is_stand_in;
    let (nameservers, mut records): (Vec<_>, Vec<_>) =
        contents.records.into_iter().partition(|record| record.kind == kind::NS && record.owner == *apex);
    let mut owners = Owners::new();
    let mut gathered = Gathered {
        records: Vec::new(),
        nameservers,
        soa: contents.soa,
        files: contents.files,
        aliases: Vec::new(),
        is_complete: is_read && !zone.records.is_stand_in && zone.records.unreadable.is_empty(),
    };
    for entry in zone.records.iter() {
        let Some(owner) = owner(&entry.name, entry.place, apex, problems) else {
            gathered.is_complete = false;
            continue;
        };
        if let Some(first) = owners.insert(owner.clone(), entry.place) {
            problems.push(duplicate(Code::DuplicateName, format!("`{owner}` is written twice"), entry.place, first));
            continue;
        }
        let ttl = entry.value.ttl.as_ref().map_or(ttl, |ttl| ttl.0);
        gathered.take(&owner, ttl, &entry.value);
        if let Some(first) = entry.value.ns.items.first().filter(|_| owner == *apex) {
            let message = format!("`{owner}` is the zone itself: its name servers stand in `nameservers`");
            let hint = "an `NS` record delegates a zone below this one".to_owned();
            problems.push(Diagnostic::error(Code::RecordConflict, message).at(first.place, "").hint(hint));
            gathered.records.retain(|record| record.kind != kind::NS || record.owner != owner);
        }
    }
    records.append(&mut gathered.records);
    Gathered { records, ..gathered }
}

impl Gathered {
    /// All records of one name.
    fn take(&mut self, owner: &DnsName, ttl: u32, written: &document::Records) {
        let mut into = Into { owner, ttl, records: &mut self.records, is_complete: &mut self.is_complete };
        into.each(kind::A, &written.a, |address: &Ipv4Addr| address.octets().into());
        into.each(kind::AAAA, &written.aaaa, |address| address.octets().into());
        into.each(kind::TXT, &written.txt, |texts| texts.0.clone());
        into.data(&written.ns);
        into.data(&written.mx);
        into.data(&written.srv);
        into.data(&written.caa);
        into.data(&written.ptr);
        into.data(&written.https);
        into.data(&written.svcb);
        into.data(&written.tlsa);
        into.data(&written.sshfp);
        into.data(&written.naptr);
        into.data(&written.ds);
        for (kind, data, place) in [
            (kind::CNAME, written.cname.as_ref().map(|one| &one.0), written.cname.as_ref().and_then(|one| one.place)),
            (kind::DNAME, written.dname.as_ref().map(|one| &one.0), written.dname.as_ref().and_then(|one| one.place)),
        ] {
            if let Some(data) = data {
                into.put(kind, data.clone(), place);
            }
        }
        for any in &written.other.items {
            into.put(any.kind, any.data.clone(), any.place);
        }
        self.is_complete &= !written.other.is_broken
            && !written.other.is_stand_in
            && !written.cname.is_unreadable()
            && !written.dname.is_unreadable()
            && !written.alias.is_unreadable();
        if let Some(target) = written.alias.as_ref() {
            let (owner, target, place) = (owner.clone(), target.value.clone(), target.place);
            self.aliases.push(WrittenAlias { owner, target, place });
        }
    }
}

/// Where the records of one name go.
struct Into<'a> {
    owner: &'a DnsName,
    ttl: u32,
    records: &'a mut Vec<Record>,
    is_complete: &'a mut bool,
}

impl Into<'_> {
    fn put(&mut self, kind: u16, data: Box<[u8]>, place: Option<Place>) {
        self.records.push(Record { owner: self.owner.clone(), kind, ttl: self.ttl, data, place });
    }

    fn each<T>(&mut self, kind: u16, list: &Written<List<T>>, data: impl Fn(&T) -> Box<[u8]>) {
        *self.is_complete &= !list.is_broken && !list.is_stand_in;
        for item in &list.items {
            self.put(kind, data(&item.value), item.place);
        }
    }

    fn data<const KIND: u16>(&mut self, list: &Written<List<Data<KIND>>>) {
        self.each(KIND, list, |data| data.0.clone());
    }
}
