//! How policies lead to each other: never in a circle, and not too deep.

use std::sync::Arc;

use super::{kinds::Links, regions_of};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        resolve::names::Names,
        resolved::{Branch, Policy, PolicyKind},
    },
    fleet::RegionId,
};

/// Policies on the way from the first to a region.
const MAX_DEPTH: usize = 8;

/// What a policy leads to, where that can be other policies, too.
pub(super) fn branches(kind: &PolicyKind) -> impl Iterator<Item = Branch> {
    let (list, weighted, networks, areas, default) = match kind {
        PolicyKind::Failover { branches, .. } => (&branches[..], &[][..], &[][..], &[][..], None),
        PolicyKind::Weighted { branches } => (&[][..], &branches[..], &[][..], &[][..], None),
        PolicyKind::Geo { networks, areas, default } => (&[][..], &[][..], &networks[..], &areas[..], Some(*default)),
        _ => (&[][..], &[][..], &[][..], &[][..], None),
    };
    let list = list.iter().copied().chain(weighted.iter().map(|(branch, _)| *branch));
    list.chain(networks.iter().map(|(_, branch)| *branch)).chain(areas.iter().map(|(_, branch)| *branch)).chain(default)
}

pub(super) fn as_region(branch: Branch) -> Option<RegionId> {
    match branch {
        Branch::Region(region) => Some(region),
        Branch::Policy(_) => None,
    }
}

/// Reports circles, each once, and ways that are too long. Without recursion: a chain may be as long as there are policies.
pub(super) fn check(names: &Names<'_>, places: &[Option<Place>], links: &[Links], problems: &mut Diagnostics) {
    // How many policies are on the longest way from each; 0 where that is not known yet.
    let mut heights = vec![0_usize; links.len()];
    let mut is_open = vec![false; links.len()];
    for root in 0..links.len() {
        let mut way = vec![(root, 0)];
        while let Some((at, next)) = way.last_mut() {
            let at = *at;
            if *next == 0 && heights[at] > 0 {
                way.pop();
                continue;
            }
            is_open[at] = true;
            let link = links[at].get(*next);
            *next += 1;
            match link {
                Some((to, _)) if is_open[*to] => report_circle(names, &way, *to, links, problems),
                Some((to, _)) => way.push((*to, 0)),
                None => {
                    let below = links[at].iter().map(|(to, _)| heights[*to]).max().unwrap_or_default();
                    (heights[at], is_open[at]) = (below + 1, false);
                    if heights[at] == MAX_DEPTH + 1 {
                        let message =
                            format!("policy `{}` leads through more than {MAX_DEPTH} policies", names.name(at));
                        problems.push(Diagnostic::error(Code::PolicyLoop, message).at(places[at], "too deep"));
                    }
                    way.pop();
                }
            }
        }
    }
}

fn report_circle(names: &Names<'_>, way: &[(usize, usize)], to: usize, links: &[Links], problems: &mut Diagnostics) {
    let from = way.iter().position(|(at, _)| *at == to).unwrap_or_default();
    let circle = &way[from..];
    let mut shown: Vec<_> = circle.iter().map(|(at, _)| format!("`{}`", names.name(*at))).collect();
    shown.push(format!("`{}`", names.name(to)));
    let error = Diagnostic::error(Code::PolicyLoop, format!("policies lead to each other: {}", shown.join(", ")));
    // The link that was taken is the one before the next.
    let taken = circle.iter().filter_map(|(at, next)| Some(links[*at].get(next.checked_sub(1)?)?.1));
    let error = taken.take(MAX_DEPTH).fold(error, |error, place| error.at(place, ""));
    problems.push(error.hint("one of them has to lead to regions alone".to_owned()));
}

/// The regions that each policy may lead to, in order.
pub(super) fn reach(policies: &[Arc<Policy>], links: &[Links]) -> Vec<Vec<RegionId>> {
    let mut reach: Vec<_> = policies.iter().map(|policy| regions_of(&policy.kind)).collect();
    // As many rounds as policies lie behind each other; those deeper than that were reported.
    for _ in 1..MAX_DEPTH {
        for (at, links) in links.iter().enumerate() {
            let more: Vec<_> = links.iter().flat_map(|(to, _)| reach[*to].iter().copied()).collect();
            if !more.is_empty() {
                reach[at].extend(more);
                reach[at].sort_unstable();
                reach[at].dedup();
            }
        }
    }
    reach
}

/// Whoever is used uses those that it leads to.
pub(super) fn spread(policies: &[Arc<Policy>], is_used: &mut [bool]) {
    let mut open: Vec<_> = (0..is_used.len()).filter(|at| is_used[*at]).collect();
    while let Some(at) = open.pop() {
        for branch in branches(&policies[at].kind) {
            if let Branch::Policy(policy) = branch
                && is_used.get(policy.index()) == Some(&false)
            {
                is_used[policy.index()] = true;
                open.push(policy.index());
            }
        }
    }
}
