//! What one policy makes of each place and each network: a `geo` policy a branch, the others an order of regions.
//!
//! Both are settled by a place first, then by networks of the policy's own: those that a `geo` policy names, or those that a latency
//! table measured. Choices are numbered, so that what many policies make of an address is a short list of numbers.
//!
//! Not here: policies that do not ask where the client is, and how several choices become a view (`draft`).

use std::{collections::HashMap, sync::Arc};

use ipnet::IpNet;

use super::{
    latency::Table,
    nearest::Nearest,
    numbered::Numbered,
    ranges::{EitherNet, Ranges},
};
use crate::{
    config::{Area, Branch},
    fleet::{Place, RegionId},
};

/// What a policy chose.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Choice {
    /// Of a `geo` policy.
    Branch(Branch),
    /// Of the others: regions, best first.
    Order(Arc<[RegionId]>),
}

/// One policy over all places.
#[derive(Debug)]
pub(super) struct Chooser {
    rule: Rule,
    /// The number of the choice for each place, by the place's number.
    pub(super) by_place: Vec<u32>,
    /// What networks say over that, by numbers that [`Self::over`] knows; nothing where the policy knows no networks.
    pub(super) networks: Option<Networks>,
}

#[derive(Debug)]
pub(super) struct Networks {
    pub(super) v4: Ranges<u32>,
    pub(super) v6: Ranges<u64>,
}

#[derive(Debug)]
enum Rule {
    /// Numbers of networks are numbers of choices.
    Geo {
        branches: Branches,
    },
    Nearest {
        orders: Numbered<RegionId>,
    },
    /// Numbers of networks are numbers of what was measured.
    Latency {
        measured: Numbered<RegionId>,
        orders: Numbered<RegionId>,
        met: HashMap<(u32, u32), u32>,
    },
}

impl Chooser {
    /// A `geo` policy. The error is a network that is longer than /64.
    pub(super) fn geo(
        networks: &[(IpNet, Branch)],
        areas: &[(Area, Branch)],
        default: Branch,
        places: &[Place],
    ) -> Result<Self, IpNet> {
        let mut branches = Branches::default();
        let areas: HashMap<Area, u32> = areas.iter().map(|(area, branch)| (*area, branches.number(*branch))).collect();
        let default = branches.number(default);
        let of_place = |place: &Place| {
            let smallest_first = [
                place.subdivision.map(Area::Subdivision),
                place.country.map(Area::Country),
                place.continent.map(Area::Continent),
            ];
            smallest_first.into_iter().flatten().find_map(|area| areas.get(&area).copied()).unwrap_or(default)
        };
        let by_place = places.iter().map(of_place).collect();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (net, branch) in networks {
            let branch = branches.number(*branch);
            match EitherNet::new(*net).ok_or(*net)? {
                EitherNet::V4(net) => v4.push((net, branch)),
                EitherNet::V6(net) => v6.push((net, branch)),
            }
        }
        let networks =
            (!networks.is_empty()).then(|| Networks { v4: Ranges::of_networks(v4), v6: Ranges::of_networks(v6) });
        Ok(Self { rule: Rule::Geo { branches }, by_place, networks })
    }

    pub(super) fn nearest(nearest: &Nearest, places: &[Place]) -> Self {
        let (orders, by_place) = orders(nearest, places);
        Self { rule: Rule::Nearest { orders }, by_place, networks: None }
    }

    /// `nearest` is over the same regions.
    pub(super) fn latency(table: &Table, regions: &[RegionId], nearest: &Nearest, places: &[Place]) -> Self {
        let (orders, by_place) = orders(nearest, places);
        let mut measured = Numbered::default();
        let (v4, v6) = table.orders(regions, &mut measured);
        let rule = Rule::Latency { measured, orders, met: HashMap::new() };
        Self { rule, by_place, networks: Some(Networks { v4, v6 }) }
    }

    /// The choice where a network says one thing and the place another.
    pub(super) fn over(&mut self, network: u32, place: u32) -> u32 {
        match &mut self.rule {
            Rule::Geo { .. } => network,
            Rule::Nearest { .. } => place,
            Rule::Latency { measured, orders, met } => *met.entry((network, place)).or_insert_with(|| {
                let measured = measured.get(network);
                let others = orders.get(place).iter().filter(|region| !measured.contains(region));
                let order: Vec<RegionId> = measured.iter().chain(others).copied().collect();
                orders.number(&order)
            }),
        }
    }

    pub(super) fn choice(&self, number: u32) -> Choice {
        match &self.rule {
            Rule::Geo { branches } => Choice::Branch(branches.all[number as usize]),
            Rule::Nearest { orders } | Rule::Latency { orders, .. } => Choice::Order(Arc::clone(orders.get(number))),
        }
    }
}

fn orders(nearest: &Nearest, places: &[Place]) -> (Numbered<RegionId>, Vec<u32>) {
    let (mut orders, mut order) = (Numbered::default(), Vec::new());
    let by_place = places.iter().map(|place| {
        nearest.order(place, &mut order);
        orders.number(&order)
    });
    let by_place = by_place.collect();
    (orders, by_place)
}

/// Branches by number.
#[derive(Debug, Default)]
struct Branches {
    all: Vec<Branch>,
    numbers: HashMap<Branch, u32>,
}

impl Branches {
    fn number(&mut self, branch: Branch) -> u32 {
        // As many as there are areas and networks in a config.
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(branch).or_insert_with(|| {
            self.all.push(branch);
            next
        })
    }
}
