//! What a request is and where it goes: pure, from its head and one snapshot. `explain` will call the same.

use std::time::Duration;

use http::{Method, Version, header, request::Parts};

use super::{Refusal, route::Routing};
use crate::{
    balance::{self, InFlight, Load, Selector, Standard, Turns},
    clock::Random,
    fleet::{PoolId, RegionId},
    policy::{Climb, Rung, climb},
    table::Snapshot,
};

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Case {
    /// Position of the route.
    pub(super) route: usize,
    /// Whose origins answer.
    pub(super) pool: PoolId,
}

/// Where one try goes.
#[derive(Debug)]
pub(super) struct Plan {
    /// Position among the pool's origins.
    pub(super) origin: usize,
    /// On which rung of the ladder it was found.
    pub(super) rung: Rung,
    /// Counts the request as the origin's load until it ends.
    pub(super) in_flight: Option<InFlight>,
}

/// Looks at nothing but its arguments.
pub(super) fn classify(routing: &Routing, head: &Parts) -> Result<Case, Refusal> {
    if head.method == Method::CONNECT {
        return Err(Refusal::NoTunnels);
    }
    let lengths = head.headers.get_all(header::CONTENT_LENGTH).iter().count();
    let is_chunked = head.headers.contains_key(header::TRANSFER_ENCODING);
    if lengths > 1 || (is_chunked && (lengths > 0 || head.version < Version::HTTP_11)) {
        return Err(Refusal::AmbiguousLength);
    }
    let host = host_of(head)?;
    let route = routing.find(&host, head.uri.path()).ok_or(Refusal::NoRoute)?;
    Ok(Case { route, pool: routing.route(route).pool })
}

/// The one host that the request names: lower case, without port.
fn host_of(head: &Parts) -> Result<String, Refusal> {
    let mut said = head.headers.get_all(header::HOST).iter();
    let (first, second) = (said.next(), said.next());
    if second.is_some() {
        return Err(Refusal::BadHost);
    }
    let said = first.map(|value| value.to_str().map_err(|_| Refusal::BadHost)).transpose()?;
    let authority = match (head.uri.authority(), said) {
        (Some(target), Some(said)) if !target.as_str().eq_ignore_ascii_case(said) => return Err(Refusal::BadHost),
        (Some(target), _) => target.as_str(),
        (None, Some(said)) => said,
        (None, None) if head.version < Version::HTTP_11 => return Ok(String::new()),
        (None, None) => return Err(Refusal::BadHost),
    };
    let parsed: http::uri::Authority = authority.parse().map_err(|_| Refusal::BadHost)?;
    if authority.contains('@') || parsed.host().is_empty() {
        return Err(Refusal::BadHost);
    }
    Ok(parsed.host().trim_end_matches('.').to_ascii_lowercase())
}

/// What picking needs besides the case: one worker's turns and randomness.
#[derive(Debug)]
pub(super) struct Picker {
    pub(super) turns: Turns,
    pub(super) random: Random,
}

impl Picker {
    /// Chooses from a snapshot taken now: a region by the ladder, an origin by balance. `tried` origins are left out.
    pub(super) fn pick(
        &mut self,
        case: &Case,
        routing: &Routing,
        snapshot: Snapshot<'_>,
        tried: &[usize],
        now: Duration,
    ) -> Result<Plan, Refusal> {
        let pool = snapshot.generation.pool(case.pool).ok_or(Refusal::NoHealthyOrigin)?;
        let plan = routing.pool(case.pool);
        let mut regions: &[RegionId] = &plan.regions;
        let mut left: Vec<RegionId>;
        loop {
            let with = Climb {
                pool,
                regions,
                home: routing.home,
                when_all_down: plan.settings.when_all_down,
                snapshot,
                spare: &routing.spare,
                now,
            };
            let (rung, region) = climb(&with, &mut self.random).ok_or(Refusal::NoHealthyOrigin)?;
            let standard = match rung {
                Rung::Home | Rung::Neighbour | Rung::OverCapacity => Standard::Proven,
                Rung::Unproven => Standard::Unproven,
                Rung::Open => Standard::Any,
            };
            let chosen = (case.pool, &**pool);
            let (turns, random) = (&mut self.turns, &mut self.random);
            if let Some(origin) = balance::pick(chosen, region, standard, tried, snapshot.now, turns, random) {
                routing.spare.count(region, now);
                let load = pool.selector::<Selector>().and_then(|selector| selector.load(origin));
                return Ok(Plan { origin, rung, in_flight: load.map(Load::begin) });
            }
            // All origins there were tried, or turned down between two reads: ask the regions that are left.
            left = regions.iter().copied().filter(|other| *other != region).collect();
            regions = &left;
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn host(version: Version, target: &str, hosts: &[&str]) -> Result<String, Refusal> {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        host_of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_request_names_exactly_one_host() {
        let http11 = Version::HTTP_11;
        assert_eq!(host(http11, "/", &["Shop.Example.:8080"]).unwrap(), "shop.example");
        assert_eq!(host(http11, "http://shop.example/", &["SHOP.example"]).unwrap(), "shop.example");
        assert_eq!(host(http11, "/", &["[::1]:80"]).unwrap(), "[::1]");
        assert_eq!(host(Version::HTTP_10, "/", &[]).unwrap(), "");
        for hosts in [&[][..], &["a", "a"], &["a b"], &["user@a"], &[""], &["a/b"]] {
            assert_eq!(host(http11, "/", hosts), Err(Refusal::BadHost), "{hosts:?}");
        }
        assert_eq!(host(http11, "http://a/", &["b"]), Err(Refusal::BadHost));
    }
}
