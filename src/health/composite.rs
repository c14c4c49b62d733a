//! What several verdicts make together, and how long that holds. Pure.

use std::{cmp::Reverse, time::Duration};

use crate::fleet::Health;

/// Probes, and how many of them have to say that it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree<L> {
    /// One probe.
    Leaf(L),
    /// It works while so many of these do.
    AtLeast(usize, Vec<Self>),
}

impl<L> Tree<L> {
    /// The same with something else for each leaf.
    pub fn map<M>(&self, of: &mut impl FnMut(&L) -> M) -> Tree<M> {
        match self {
            Self::Leaf(leaf) => Tree::Leaf(of(leaf)),
            Self::AtLeast(count, all) => Tree::AtLeast(*count, all.iter().map(|one| one.map(of)).collect()),
        }
    }

    /// What follows from the leaves. It is unknown for as long as leaves without a verdict could turn it either way.
    pub fn health(&self, of: &impl Fn(&L) -> Health) -> Health {
        self.verdict(&|leaf| (of(leaf), Duration::ZERO)).0
    }

    /// The same, and until when it holds where each leaf's verdict holds until then: as long as enough of those that make it do. What the
    /// others say does not carry it, and cannot end it.
    pub fn verdict(&self, of: &impl Fn(&L) -> (Health, Duration)) -> (Health, Duration) {
        let (needed, all) = match self {
            Self::Leaf(leaf) => return of(leaf),
            Self::AtLeast(needed, all) => (*needed, all),
        };
        let said: Vec<_> = all.iter().map(|one| one.verdict(of)).collect();
        let made_by = |number: usize, health: Health| {
            let mut untils: Vec<_> = said.iter().filter(|(one, _)| *one == health).map(|(_, until)| *until).collect();
            untils.sort_unstable_by_key(|until| Reverse(*until));
            untils.get(number.saturating_sub(1)).map(|until| (health, *until))
        };
        // Where so many are down, too few are left.
        let too_many = (all.len() + 1).saturating_sub(needed);
        let verdict = made_by(needed, Health::Up).or_else(|| made_by(too_many, Health::Down));
        verdict.unwrap_or((Health::Unknown, Duration::ZERO))
    }

    /// Looks at every leaf, from left to right.
    pub fn each<'a>(&'a self, look: &mut impl FnMut(&'a L)) {
        match self {
            Self::Leaf(leaf) => look(leaf),
            Self::AtLeast(_, all) => all.iter().for_each(|one| one.each(look)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const U: Health = Health::Up;
    const D: Health = Health::Down;
    const N: Health = Health::Unknown;

    fn of(needed: usize, leaves: &[Health]) -> Health {
        Tree::AtLeast(needed, leaves.iter().copied().map(Tree::Leaf).collect()).health(&|leaf| *leaf)
    }

    #[test]
    fn all_any_and_some_of_two_by_their_whole_truth_tables() {
        let all = [(U, U, U), (U, D, D), (U, N, N), (D, U, D), (D, D, D), (D, N, D), (N, U, N), (N, D, D), (N, N, N)];
        let any = [(U, U, U), (U, D, U), (U, N, U), (D, U, U), (D, D, D), (D, N, N), (N, U, U), (N, D, N), (N, N, N)];
        for (needed, table) in [(2, all), (1, any)] {
            for (left, right, expected) in table {
                assert_eq!(of(needed, &[left, right]), expected, "{needed} of {left}, {right}");
            }
        }
    }

    #[test]
    fn some_of_several_wait_for_who_could_turn_it() {
        assert_eq!(of(2, &[U, U, N]), U);
        assert_eq!(of(2, &[U, D, N]), N);
        assert_eq!(of(2, &[D, D, N]), D);
        assert_eq!(of(2, &[U, D, U]), U);
    }

    #[test]
    fn it_holds_as_long_as_enough_of_those_that_make_it() {
        let of = |needed: usize, leaves: &[(Health, u64)]| {
            let leaves = leaves.iter().map(|(health, until)| Tree::Leaf((*health, Duration::from_secs(*until))));
            let (health, until) = Tree::AtLeast(needed, leaves.collect()).verdict(&|leaf| *leaf);
            (health, until.as_secs())
        };
        assert_eq!(of(1, &[(U, 100), (D, 5)]), (U, 100), "who is down does not carry it");
        assert_eq!(of(1, &[(U, 100), (U, 5)]), (U, 100), "one is enough");
        assert_eq!(of(2, &[(U, 100), (U, 5), (U, 7)]), (U, 7));
        assert_eq!(of(2, &[(U, 100), (D, 5)]), (D, 5));
        assert_eq!(of(2, &[(D, 3), (D, 5), (N, 9)]), (D, 3), "both are needed");
        assert_eq!(of(1, &[(D, 3), (D, 5)]), (D, 3));
        assert_eq!(of(1, &[(D, 3), (N, 5)]).0, N);
    }

    #[test]
    fn trees_nest_and_keep_their_leaves_in_order() {
        let both = Tree::AtLeast(2, vec![Tree::Leaf(U), Tree::Leaf(D)]);
        let tree = Tree::AtLeast(1, vec![both, Tree::Leaf(U)]);
        assert_eq!(tree.health(&|leaf| *leaf), U);
        let mut seen = Vec::new();
        tree.each(&mut |leaf| seen.push(*leaf));
        assert_eq!(seen, [U, D, U]);
        assert_eq!(tree.map(&mut |_| D).health(&|leaf| *leaf), D);
    }
}
