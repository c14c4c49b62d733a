//! One host's paths as a tree of segments: as many look-ups as the path has segments, however many routes there are.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{Asked, conditions, segments::Path};
use crate::config::{Conditions, Further, PathPattern};

/// Keys come from the config and are only looked up by clients, so who asks cannot make the map slow.
pub(super) type Map<K, V> = HashMap<K, V, FixedState>;

/// The tree. The first node is the root: no segments.
#[derive(Debug)]
pub(super) struct Paths(Vec<Node>);

#[derive(Debug, Default)]
struct Node {
    children: Map<Box<[u8]>, usize>,
    /// Routes for this path alone: without a slash at its end, and with one.
    exact: [Alike; 2],
    /// Routes for this path and all below it.
    below: Alike,
    /// The nearest node above with routes for all below it.
    above: Option<usize>,
}

/// Routes that differ in their further conditions only: most of them first, then in the order of the config.
type Alike = Vec<Candidate>;

#[derive(Debug)]
struct Candidate {
    /// Nothing where there are none.
    further: Option<Box<Further>>,
    /// The route's position.
    position: usize,
}

impl Default for Paths {
    fn default() -> Self {
        Self(vec![Node::default()])
    }
}

impl Paths {
    /// Adds a route; in the order of the config.
    pub(super) fn add(&mut self, conditions: &Conditions, position: usize) {
        let (PathPattern::Exact(text) | PathPattern::Below(text)) = &conditions.path;
        // A config has no path that cannot be compared.
        let Some(path) = Path::read(text) else { return };
        let mut node = 0;
        path.each(|segment| {
            let fresh = self.0.len();
            node = *self.0[node].children.entry(segment.into()).or_insert(fresh);
            if node == fresh {
                self.0.push(Node::default());
            }
            true
        });
        let node = &mut self.0[node];
        let alike = match conditions.path {
            PathPattern::Exact(_) => &mut node.exact[usize::from(path.is_open())],
            PathPattern::Below(_) => &mut node.below,
        };
        let further = (conditions.further.count() > 0).then(|| Box::new(conditions.further.clone()));
        alike.push(Candidate { further, position });
    }

    /// Once all routes are there.
    pub(super) fn finish(&mut self) {
        let mut left = vec![(0, None)];
        while let Some((at, above)) = left.pop() {
            let node = &mut self.0[at];
            node.above = above;
            let [without, with] = &mut node.exact;
            for alike in [without, with, &mut node.below] {
                let count = |candidate: &Candidate| candidate.further.as_ref().map_or(0, |further| further.count());
                // Stable, so that equals stay in the order of the config.
                alike.sort_by_key(|candidate| std::cmp::Reverse(count(candidate)));
            }
            let nearest = if node.below.is_empty() { above } else { Some(at) };
            left.extend(node.children.values().map(|child| (*child, nearest)));
        }
    }

    /// The most specific route that takes the request.
    pub(super) fn find(&self, path: Path<'_>, asked: &Asked<'_>) -> Option<usize> {
        let (mut node, mut is_whole) = (&self.0[0], true);
        path.each(|segment| {
            match node.children.get(segment) {
                Some(child) => node = &self.0[*child],
                None => is_whole = false,
            }
            is_whole
        });
        let exact = is_whole.then(|| &node.exact[usize::from(path.is_open())]);
        let prefixes = std::iter::successors(Some(node), |node| node.above.map(|above| &self.0[above]));
        exact.into_iter().chain(prefixes.map(|node| &node.below)).find_map(|alike| choose(alike, asked))
    }
}

fn choose(alike: &Alike, asked: &Asked<'_>) -> Option<usize> {
    let takes =
        |further: &Option<Box<Further>>| further.as_ref().is_none_or(|further| conditions::hold(further, asked));
    alike.iter().find(|candidate| takes(&candidate.further)).map(|candidate| candidate.position)
}
