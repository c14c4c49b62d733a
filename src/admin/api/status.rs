//! What a node believes, as JSON: the types that `meridian status` and the dashboard read, and how they are filled.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};

use crate::{
    admin::Surface,
    clock::Ticks,
    control::{GroupReport, Override, Report, SubjectReport, ViewReport, spell},
    fleet::{Address, RegionId, Subject},
    table::{Generation, Pool, RowState},
};

/// A node and its table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The node's name.
    pub node: String,
    /// The region it stands in.
    pub region: String,
    /// The program's version.
    pub version: String,
    /// How often membership has changed since the node started.
    pub generation: u64,
    /// Seconds since the node started.
    pub uptime_seconds: u64,
    /// Everything has a verdict.
    pub is_ready: bool,
    /// It is about to stop.
    pub is_draining: bool,
    /// Most of what it watches failed at once: it suspects its own eyes and keeps its last verdicts.
    pub suspects_itself: bool,
    /// The regions' front doors.
    pub regions: Vec<RegionStatus>,
    /// The pools.
    pub pools: Vec<PoolStatus>,
    /// Overrides whose subject does not exist now; they apply again when it returns.
    pub inert_overrides: Vec<String>,
}

/// A region's front door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionStatus {
    /// The region.
    pub name: String,
    /// Requests per second it is built for, where somebody said.
    pub capacity_per_second: Option<u32>,
    /// What is believed of its front door.
    #[serde(flatten)]
    pub row: RowStatus,
}

/// A pool, by region and by origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolStatus {
    /// The pool.
    pub name: String,
    /// What DNS reads: one row per region.
    pub regions: Vec<PoolRegionStatus>,
    /// Its origins.
    pub origins: Vec<OriginStatus>,
}

/// A pool in one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoolRegionStatus {
    /// The region.
    pub region: String,
    /// Sum of the weights that can be used now.
    pub usable_weight: u32,
    /// Sum of the configured weights.
    pub total_weight: u32,
    /// What is derived for it.
    #[serde(flatten)]
    pub row: RowStatus,
}

/// One origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OriginStatus {
    /// Where it listens.
    pub address: Address,
    /// Where it stands.
    pub region: String,
    /// Its configured weight.
    pub weight: u16,
    /// What is believed of it.
    #[serde(flatten)]
    pub row: RowStatus,
}

/// One row of the table, and why it is what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowStatus {
    /// `up`, `down` or `unknown`.
    pub health: String,
    /// The share of its weight that it may take, in percent.
    pub share_percent: f64,
    /// Takes no new work.
    pub is_draining: bool,
    /// An operator's word stands.
    pub is_forced: bool,
    /// The belief is old.
    pub is_stale: bool,
    /// It gets its share back bit by bit.
    #[serde(default)]
    pub is_returning: bool,
    /// Who spoke: `operator`, `drill`, `traffic`, `probe`, `peer`; nobody yet, or derived, where absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// Since when, in seconds ago.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since_seconds: Option<u64>,
    /// In how many seconds the first of it ends that holds for a time only: an operator's word, an ejection, a drill, or the way that its
    /// share is on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until_seconds: Option<u64>,
    /// In how many seconds the word of who spoke ends, where it holds for a time only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub word_until_seconds: Option<u64>,
    /// Why, in the words of who spoke; for a pool in a region, how many of its origins are usable.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub said: Option<String>,
    /// Why its share is on its way, and for how long: "returns: held for 4 m 12 s more".
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub moving: Vec<String>,
    /// What others say that are not believed now, strongest first: "probe: up".
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub beneath: Vec<String>,
    /// The operator's name and reason, for an override.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
}

/// `GET /v1/status`.
pub(in crate::admin) async fn status(State(surface): State<Arc<Surface>>) -> Result<Json<Status>, StatusCode> {
    let Report { subjects, groups } = surface.control.describe().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let overrides = surface.control.overrides();
    let view = View {
        generation: surface.table.load(),
        now: surface.clock().ticks(),
        subjects: subjects.iter().map(|report| (&report.subject, report)).collect(),
        groups: groups.iter().map(|report| ((&*report.pool, &*report.region), report)).collect(),
    };
    Ok(Json(Status {
        node: surface.node.to_string(),
        region: surface.region.to_string(),
        version: env!("CARGO_PKG_VERSION").into(),
        generation: view.generation.revision,
        uptime_seconds: surface.uptime().as_secs(),
        is_ready: surface.control.is_ready() && !surface.is_draining(),
        is_draining: surface.is_draining(),
        suspects_itself: subjects.iter().any(|report| report.is_withheld),
        regions: view.regions(),
        pools: view.generation.pools().iter().map(|pool| view.pool(pool)).collect(),
        inert_overrides: overrides.iter().filter(|kept| kept.is_inert).map(|kept| kept.subject.to_string()).collect(),
    }))
}

/// The table and the reasons for it, at one moment.
struct View<'a> {
    generation: Arc<Generation>,
    now: Ticks,
    subjects: HashMap<&'a Subject, &'a SubjectReport>,
    /// By pool and region.
    groups: HashMap<(&'a str, &'a str), &'a GroupReport>,
}

impl View<'_> {
    fn regions(&self) -> Vec<RegionStatus> {
        let region = |region: &Arc<crate::table::Region>| {
            let capacity = region.front_door.measure().capacity_per_second;
            let subject = Subject::FrontDoor { region: Arc::clone(&region.name) };
            RegionStatus {
                name: region.name.to_string(),
                capacity_per_second: (capacity > 0).then_some(capacity),
                row: self.explained(region.front_door.read(self.now), &subject),
            }
        };
        self.generation.regions().iter().map(region).collect()
    }

    fn pool(&self, pool: &Pool) -> PoolStatus {
        let region_name =
            |id: RegionId| self.generation.region(id).map_or_else(String::new, |region| region.name.to_string());
        let regions = pool.regions().iter().map(|entry| {
            let region = region_name(entry.region);
            PoolRegionStatus {
                usable_weight: entry.row.measure().usable_weight,
                total_weight: entry.total_weight,
                row: self.derived(entry.row.read(self.now), &pool.name, &region),
                region,
            }
        });
        let origins = pool.origins().iter().map(|origin| {
            let subject = Subject::Origin { pool: Arc::clone(&pool.name), address: origin.address.clone() };
            OriginStatus {
                address: origin.address.clone(),
                region: region_name(origin.region),
                weight: origin.weight,
                row: self.explained(origin.row.read(self.now), &subject),
            }
        });
        PoolStatus { name: pool.name.to_string(), regions: regions.collect(), origins: origins.collect() }
    }

    fn explained(&self, state: RowState, subject: &Subject) -> RowStatus {
        let mut status = RowStatus::of(state);
        let Some(report) = self.subjects.get(subject) else { return status };
        let notes: Vec<String> = report.overrides.iter().map(note).collect();
        status.source = report.source.map(|source| source.as_str().into());
        status.since_seconds = Some(report.age().as_secs());
        let standing = report.standing();
        status.until_seconds = report.ends_in().map(seconds);
        status.word_until_seconds = report.word_ends_in().map(seconds);
        status.said = standing.and_then(|view| view.said.as_deref()).map(str::to_owned);
        status.beneath =
            report.views.iter().filter(|view| Some(view.source) != report.source).filter_map(beneath).collect();
        status.note = (!notes.is_empty()).then(|| notes.join("; "));
        status.moving = report.moving.iter().map(ToString::to_string).collect();
        status
    }

    fn derived(&self, state: RowState, pool: &str, region: &str) -> RowStatus {
        let mut status = RowStatus::of(state);
        let Some(report) = self.groups.get(&(pool, region)) else { return status };
        status.since_seconds = Some(report.age().as_secs());
        status.until_seconds = report.moving.iter().map(|moving| seconds(moving.left)).min();
        status.said = Some(format!("{} of {} usable", report.usable, report.origins));
        status.moving = report.moving.iter().map(ToString::to_string).collect();
        status
    }
}

/// Rounded up: it is not over before it is.
fn seconds(left: Duration) -> u64 {
    left.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

/// An operator's decision.
fn note((kept, left): &(Override, Option<Duration>)) -> String {
    let ends = left.map_or_else(String::new, |left| format!(" (for {} more)", spell(left)));
    format!("{} by {}: {}{ends}", kept.action.as_str(), kept.author, kept.reason)
}

/// What somebody says who is not believed.
fn beneath(view: &ViewReport) -> Option<String> {
    let (source, health) = (view.source.as_str(), view.health?);
    let stale = if view.is_stale { ", stale" } else { "" };
    Some(
        view.said
            .as_ref()
            .map_or_else(|| format!("{source}: {health}{stale}"), |said| format!("{source}: {health}{stale}, {said}")),
    )
}

impl RowStatus {
    fn of(state: RowState) -> Self {
        Self {
            health: state.health.as_str().into(),
            share_percent: f64::from(state.weight.get()) / 100.0,
            is_draining: state.is_draining,
            is_forced: state.is_forced,
            is_stale: state.is_stale,
            is_returning: state.is_returning,
            source: None,
            since_seconds: None,
            until_seconds: None,
            word_until_seconds: None,
            said: None,
            moving: Vec::new(),
            beneath: Vec::new(),
            note: None,
        }
    }
}
