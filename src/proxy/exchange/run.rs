//! The act: sends a request where its plan says, tries again where nothing was left behind.
//!
//! A request is tried again, at another origin, when not a byte of it was written, or when it is idempotent, has no body, and none of the
//! answer came. Tries are bounded by the pool's `retries`.

use std::{future::poll_fn, time::Duration};

use super::{
    order::Order,
    talk::{Ending, Failure, Patience, Talk},
    tunnel::Tunnel,
};
use crate::{
    balance::InFlight,
    proxy::{
        Refusal,
        connections::{Lent, open},
        h1::Length,
        observe::{Ledger, Outcome},
        route::{PoolPlan, Routing},
        serve::Client,
    },
};

/// What becomes of a client's connection after a request.
pub(in crate::proxy) enum After {
    /// It may serve another.
    Next,
    /// It ends.
    Close,
    /// It carries another protocol to an origin. It stands apart from the request, which would hold on to a config for as long.
    Tunnel(Box<Through>),
}

/// What a tunnel needs.
pub(in crate::proxy) struct Through {
    origin: Lent,
    idle: Duration,
    /// Counts as its origin's load while it lasts.
    _sent: Option<InFlight>,
}

impl Through {
    /// Carries everything both ways until both sides are done.
    pub(in crate::proxy) async fn carry(mut self: Box<Self>, client: &mut Client) {
        let Client { wire, deadline, .. } = client;
        let mut tunnel = Tunnel::new(self.idle, deadline);
        poll_fn(|cx| tunnel.poll(wire, &mut self.origin.wire, deadline, cx)).await;
    }
}

/// Carries a request out. Where it was refused, the client has been told.
///
/// What is large is borrowed, or stands in the exchange once: a future has room for everything that is moved into it, and every
/// connection has such a future.
pub(in crate::proxy) async fn run(client: &mut Client, order: &Order, routing: &Routing) -> After {
    let mut ledger = Ledger::open(&routing.route(order.case.route).metrics, &client.worker.clock);
    let plan = routing.pool(order.case.pool);
    let mut exchange = Exchange { client, order, plan, routing, sent: None, lent: None };
    let ended = exchange.try_origins().await;
    let Exchange { client, lent, sent, .. } = exchange;
    let persists = match ended {
        Ok(Ending::Answered { is_uploaded, origin_persists, client_persists }) => {
            ledger.settle(Outcome::Answered);
            client.is_sending = !is_uploaded;
            if let Some(lent) = lent.filter(|_| origin_persists) {
                lent.give_back();
            }
            client_persists
        }
        Ok(Ending::Upgraded) => {
            ledger.settle(Outcome::Answered);
            let idle = plan.settings.timeouts.tunnel_idle;
            return lent.map_or(After::Close, |origin| After::Tunnel(Box::new(Through { origin, idle, _sent: sent })));
        }
        Err(Failure::ClientLeft) => false,
        Err(Failure::Truncated) => {
            ledger.settle(Outcome::OriginTruncated);
            false
        }
        Err(Failure::Refused { refusal, .. }) => {
            // Whatever was read of a body, nobody reads the rest.
            client.refuse(refusal, &order.reply, order.length == Length::None, &mut ledger)
        }
    };
    if persists { After::Next } else { After::Close }
}

struct Exchange<'a> {
    client: &'a mut Client,
    order: &'a Order,
    plan: &'a PoolPlan,
    routing: &'a Routing,
    /// Counts the request as its origin's load.
    sent: Option<InFlight>,
    /// The connection of the try under way.
    lent: Option<Lent>,
}

impl Exchange<'_> {
    async fn try_origins(&mut self) -> Result<Ending, Failure> {
        let refused = |refusal| Failure::Refused { refusal, may_repeat: false };
        let mut tried = Vec::new();
        let mut last = None;
        for attempt in 0..=self.plan.settings.retries {
            let picked = self.client.worker.pick(&self.order.case, &self.order.view, self.routing, &tried);
            // Where nobody is left to try, what the last try ran into says more.
            let picked = picked.map_err(|refusal| refused(last.unwrap_or(refusal)))?;
            if attempt > 0 {
                self.plan.metrics.retries.increment(1);
            }
            self.plan.metrics.climbed(picked.rung);
            self.sent = picked.in_flight;
            match self.attempt(picked.origin).await {
                Err(Failure::Refused { refusal, may_repeat: true }) => last = Some(refusal),
                settled => return settled,
            }
            tried.push(picked.origin);
        }
        Err(refused(last.unwrap_or(Refusal::NoHealthyOrigin)))
    }

    /// One try at one origin. A kept connection may have been closed by its origin a moment ago; that says nothing about the
    /// origin, so the same try goes on over a fresh one.
    async fn attempt(&mut self, origin: usize) -> Result<Ending, Failure> {
        let Some(address) = self.order.view.origin(self.order.case.pool, origin) else {
            return Err(Failure::Refused { refusal: Refusal::NoHealthyOrigin, may_repeat: false });
        };
        let mut may_be_stale = true;
        self.lent = self.client.worker.connections.take(address, &self.plan.settings);
        loop {
            if self.lent.is_none() {
                may_be_stale = false;
                let opened = open(address, self.plan, &self.client.worker, &self.client.deadline).await;
                self.lent = Some(opened.map_err(|refusal| Failure::Refused { refusal, may_repeat: true })?);
            }
            match self.talk().await {
                Err(Failure::Refused { refusal: Refusal::BadResponse, may_repeat: true }) if may_be_stale => {
                    self.lent = None;
                }
                settled => return settled,
            }
        }
    }

    async fn talk(&mut self) -> Result<Ending, Failure> {
        let Some(Lent { wire: origin, .. }) = &mut self.lent else {
            return Err(Failure::Refused { refusal: Refusal::ConnectFailed, may_repeat: false });
        };
        let timeouts = self.plan.settings.timeouts;
        let patience = Patience {
            client_body: self.routing.settings.body_timeout,
            response_head: timeouts.response_head,
            between_bytes: timeouts.between_bytes,
        };
        let Client { wire, deadline, worker, .. } = &mut *self.client;
        let mut talk = Talk::new(self.order, worker, patience, origin);
        poll_fn(|cx| talk.poll(wire, origin, deadline, cx)).await
    }
}
