//! Lists by number: equal ones are kept once, and known by what they were counted as.

use std::{collections::HashMap, hash::Hash, sync::Arc};

/// Equal lists are one.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    all: Vec<Arc<[T]>>,
    numbers: HashMap<Arc<[T]>, u32, foldhash::fast::RandomState>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { all: Vec::new(), numbers: HashMap::default() }
    }
}

impl<T: Copy + Hash + Eq> Numbered<T> {
    /// Its number, a new one where it was not seen yet. There are fewer than 2^32, since each is for an address.
    pub(super) fn number(&mut self, list: &[T]) -> u32 {
        if let Some(number) = self.numbers.get(list) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let list = Arc::from(list);
        self.all.push(Arc::clone(&list));
        self.numbers.insert(list, number);
        number
    }

    pub(super) fn get(&self, number: u32) -> &Arc<[T]> {
        &self.all[number as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}
