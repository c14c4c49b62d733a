//! A chart in the making: the choices of a tree's policies brought together, place by place, then network by network.
//!
//! Not here: what one policy chooses (`chooser`), and which trees there are (`charts`).

use std::{collections::HashMap, mem::size_of_val};

use super::{
    atlas::Atlas,
    chart::{Chart, Size, View},
    chooser::Chooser,
    index::Index,
    numbered::Numbered,
    ranges::{Key, NOTHING, Ranges},
};
use crate::fleet::PolicyId;

/// Views of one chart: their numbers have 16 bits.
pub(super) const MAX_VIEWS: usize = u16::MAX as usize;
/// Views that exist on the way there: what networks say later replaces many.
const MAX_DRAFTS: usize = 1 << 20;
/// Choices of all of them: a tree of many policies has fewer drafts.
const MAX_CHOICES: usize = 1 << 23;

/// There would be more views or ranges than a chart can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// The chart of a tree, whose policies stand in id order.
pub(super) fn draw(atlas: &Atlas, tree: &mut [(PolicyId, Chooser)]) -> Result<Chart, TooMany> {
    let mut drafts = Drafts { most: MAX_DRAFTS.min(MAX_CHOICES / tree.len().max(1)), ..Drafts::default() };
    let by_place = by_place(atlas, tree, &mut drafts)?;
    let mut v4 = atlas.v4.map(|place| by_place[place as usize]);
    let mut v6 = atlas.v6.map(|place| by_place[place as usize]);
    for (slot, (_, chooser)) in tree.iter_mut().enumerate() {
        let Some(networks) = chooser.networks.take() else { continue };
        v4 = lay_over(&v4, &networks.v4, slot, chooser, &mut drafts);
        v6 = lay_over(&v6, &networks.v6, slot, chooser, &mut drafts);
        chooser.networks = Some(networks);
        drafts.within_bounds()?;
    }
    let mut used = Used { numbers: vec![None; drafts.all.len()], drafts: Vec::new() };
    v4.renumber(|draft| used.number(draft));
    v6.renumber(|draft| used.number(draft));
    if used.drafts.len() > MAX_VIEWS {
        return Err(TooMany);
    }
    let view = |draft: &u32| {
        let choices = tree.iter().zip(&**drafts.all.get(*draft));
        View::new(choices.map(|((policy, chooser), number)| (*policy, chooser.choice(*number))).collect())
    };
    let views: Box<[View]> = used.drafts.iter().map(view).collect();
    let index = Index::new(&v4, &v6).ok_or(TooMany)?;
    let bytes = index.bytes() + size_of_val(&*views);
    let size = Size { ranges: v4.len() + v6.len(), views: views.len(), bytes };
    Ok(Chart { index, views, size })
}

/// The draft for each place.
fn by_place(atlas: &Atlas, tree: &[(PolicyId, Chooser)], drafts: &mut Drafts) -> Result<Vec<u32>, TooMany> {
    let mut choices = vec![0; tree.len()];
    let mut by_place = Vec::with_capacity(atlas.places.len());
    for place in 0..atlas.places.len() {
        for (choice, (_, chooser)) in choices.iter_mut().zip(tree) {
            *choice = chooser.by_place[place];
        }
        by_place.push(drafts.all.number(&choices));
        drafts.within_bounds()?;
    }
    Ok(by_place)
}

fn lay_over<K: Key>(
    drawn: &Ranges<K>,
    networks: &Ranges<K>,
    slot: usize,
    chooser: &mut Chooser,
    drafts: &mut Drafts,
) -> Ranges<K> {
    drafts.met.clear();
    drawn.zip(networks, |draft, network| drafts.over(draft, slot, network, chooser))
}

/// Choices of all policies of a tree, by number.
#[derive(Default)]
struct Drafts {
    all: Numbered<u32>,
    /// How many there may be.
    most: usize,
    /// What a draft became under a network, of the policy that is being laid over.
    met: HashMap<(u32, u32), u32, foldhash::fast::RandomState>,
    choices: Vec<u32>,
}

impl Drafts {
    fn within_bounds(&self) -> Result<(), TooMany> {
        if self.all.len() > self.most { Err(TooMany) } else { Ok(()) }
    }

    fn over(&mut self, draft: u32, slot: usize, network: u32, chooser: &mut Chooser) -> u32 {
        if network == NOTHING {
            return draft;
        }
        if let Some(met) = self.met.get(&(draft, network)) {
            return *met;
        }
        // Past the bound nothing is made any more, and the caller finds out.
        if self.all.len() > self.most {
            return draft;
        }
        self.choices.clear();
        self.choices.extend_from_slice(self.all.get(draft));
        self.choices[slot] = chooser.over(network, self.choices[slot]);
        let becomes = self.all.number(&self.choices);
        self.met.insert((draft, network), becomes);
        becomes
    }
}

/// The drafts that some address has, numbered anew.
struct Used {
    numbers: Vec<Option<u32>>,
    drafts: Vec<u32>,
}

impl Used {
    fn number(&mut self, draft: u32) -> u32 {
        *self.numbers[draft as usize].get_or_insert_with(|| {
            self.drafts.push(draft);
            // Fewer than drafts, which have 32 bits.
            u32::try_from(self.drafts.len() - 1).unwrap_or(0)
        })
    }
}
