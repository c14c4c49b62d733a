//! Where names lead: through CNAMEs, aliases and DNAMEs of all our zones, to something that has addresses or not at all.
//!
//! The same steps as an answer takes, so that what leads nowhere or in a circle is known before anybody asks.

use std::collections::{HashMap, HashSet};

use super::{
    borders::{cut_above, dname_above},
    draft::{Draft, Node},
};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        record::kind,
        resolved::Alias,
    },
    fleet::DnsName,
};

/// Names that one may lead through; resolvers give up at about as many.
const MAX_STEPS: usize = 16;

/// Names of such a way that are shown.
const MAX_SHOWN: usize = 6;

/// All our zones.
pub(super) struct World<'a> {
    zones: &'a [Draft<'a>],
    by_apex: HashMap<&'a [u8], usize>,
}

/// What is known of a name.
enum Look<'a> {
    /// It is in none of our zones, or delegated.
    Elsewhere,
    Found(Node<'a>),
    /// Another name stands in for it.
    Instead(DnsName),
    Nothing,
}

/// Where a name leads in the end.
enum End<'a> {
    Elsewhere(DnsName),
    Found(Node<'a>),
    Nothing(DnsName),
    Never,
}

impl<'a> World<'a> {
    pub(super) fn new(zones: &'a [Draft<'a>]) -> Self {
        let by_apex = zones.iter().enumerate().map(|(at, zone)| (zone.apex.as_wire(), at)).collect();
        Self { zones, by_apex }
    }

    fn zone_of(&self, name: &DnsName) -> Option<&'a Draft<'a>> {
        let root = DnsName::root();
        let mut suffixes = super::draft::suffixes(name, &root);
        suffixes.find_map(|suffix| self.by_apex.get(suffix)).map(|at| &self.zones[*at])
    }

    fn look(&self, name: &DnsName) -> Look<'a> {
        let Some(zone) = self.zone_of(name) else { return Look::Elsewhere };
        if cut_above(zone, name).is_some() {
            return Look::Elsewhere;
        }
        if let Some(above) = dname_above(zone, name) {
            let target = zone.node(above).and_then(|node| node.set(kind::DNAME)?.targets().next());
            let before = &name.as_wire()[..name.as_wire().len() - above.len()];
            let instead = target.and_then(|(target, _)| DnsName::from_wire(&[before, target.as_wire()].concat()));
            return instead.map_or(Look::Nothing, Look::Instead);
        }
        zone.node(name.as_wire()).or_else(|| zone.wildcard(name)).map_or(Look::Nothing, Look::Found)
    }

    /// Follows a name. `told` are those of which it is known that they never end.
    fn follow(&self, name: &DnsName, told: &mut HashSet<DnsName>, endless: impl FnOnce(&[DnsName])) -> End<'a> {
        let mut way = vec![name.clone()];
        loop {
            let here = &way[way.len() - 1];
            let next = match self.look(here) {
                Look::Elsewhere => return End::Elsewhere(here.clone()),
                Look::Nothing => return End::Nothing(here.clone()),
                Look::Instead(name) => name,
                Look::Found(node) => match leads_to(&node) {
                    Some(name) => name,
                    None => return End::Found(node),
                },
            };
            let is_endless = way.contains(&next) || way.len() >= MAX_STEPS;
            let is_told = told.contains(&next);
            way.push(next);
            if is_told || is_endless {
                if !is_told {
                    endless(&way);
                }
                told.extend(way);
                return End::Never;
            }
        }
    }

    /// Reports what never ends, and returns what each alias of a zone stands for, by owner.
    pub(super) fn check(
        &self,
        zone: &'a Draft<'a>,
        told: &mut HashSet<DnsName>,
        problems: &mut Diagnostics,
    ) -> Vec<Alias> {
        for set in zone.sets.iter().filter(|set| matches!(set.kind, kind::CNAME | kind::DNAME)) {
            let below = DnsName::below("x", &set.owner);
            let start = if set.kind == kind::DNAME { below.as_ref().unwrap_or(&set.owner) } else { &set.owner };
            self.follow(start, told, |way| problems.push(endless(way, set.place())));
        }
        self.check_targets(zone, problems);
        zone.aliases
            .iter()
            .filter_map(|alias| {
                let end = self.follow(&alias.owner, told, |way| problems.push(endless(way, alias.place)));
                let owner = &alias.owner;
                let message = match end {
                    End::Never => return None,
                    // It is not answered here itself, which is told elsewhere.
                    End::Elsewhere(name) if name == *owner => return None,
                    End::Found(node) if node.has_addresses() => {
                        return Some(Alias { owner: owner.clone(), target: node.owner.clone() });
                    }
                    End::Elsewhere(name) => {
                        format!("`{owner}` cannot follow `{name}`, which is in none of the zones here")
                    }
                    End::Found(Node { owner: name, .. }) => {
                        format!("`{owner}` cannot follow `{name}`, which has no addresses")
                    }
                    End::Nothing(name) => format!("`{owner}` cannot follow `{name}`, which does not exist"),
                };
                if self.zones.iter().all(|zone| zone.is_complete) {
                    let error =
                        Diagnostic::error(Code::DanglingAlias, message).at(alias.place, "no addresses come from it");
                    problems.push(error.hint(
                        "an `ALIAS` leads to a name with `A` or `AAAA` records, or one that is steered".to_owned(),
                    ));
                }
                None
            })
            .collect()
    }

    /// What services are named by has addresses, not another name.
    fn check_targets(&self, zone: &Draft<'_>, problems: &mut Diagnostics) {
        for (name, place) in &zone.nameservers {
            self.check_target(kind::NS, &zone.apex, name, *place, problems);
            let Some(own) = self.zone_of(name).filter(|own| own.is_complete) else { continue };
            if let Look::Nothing | Look::Found(_) = self.look(name)
                && !self.is_found(name)
            {
                let message = format!("name server `{name}` lies in zone `{}`, but has no address there", own.apex);
                let hint = "add `A` or `AAAA` records for it: without them nobody finds it".to_owned();
                let warning = Diagnostic::warning(Code::NameserverWithoutAddress, message).at(*place, "no address");
                problems.push(warning.hint(hint));
            }
        }
        for set in zone.sets.iter().filter(|set| matches!(set.kind, kind::NS | kind::MX | kind::SRV)) {
            for (name, place) in set.targets() {
                self.check_target(set.kind, &set.owner, &name, place, problems);
                let own = self.zone_of(&name).filter(|own| own.is_complete && set.kind == kind::NS);
                if own.is_some() && !matches!(self.look(&name), Look::Elsewhere) && !self.is_found(&name) {
                    let message = format!("zone `{}` is delegated to `{name}`, whose address is missing", set.owner);
                    let error = Diagnostic::error(Code::MissingGlue, message).at(place, "nobody could find it");
                    problems.push(error.hint(format!("add `A` or `AAAA` records for `{name}`")));
                }
            }
        }
    }

    fn check_target(
        &self,
        kind: u16,
        owner: &DnsName,
        name: &DnsName,
        place: Option<Place>,
        problems: &mut Diagnostics,
    ) {
        let Look::Found(node) = self.look(name) else { return };
        if let Some(cname) = node.set(kind::CNAME) {
            let message = format!(
                "the {} record of `{owner}` names `{name}`, which is another name of something else",
                kind::name(kind)
            );
            let warning = Diagnostic::warning(Code::TargetIsAlias, message).at(place, "has to be the name itself");
            let instead = cname.targets().next().map(|(target, _)| format!("write `{target}`"));
            problems.push(warning.at(cname.place(), "the CNAME").hint(instead));
        }
    }

    /// Whether a name has addresses, or is another name, which is told elsewhere.
    fn is_found(&self, name: &DnsName) -> bool {
        match self.look(name) {
            Look::Found(node) => node.has_addresses() || leads_to(&node).is_some(),
            Look::Instead(_) | Look::Elsewhere => true,
            Look::Nothing => false,
        }
    }
}

fn leads_to(node: &Node<'_>) -> Option<DnsName> {
    let cname = node.set(kind::CNAME).and_then(|set| set.targets().next());
    cname.map(|(name, _)| name).or_else(|| node.alias.map(|alias| alias.target.clone()))
}

fn endless(way: &[DnsName], place: Option<Place>) -> Diagnostic {
    let shown: Vec<_> = way.iter().take(MAX_SHOWN).map(|name| format!("`{name}`")).collect();
    let is_circle = way[..way.len() - 1].contains(&way[way.len() - 1]);
    let message = if is_circle { "names lead to each other" } else { "a name leads through too many others" };
    let more = if way.len() > shown.len() { ", ..." } else { "" };
    Diagnostic::error(Code::EndlessAlias, format!("{message}: {}{more}", shown.join(", ")))
        .at(place, "one of them")
        .hint(format!("one of them has to have records, after at most {MAX_STEPS} names"))
}
