//! Pools and their origins.

use std::{collections::HashMap, sync::Arc};

use super::{
    balance,
    check::{Owner, SharedChecks},
    names::{Names, check_name},
    node::region_id,
    passive,
    routes::pool_id,
    tls,
    twice::duplicate,
};
use crate::{
    config::{
        diagnostic::{Code, Diagnostic, Diagnostics, Place},
        document::{self, Document, is_usable_address},
        resolved::{Origin, Pool, Protocol, Retry, SlowStart, Timeouts, Via, WhenAllDown},
    },
    fleet::{Address, PoolId, RegionId},
};

pub(super) fn resolve(
    document: &Document,
    regions: &Names<'_>,
    checks: &SharedChecks<'_>,
    names: &Names<'_>,
    problems: &mut Diagnostics,
) -> Vec<Arc<Pool>> {
    let pools = document.pools.iter().map(|pool| {
        check_name("pool", &pool.name, pool.place, problems);
        let origins = origins(&pool.name, pool.place, &pool.value, regions, problems);
        let last_resort = last_resort(document, (&pool.name, &pool.value), names, problems);
        Arc::new(Pool { last_resort, ..settle(&pool.name, &pool.value, origins, checks, problems) })
    });
    pools.collect()
}

/// The pool that is asked when this one has nobody left.
fn last_resort(
    document: &Document,
    (name, pool): (&str, &document::Pool),
    names: &Names<'_>,
    problems: &mut Diagnostics,
) -> Option<PoolId> {
    let written = pool.last_resort.as_ref()?;
    let position = names.find(written, written.place, problems)?;
    let resort = &document.pools.entries.get(position)?.value;
    let (why, hint) = if written.value.0 == name {
        ("a pool cannot be its own last resort", "name another pool")
    } else if resort.last_resort.as_ref().is_some() {
        ("a last resort has none of its own", "name the pool that is asked in the end")
    } else if resort.protocol.value != pool.protocol.value {
        ("a last resort speaks the same protocol", "give both pools the same `protocol`")
    } else {
        return Some(pool_id(position));
    };
    problems.push(Diagnostic::error(Code::Contradiction, why).at(written.place, "not this one").hint(hint.to_owned()));
    None
}

fn settle(
    name: &str,
    pool: &document::Pool,
    origins: Vec<Origin>,
    checks: &SharedChecks<'_>,
    problems: &mut Diagnostics,
) -> Pool {
    let protocol = match pool.protocol.value {
        document::Protocol::H1 => Protocol::H1,
        document::Protocol::H2 => Protocol::H2,
    };
    let tls = pool.tls.as_ref().map(|written| tls::origins(written, written.place, problems));
    Pool {
        name: name.into(),
        origins,
        protocol,
        check: checks.resolve(&pool.check, &Owner::pool(name, protocol, tls.as_ref()), problems),
        tls,
        slow_start: SlowStart {
            window: pool.slow_start.window.value,
            least_percent: pool.slow_start.least_percent.value,
            aggression: pool.slow_start.aggression.value,
        },
        passive: passive::resolve(&pool.passive, problems),
        when_all_down: match pool.when_all_down.value {
            document::WhenAllDown::Open => WhenAllDown::Open,
            document::WhenAllDown::Closed => WhenAllDown::Closed,
        },
        last_resort: None,
        timeouts: Timeouts {
            connect: pool.timeouts.connect.value,
            response_head: pool.timeouts.response_head.value,
            between_bytes: pool.timeouts.between_bytes.value,
            tunnel_idle: pool.timeouts.tunnel_idle.value,
        },
        via: match pool.via.value {
            document::Via::Direct => Via::Direct,
            document::Via::FrontDoor => Via::FrontDoor,
        },
        retries: pool.retries.value,
        retry: Retry {
            budget_percent: pool.retry.budget_percent.value,
            budget_per_second: pool.retry.budget_per_second.value,
            backoff: pool.retry.backoff.value,
            max_backoff: pool.retry.max_backoff.value,
            max_body: usize::try_from(pool.retry.max_body.0).unwrap_or(usize::MAX),
            statuses: pool.retry.statuses.items.iter().map(|statuses| (statuses.value.0, statuses.value.1)).collect(),
        },
        max_connections: pool.max_connections.value,
        max_connecting: pool.max_connecting.value,
        max_connection_age: pool.max_connection_age.value,
        max_idle_connections: pool.max_idle_connections.value as usize,
        idle_timeout: pool.idle_timeout.value,
        balancing: balance::resolve(name, &pool.balancing, problems),
    }
}

fn origins(
    name: &str,
    place: Option<Place>,
    pool: &document::Pool,
    regions: &Names<'_>,
    problems: &mut Diagnostics,
) -> Vec<Origin> {
    let Some(written) = &pool.origins else { return Vec::new() };
    let mut seen = HashMap::new();
    let mut origins = Vec::with_capacity(written.items.len());
    for item in &written.items {
        let region = region_of(item, regions, problems);
        let tier = balance::tier(item, problems);
        let Some(address) = &item.address else { continue };
        let is_usable = |address: &Address| match address {
            Address::Fixed(address) => is_usable_address(address.ip()),
            Address::Named { .. } => true,
        };
        if address.port() == 0 || !is_usable(&address.value) {
            let message = format!("`{}` cannot be an origin", address.value);
            problems
                .push(Diagnostic::error(Code::BadValue, message).at(address.place, "nothing can be connected to here"));
        }
        if let Some(first) = seen.insert(&address.value, address.place) {
            let message = format!("`{}` is twice in pool `{name}`", address.value);
            let hint = "one origin per address: for a larger share raise its `weight`".to_owned();
            problems.push(duplicate(Code::DuplicateAddress, message, address.place, first).hint(hint));
        }
        if let Some(region) = region {
            origins.push(Origin { address: address.value.clone(), region, weight: item.weight.value, tier });
        }
    }
    let is_read = !written.is_broken && written.items.iter().all(|item| item.address.is_some());
    if is_read && written.items.iter().all(|item| item.weight.value == 0) {
        let message = format!("pool `{name}` has no origin with weight above zero");
        let hint = format!("add `[[pools.{name}.origins]]` with an `address`, or remove the pool and its routes");
        problems.push(
            Diagnostic::error(Code::PoolEmpty, message)
                .at(written.place.or(place), "at least one origin is needed")
                .hint(hint),
        );
    }
    origins
}

/// Nothing once it is reported, or where the missing region itself was.
fn region_of(origin: &document::Origin, regions: &Names<'_>, problems: &mut Diagnostics) -> Option<RegionId> {
    if let Some(name) = origin.region.as_ref() {
        return regions.find(name, name.place, problems).map(region_id);
    }
    let only = regions.only();
    if only.is_none() && regions.len() > 1 && !origin.region.is_unreadable() {
        let error = Diagnostic::error(Code::MissingKey, "an origin needs `region` where there are several regions");
        let place = origin.address.as_ref().and_then(|address| address.place);
        problems.push(
            error
                .at(place, "in which region does it stand?")
                .hint(format!("add `region`, such as `region = \"{}\"`", regions.name(0))),
        );
    }
    only.map(region_id)
}
