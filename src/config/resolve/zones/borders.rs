//! Where a zone ends: below delegations, and below names that have others stand in for them.

use std::collections::HashSet;

use super::draft::{Draft, Set, suffixes};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        record::kind,
    },
    fleet::DnsName,
};

pub(super) fn check(zone: &Draft<'_>, problems: &mut Diagnostics) {
    let index = zone.index();
    if index.cuts.is_empty() && index.dnames.is_empty() {
        return;
    }
    let delegations = || zone.sets.iter().filter(|set| set.kind == kind::NS);
    let glue: HashSet<DnsName> = delegations().flat_map(Set::targets).map(|(name, _)| name).collect();
    for set in &zone.sets {
        let is_answered = |cut: &[u8]| match set.kind {
            kind::NS | kind::DS => set.owner.as_wire() == cut,
            kind::A | kind::AAAA => glue.contains(&set.owner),
            // Told as a conflict at its name.
            kind::CNAME | kind::DNAME if set.owner.as_wire() == cut => true,
            _ => false,
        };
        let what = kind::name(set.kind);
        if let Some(cut) = cut_above(zone, &set.owner).filter(|cut| !is_answered(cut)) {
            let message = format!("nobody is told of the {what} record of `{}`: its zone is elsewhere", set.owner);
            let warning = Diagnostic::warning(Code::NeverAnswered, message).at(set.place(), "below a delegation");
            problems.push(warning.at(delegation(zone, cut), "delegated here"));
        }
        if let Some(dname) = dname_above(zone, &set.owner) {
            let label = format!("its {what} record");
            problems.push(stood_in_for(zone, &set.owner, set.place(), &label, dname));
        }
    }
    let steered = zone.steered.iter().map(|one| (&one.steered.owner, one.place, "steered here"));
    let aliases = zone.aliases.iter().map(|alias| (&alias.owner, alias.place, "its `ALIAS`"));
    for (owner, place, label) in steered.chain(aliases) {
        if let Some(cut) = cut_above(zone, owner) {
            let message = format!("`{owner}` cannot be answered here: its zone is elsewhere");
            let error = Diagnostic::error(Code::RecordConflict, message).at(place, label);
            problems.push(error.at(delegation(zone, cut), "delegated here"));
        }
        if let Some(dname) = dname_above(zone, owner) {
            problems.push(stood_in_for(zone, owner, place, label, dname));
        }
    }
    // A delegation below another one is told above.
    for set in delegations().filter(|_| zone.is_complete) {
        let is_outermost = cut_above(zone, &set.owner) == Some(set.owner.as_wire());
        for (name, place) in set.targets().filter(|(name, _)| is_outermost && name.is_within(&set.owner)) {
            if !zone.node(name.as_wire()).is_some_and(|node| node.has_addresses()) {
                let message = format!("zone `{}` is delegated to `{name}`, whose address is missing", set.owner);
                let error = Diagnostic::error(Code::MissingGlue, message).at(place, "nobody could find it");
                problems.push(error.hint(format!("add `A` or `AAAA` records for `{name}`")));
            }
        }
    }
}

/// The outermost delegation that a name is at or below.
pub(super) fn cut_above<'a>(zone: &Draft<'_>, name: &'a DnsName) -> Option<&'a [u8]> {
    let cuts = &zone.index().cuts;
    if cuts.is_empty() {
        return None;
    }
    suffixes(name, &zone.apex).filter(|suffix| cuts.contains(*suffix)).last()
}

/// The outermost name above this one that another one stands in for.
pub(super) fn dname_above<'a>(zone: &Draft<'_>, name: &'a DnsName) -> Option<&'a [u8]> {
    let dnames = &zone.index().dnames;
    if dnames.is_empty() {
        return None;
    }
    suffixes(name, &zone.apex).skip(1).filter(|suffix| dnames.contains(*suffix)).last()
}

fn delegation(zone: &Draft<'_>, cut: &[u8]) -> Option<Place> {
    zone.node(cut)?.set(kind::NS)?.place()
}

fn stood_in_for(zone: &Draft<'_>, owner: &DnsName, place: Option<Place>, label: &str, dname: &[u8]) -> Diagnostic {
    let dname = zone.node(dname).and_then(|node| node.set(kind::DNAME));
    let above = dname.map_or_else(String::new, |set| set.owner.to_string());
    Diagnostic::error(
        Code::RecordConflict,
        format!("`{owner}` lies below the DNAME of `{above}`, which stands for all below it"),
    )
    .at(place, label)
    .at(dname.and_then(Set::place), "the DNAME")
}
