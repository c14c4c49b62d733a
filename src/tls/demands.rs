//! What is asked of a client, by host.

use std::collections::HashMap;

use crate::config::{Demands, HostPattern, Tls};

/// Numbers for all the different demands. A number means the same in every table that was made from this one.
#[derive(Debug)]
pub(super) struct DemandTable {
    /// By number; older tables' first, whether or not a host has them still.
    all: Vec<Demands>,
    exact: HashMap<Box<str>, u32>,
    below: HashMap<Box<str>, u32>,
    /// Of hosts that are in neither.
    otherwise: u32,
}

impl DemandTable {
    pub(super) fn new(settings: &Tls, previous: Option<&Self>) -> Self {
        let mut all = previous.map_or_else(Vec::new, |table| table.all.clone());
        let mut number = |demands: &Demands| {
            let at = all.iter().position(|known| known == demands).unwrap_or_else(|| {
                all.push(demands.clone());
                all.len() - 1
            });
            u32::try_from(at).unwrap_or(u32::MAX)
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
        Self { all, exact, below, otherwise }
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
        (0_u32..).zip(&self.all).filter(|(number, _)| {
            self.otherwise == *number || self.exact.values().chain(self.below.values()).any(|used| used == number)
        })
    }
}
