//! The charts of a config: one for each policy that a steered name uses and that asks where the client is, itself or further down.
//!
//! Building them is bounded by what goes in (networks of a database, lines of a table, policies of a config) and by what may come out
//! (views and ranges of a chart, charts); it happens when a config is applied or a file has changed, never at a query.
//!
//! Not here: which files changed (`node`), and whether policies lead back to themselves (`config` sees to it that none does).

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use ipnet::IpNet;

use super::{
    atlas::Atlas,
    chart::Chart,
    chooser::Chooser,
    draft::{self, MAX_VIEWS, TooMany},
    latency::{LatencyError, Regions, Table},
    nearest::Nearest,
};
use crate::{
    config::{Branch, Config, Policy, PolicyKind},
    fleet::{Location, PolicyId, RegionId},
};

/// Charts of one config; each takes a quarter of a megabyte at least.
const MAX_CHARTS: usize = 4_096;
/// Memory of all of them: some fifty policies over the largest databases, or a thousand over the embedded table.
const MAX_BYTES: usize = 4 << 30;

/// What each policy of a config makes of each address.
#[derive(Debug, Default)]
pub struct Charts {
    by_policy: Vec<Option<Arc<Chart>>>,
}

/// Why there are no charts.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// A table of latency cannot be used.
    #[error(transparent)]
    Latency(#[from] LatencyError),
    /// Nobody is looked up by more than the first 64 bits.
    #[error("`policies.{policy}`: `{network}` is longer than /64")]
    TooLong {
        /// The policy that names it.
        policy: Arc<str>,
        /// The network.
        network: IpNet,
    },
    /// A tree of policies tells too many kinds of clients apart.
    #[error(
        "`policies.{policy}` tells more than {MAX_VIEWS} kinds of clients apart, or more networks than fit\nhint: fewer regions in \
         `nearest` and `latency` policies make fewer orders"
    )]
    TooManyViews {
        /// The policy at its root.
        policy: Arc<str>,
    },
    /// Too many policies that steered names use ask where the client is.
    #[error("{0} policies of steered names depend on where the client is; at most {MAX_CHARTS} may")]
    TooManyCharts(usize),
    /// Their charts do not fit together.
    #[error(
        "the policies of steered names that depend on where the client is take more than {} MiB over this database",
        MAX_BYTES >> 20
    )]
    TooLarge,
}

impl Charts {
    /// Builds the charts of a config over an atlas, and reads the latency tables that they need.
    pub fn build(config: &Config, atlas: &Atlas) -> Result<Self, ChartError> {
        Self::build_within(MAX_BYTES, config, atlas)
    }

    pub(super) fn build_within(most_bytes: usize, config: &Config, atlas: &Atlas) -> Result<Self, ChartError> {
        let trees = trees(config);
        if trees.len() > MAX_CHARTS {
            return Err(ChartError::TooManyCharts(trees.len()));
        }
        let mut workshop = Workshop::new(config, atlas, &trees);
        let mut by_policy = vec![None; config.policies.len()];
        let mut bytes = 0;
        for (root, tree) in trees {
            let chart = workshop.draw(root, &tree)?;
            bytes += chart.size().bytes;
            if bytes > most_bytes {
                return Err(ChartError::TooLarge);
            }
            by_policy[root.index()] = Some(Arc::new(chart));
        }
        Ok(Self { by_policy })
    }

    /// The chart of the tree that begins at a policy; nothing where no policy of it depends on the place, or no steered name uses it.
    pub fn of(&self, policy: PolicyId) -> Option<&Arc<Chart>> {
        self.by_policy.get(policy.index())?.as_ref()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Chart>> {
        self.by_policy.iter().flatten()
    }

    /// The files that the charts of a config are built from, beside the atlas's.
    pub fn files(config: &Config) -> Vec<PathBuf> {
        let used = trees(config).into_iter().flat_map(|(_, tree)| tree);
        let tables = used.filter_map(|policy| match &config.policies[policy.index()].kind {
            PolicyKind::Latency { table, .. } => Some(table.clone()),
            _ => None,
        });
        tables.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The policies that steered names use, each with those of its tree that depend on the place, in id order; without the others.
fn trees(config: &Config) -> Vec<(PolicyId, Vec<PolicyId>)> {
    let steered = config.zones.iter().flat_map(|zone| &zone.steered);
    let roots: BTreeSet<PolicyId> = steered.map(|name| name.policy).collect();
    let trees = roots.into_iter().map(|root| (root, tree(&config.policies, root)));
    trees.filter(|(_, tree)| !tree.is_empty()).collect()
}

fn tree(policies: &[Arc<Policy>], root: PolicyId) -> Vec<PolicyId> {
    let (mut seen, mut open) = (BTreeSet::from([root]), vec![root]);
    while let Some(policy) = open.pop() {
        let branches = policies.get(policy.index()).map(|policy| branches(&policy.kind)).unwrap_or_default();
        for branch in branches {
            if let Branch::Policy(next) = branch
                && seen.insert(next)
            {
                open.push(next);
            }
        }
    }
    let depends = |policy: &PolicyId| policies.get(policy.index()).is_some_and(|policy| depends_on_place(&policy.kind));
    seen.into_iter().filter(depends).collect()
}

fn depends_on_place(kind: &PolicyKind) -> bool {
    matches!(kind, PolicyKind::Geo { .. } | PolicyKind::Nearest { .. } | PolicyKind::Latency { .. })
}

fn branches(kind: &PolicyKind) -> Vec<Branch> {
    match kind {
        PolicyKind::Geo { networks, areas, default } => {
            let named = networks.iter().map(|(_, branch)| *branch).chain(areas.iter().map(|(_, branch)| *branch));
            named.chain([*default]).collect()
        }
        PolicyKind::Weighted { branches } => branches.iter().map(|(branch, _)| *branch).collect(),
        PolicyKind::Failover { branches, .. } => branches.clone(),
        PolicyKind::Nearest { .. }
        | PolicyKind::Latency { .. }
        | PolicyKind::Multivalue { .. }
        | PolicyKind::Hash { .. } => Vec::new(),
    }
}

/// What is at hand while charts are drawn: policies that several trees share are settled once, and dropped after the last.
struct Workshop<'a> {
    config: &'a Config,
    atlas: &'a Atlas,
    regions: Regions<'a>,
    /// Trees that still need a policy.
    needed: HashMap<PolicyId, usize>,
    choosers: HashMap<PolicyId, Chooser>,
    tables: HashMap<&'a Path, Table>,
}

impl<'a> Workshop<'a> {
    fn new(config: &'a Config, atlas: &'a Atlas, trees: &[(PolicyId, Vec<PolicyId>)]) -> Self {
        let mut needed = HashMap::new();
        for policy in trees.iter().flat_map(|(_, tree)| tree) {
            *needed.entry(*policy).or_default() += 1;
        }
        let regions = Regions::new(&config.regions);
        Self { config, atlas, regions, needed, choosers: HashMap::new(), tables: HashMap::new() }
    }

    fn draw(&mut self, root: PolicyId, tree: &[PolicyId]) -> Result<Chart, ChartError> {
        let mut choosers = Vec::with_capacity(tree.len());
        for policy in tree {
            choosers.push((*policy, self.chooser(*policy)?));
        }
        let policy = || Arc::clone(&self.config.policies[root.index()].name);
        let chart =
            draft::draw(self.atlas, &mut choosers).map_err(|TooMany| ChartError::TooManyViews { policy: policy() })?;
        for (policy, chooser) in choosers {
            let needed = self.needed.entry(policy).or_default();
            *needed = needed.saturating_sub(1);
            if *needed > 0 {
                self.choosers.insert(policy, chooser);
            }
        }
        Ok(chart)
    }

    fn chooser(&mut self, id: PolicyId) -> Result<Chooser, ChartError> {
        if let Some(chooser) = self.choosers.remove(&id) {
            return Ok(chooser);
        }
        let policy = &self.config.policies[id.index()];
        let places = &self.atlas.places;
        Ok(match &policy.kind {
            PolicyKind::Geo { networks, areas, default } => Chooser::geo(networks, areas, *default, places)
                .map_err(|network| ChartError::TooLong { policy: Arc::clone(&policy.name), network })?,
            PolicyKind::Latency { regions, table } => {
                let nearest = self.nearest(regions.iter().map(|region| (*region, 0)));
                Chooser::latency(self.table(table)?, regions, &nearest, places)
            }
            PolicyKind::Nearest { regions } => Chooser::nearest(&self.nearest(regions.iter().copied()), places),
            // None of a tree's policies; they order nobody.
            _ => Chooser::nearest(&self.nearest([]), places),
        })
    }

    fn nearest(&self, regions: impl IntoIterator<Item = (RegionId, i8)>) -> Nearest {
        let regions = regions.into_iter().map(|(region, bias)| (region, bias, self.location(region)));
        Nearest::new(regions, self.location(self.config.node.region))
    }

    fn location(&self, region: RegionId) -> Option<Location> {
        self.config.regions.get(region.index())?.location
    }

    fn table(&mut self, file: &'a Path) -> Result<&Table, ChartError> {
        if !self.tables.contains_key(file) {
            let table = Table::read(file, &self.regions)?;
            self.tables.insert(file, table);
        }
        Ok(&self.tables[file])
    }
}
