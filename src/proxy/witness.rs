//! What a request's head shows beside its route: how it came, and what it has in common with others. Read in one place for who sends it and for
//! `explain`, so that both send it to the same origin.

use std::net::IpAddr;

use super::{
    Refusal,
    affinity::{cookie, key},
    decide::Case,
    h1::Header,
    headers::all,
    looped::{Came, Mark},
    route::{PoolPlan, Routing},
};
use crate::{
    balance::{Sticky, key_of_address},
    fleet::PoolId,
};

/// A request as its client's connection and its headers show it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witness<'a> {
    routing: &'a Routing,
    headers: &'a [Header<'a>],
    client: IpAddr,
    /// Whether it came to us by TLS.
    is_tls: bool,
    /// Whether it came from a proxy whose headers are believed.
    pub(super) is_trusted: bool,
}

impl<'a> Witness<'a> {
    pub(super) fn new(routing: &'a Routing, headers: &'a [Header<'a>], client: IpAddr, is_tls: bool) -> Self {
        let is_trusted = routing.settings.trusted_proxies.iter().any(|network| network.contains(&client));
        Self { routing, headers, client, is_tls, is_trusted }
    }

    /// Whether its client came by TLS, to us or to a trusted proxy.
    pub(super) fn is_secure(&self) -> bool {
        let is_said = || all(self.headers, "x-forwarded-proto").any(|header| header.value == b"https");
        self.is_tls || (self.is_trusted && is_said())
    }

    /// The mark that it gets on its way to a pool. Only what is passed from door to door can go around in circles; who answers is not known yet
    /// when the head is written, so a last resort that is reached by doors counts, too.
    pub(super) fn mark(&self, pool: PoolId) -> Option<&'a Mark> {
        let goes_by_doors = |plan: &PoolPlan| !plan.doors.is_empty();
        let plan = self.routing.pool(pool);
        let resort = || plan.line.settings.last_resort.map(|resort| self.routing.pool(resort));
        (goes_by_doors(plan) || resort().is_some_and(goes_by_doors)).then_some(&self.routing.mark)
    }

    /// What decides where it goes, on a route to a pool. Refused where it was here before.
    pub(super) fn case(
        &self,
        route: usize,
        pool: PoolId,
        (host, path): (&str, &str),
        sticky: Option<&Sticky>,
    ) -> Result<Case, Refusal> {
        let came = self.mark(pool).map_or(Came::Straight, |mark| mark.read(self.headers));
        if came == Came::Again {
            return Err(Refusal::LoopDetected);
        }
        let settings = &self.routing.pool(pool).line.settings.balancing;
        let sticky = sticky.map(|sticky| sticky.read(cookie(self.headers, sticky.cookie())));
        Ok(Case {
            route,
            pool,
            is_passed_on: came == Came::PassedOn,
            key: key(settings, self.headers, path, self.client),
            sticky,
            fence: self.routing.fences.find(host),
            client: sticky.and_then(|shown| shown.origin).map(|_| key_of_address(self.client)),
            is_secure: self.is_secure(),
        })
    }
}
