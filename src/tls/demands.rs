//! What is asked of a client, by host.

use std::collections::{HashMap, HashSet};

use crate::config::{Demands, HostPattern, Tls};

/// Numbers for all the different demands. A number means the same in every table that was made from this one.
#[derive(Debug)]
pub(super) struct DemandTable {
    /// Those of older tables, too, whether or not a host has them still.
    numbers: HashMap<Demands, u32>,
    exact: HashMap<Box<str>, u32>,
    below: HashMap<Box<str>, u32>,
    /// Of hosts that are in neither.
    otherwise: u32,
}

impl DemandTable {
    pub(super) fn new(settings: &Tls, previous: Option<&Self>) -> Self {
        let mut numbers = previous.map_or_else(HashMap::new, |table| table.numbers.clone());
        let mut number = |demands: &Demands| {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(demands.clone()).or_insert(next)
        };
        let otherwise = number(&settings.demands);
        let (mut exact, mut below) = (HashMap::new(), HashMap::new());
        for (pattern, demands) in &settings.hosts {
            match pattern {
                HostPattern::Exact(host) => exact.insert((&**host).into(), number(demands)),
                HostPattern::Below(host) => below.insert((&**host).into(), number(demands)),
                HostPattern::Any => None,
            };
        }
        Self { numbers, exact, below, otherwise }
    }

    /// Whether all hosts have the same.
    pub(super) fn is_uniform(&self) -> bool {
        self.exact.is_empty() && self.below.is_empty()
    }

    /// What the most specific entry says; `host` is in lower case.
    pub(super) fn of(&self, host: &str) -> u32 {
        if let Some(number) = self.exact.get(host) {
            return *number;
        }
        let mut rest = host;
        while !self.below.is_empty() {
            let Some((_, above)) = rest.split_once('.') else { break };
            if let Some(number) = self.below.get(above) {
                return *number;
            }
            rest = above;
        }
        self.otherwise
    }

    /// Those that some host has.
    pub(super) fn in_use(&self) -> impl Iterator<Item = (u32, &Demands)> {
        let used: HashSet<u32> =
            self.exact.values().chain(self.below.values()).chain([&self.otherwise]).copied().collect();
        self.numbers.iter().map(|(demands, number)| (*number, demands)).filter(move |(number, _)| used.contains(number))
    }
}
