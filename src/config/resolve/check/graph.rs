//! How checks lead to each other: never in a circle, and not too deep.

use super::{MAX_DEPTH, SharedChecks, members};
use crate::config::diagnostic::{Code, Diagnostic, Diagnostics, Place};

/// Where a check leads, and where that is written.
type Links = Vec<(usize, Option<Place>)>;

/// Reports circles, each once, and ways that are too long. Without recursion: a chain may be as long as there are checks.
pub(super) fn check(shared: &SharedChecks<'_>, problems: &mut Diagnostics) {
    let links: Vec<Links> = shared.written.iter().map(|check| links(shared, &check.value)).collect();
    // How many checks are on the longest way from each. What still grows after so many rounds is too deep, or has no end.
    let mut heights = vec![1_usize; links.len()];
    for _ in 0..MAX_DEPTH {
        for at in 0..links.len() {
            let below = links[at].iter().map(|(to, _)| heights[*to]).max().unwrap_or_default();
            heights[at] = (below + 1).min(MAX_DEPTH + 1);
        }
    }
    let mut is_told = vec![false; links.len()];
    for root in 0..links.len() {
        if heights[root] > MAX_DEPTH && !is_told[root] {
            tell(shared, root, &links, &heights, &mut is_told, problems);
        }
    }
}

fn links(shared: &SharedChecks<'_>, check: &crate::config::document::Check) -> Links {
    let (members, _) = members(check).unwrap_or_default();
    members.into_iter().filter_map(|name| Some((shared.names.position(name)?, name.place))).collect()
}

/// Follows the deepest way from one that is too deep, until it comes back or ends.
fn tell(
    shared: &SharedChecks<'_>,
    root: usize,
    links: &[Links],
    heights: &[usize],
    is_told: &mut [bool],
    problems: &mut Diagnostics,
) {
    let mut way: Vec<(usize, Option<Place>)> = Vec::new();
    let mut at = root;
    while let Some((to, place)) = links[at].iter().copied().max_by_key(|(to, _)| heights[*to]) {
        way.push((at, place));
        is_told[at] = true;
        if let Some(from) = way.iter().position(|(seen, _)| *seen == to) {
            let circle = &way[from..];
            let names = circle.iter().map(|(at, _)| *at).chain([to]).map(|at| format!("`{}`", shared.names.name(at)));
            let message = format!("checks lead to each other: {}", names.collect::<Vec<_>>().join(", "));
            let error = Diagnostic::error(Code::CheckLoop, message);
            let error = circle.iter().take(MAX_DEPTH).fold(error, |error, (_, place)| error.at(*place, ""));
            problems.push(error.hint("one of them has to ask something by itself".to_owned()));
            return;
        }
        if is_told[to] {
            return;
        }
        at = to;
    }
    let message = format!("check `{}` leads through more than {MAX_DEPTH} checks", shared.names.name(root));
    problems.push(Diagnostic::error(Code::CheckLoop, message).at(shared.written[root].place, "too deep"));
}
