//! How many of something there are by key, and no more than so many.

use std::{cell::RefCell, collections::HashMap, hash::Hash, rc::Rc};

/// Counts of one worker. Only what is there has an entry.
#[derive(Debug)]
pub(super) struct Tally<K>(RefCell<HashMap<K, u32>>);

/// One of them, as long as this lives.
#[derive(Debug)]
pub(super) struct Counted<K: Eq + Hash> {
    key: K,
    tally: Rc<Tally<K>>,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Eq + Hash + Clone> Tally<K> {
    /// One more, unless there are so many already.
    pub(super) fn admit(self: &Rc<Self>, key: K, most: u32) -> Option<Counted<K>> {
        let mut counts = self.0.borrow_mut();
        if counts.get(&key).copied().unwrap_or_default() >= most {
            return None;
        }
        *counts.entry(key.clone()).or_default() += 1;
        Some(Counted { key, tally: Rc::clone(self) })
    }
}

impl<K: Eq + Hash> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut counts = self.tally.0.borrow_mut();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_by_key_and_no_more() {
        let tally = Rc::<Tally<&str>>::default();
        let held = [tally.admit("a", 2), tally.admit("a", 2), tally.admit("b", 2)];
        assert!(held.iter().all(Option::is_some));
        assert!(tally.admit("a", 2).is_none() && tally.admit("b", 2).is_some());
        assert!(tally.admit("c", 0).is_none());
        drop(held);
        assert!(tally.0.borrow().is_empty());
        assert!(tally.admit("a", 1).is_some());
    }
}
