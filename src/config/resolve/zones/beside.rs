//! What can stand beside what at one name.

use super::draft::{Draft, Node};
use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics, Place},
    record::kind,
};

pub(super) fn check(zone: &Draft<'_>, problems: &mut Diagnostics) {
    for node in zone.nodes() {
        check_cname(zone, &node, problems);
        check_borders(zone, &node, problems);
        check_answers(&node, problems);
    }
}

/// A CNAME stands alone (RFC 1034 §3.6.2), and never at the apex, which has an SOA.
fn check_cname(zone: &Draft<'_>, node: &Node<'_>, problems: &mut Diagnostics) {
    let owner = node.owner;
    for kind in [kind::CNAME, kind::DNAME] {
        let Some(set) = node.set(kind).filter(|set| set.data.len() > 1) else { continue };
        let message = format!("`{owner}` has {} {} records: there is one at most", set.data.len(), kind::name(kind));
        problems.push(
            conflict(message, [(set.places[1], "another"), (set.place(), "the first")])
                .hint("keep one of them".to_owned()),
        );
    }
    let Some(cname) = node.set(kind::CNAME) else { return };
    if *owner == zone.apex {
        let message = format!("`{owner}` cannot have a CNAME: a zone's own name has other records, too");
        let hint = "write `ALIAS` instead where the name is in one of the zones here, or addresses, or steer the name";
        problems.push(conflict(message, [(cname.place(), "")]).hint(hint.to_owned()));
    } else if let Some(other) = node.sets.iter().find(|set| set.kind != kind::CNAME) {
        let message = format!("`{owner}` cannot have a CNAME and other records");
        let label = format!("its {} record", kind::name(other.kind));
        let error = conflict(message, [(cname.place(), "its CNAME"), (other.place(), &label)]);
        problems.push(error.hint("keep the CNAME or the other records".to_owned()));
    }
}

/// Where other names begin, nothing is made up: RFC 4592 §4.2 and RFC 6672 §3.3 leave open what a wildcard would mean there.
fn check_borders(zone: &Draft<'_>, node: &Node<'_>, problems: &mut Diagnostics) {
    let (owner, delegation, dname) = (node.owner, node.set(kind::NS), node.set(kind::DNAME));
    if owner.as_wire().starts_with(b"\x01*") {
        for set in [delegation, dname].into_iter().flatten() {
            let kind = kind::name(set.kind);
            let message = format!("`{owner}` is a wildcard, and nothing says what {kind} records of one would mean");
            problems.push(conflict(message, [(set.place(), "of a wildcard")]));
        }
        return;
    }
    if let (Some(delegation), Some(dname)) = (delegation, dname)
        && *owner != zone.apex
    {
        let message = format!("`{owner}` cannot be delegated and have a DNAME");
        let error = conflict(message, [(dname.place(), "its DNAME"), (delegation.place(), "delegated here")]);
        problems.push(error.hint("keep one of them".to_owned()));
    }
}

/// Addresses and HTTPS records come from one source.
fn check_answers(node: &Node<'_>, problems: &mut Diagnostics) {
    let owner = node.owner;
    let addresses = node.sets.iter().find(|set| matches!(set.kind, kind::A | kind::AAAA | kind::CNAME));
    let https = node.set(kind::HTTPS);
    if let Some(one) = node.steered {
        if let Some(set) = addresses {
            let message = format!("`{owner}` is steered and has addresses or a CNAME of its own");
            let error = conflict(message, [(one.place, "steered here"), (set.place(), "its records")]);
            problems.push(error.hint("keep one of them".to_owned()));
        } else if let Some(set) = https.filter(|_| one.steered.https.is_some()) {
            let message = format!("`{owner}` is steered with an HTTPS record and has one of its own");
            let error = conflict(message, [(one.place, "steered here"), (set.place(), "its record")]);
            problems.push(error.hint("remove it, or set `https.enabled = false` where the name is steered".to_owned()));
        }
        if let Some(alias) = node.alias {
            let message = format!("`{owner}` is steered and has an `ALIAS`");
            let error = conflict(message, [(one.place, "steered here"), (alias.place, "its `ALIAS`")]);
            problems.push(error.hint("keep one of them".to_owned()));
        }
    }
    if let (Some(alias), Some(set)) = (node.alias, addresses.or(https)) {
        let message = format!("`{owner}` has an `ALIAS` and {} records of its own", kind::name(set.kind));
        let error = conflict(message, [(alias.place, "its `ALIAS`"), (set.place(), "its records")]);
        problems.push(error.hint("keep one of them".to_owned()));
    }
}

fn conflict<const N: usize>(message: String, places: [(Option<Place>, &str); N]) -> Diagnostic {
    let error = Diagnostic::error(Code::RecordConflict, message);
    places.into_iter().fold(error, |error, (place, label)| error.at(place, label))
}
