//! What is defined and never used: probably somebody meant something else.

use std::sync::Arc;

use crate::config::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    document::Document,
    resolved::{Pool, Route, Zone},
};

pub(super) fn warn(
    document: &Document,
    pools: &[Arc<Pool>],
    routes: &[Route],
    zones: &[Arc<Zone>],
    problems: &mut Diagnostics,
) {
    let mut is_used = vec![false; pools.len()];
    let steered = zones.iter().flat_map(|zone| &zone.steered).flat_map(|steered| &steered.pools);
    let resorts = pools.iter().filter_map(|pool| pool.last_resort);
    for pool in routes.iter().filter_map(Route::pool).chain(steered.copied()).chain(resorts) {
        is_used[pool.index()] = true;
    }
    for (pool, _) in document.pools.iter().zip(is_used).filter(|(_, is_used)| !is_used) {
        let message = format!("no route and no steered name uses pool `{}`", pool.name);
        let hint = format!("add a route with `pool = \"{}\"`, or remove the pool", pool.name);
        problems.push(Diagnostic::warning(Code::UnusedPool, message).at(pool.place, "unused").hint(hint));
    }

    let mut is_inhabited = vec![false; document.regions.len()];
    for origin in pools.iter().flat_map(|pool| &pool.origins) {
        is_inhabited[origin.region.index()] = true;
    }
    for (region, _) in document.regions.iter().zip(is_inhabited).filter(|(_, is_inhabited)| !is_inhabited) {
        let message = format!("no origin stands in region `{}`", region.name);
        let hint = "DNS leads nobody there until a pool has an origin in it".to_owned();
        problems.push(Diagnostic::warning(Code::UnusedRegion, message).at(region.place, "no origin here").hint(hint));
    }
}
