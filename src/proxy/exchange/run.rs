//! The act: sends a request where its plan says, tries again where nothing was left behind.
//!
//! A request is tried again, at another origin, when not a byte of it was written, or when it is idempotent, has no body, and none of the
//! answer came. Tries are bounded by the pool's `retries`.

use std::future::poll_fn;

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
        observe::{Ledger, Outcome},
        route::{PoolPlan, Routing},
        serve::Client,
    },
};

/// Carries a request out. Says whether the client's connection may serve another; where the request was refused, the client has
/// been told.
pub(in crate::proxy) async fn run(client: &mut Client, order: Order, routing: &Routing) -> bool {
    let mut ledger = Ledger::open(&routing.route(order.case.route).metrics, &client.worker.clock);
    let mut exchange = Exchange { client, order: &order, plan: routing.pool(order.case.pool), routing, sent: None };
    let ended = exchange.try_origins().await;
    let sent = exchange.sent.take();
    let persists = match ended {
        Ok((Ending::Answered { is_uploaded, origin_persists, client_persists }, lent)) => {
            client.is_sending = !is_uploaded;
            ledger.settle(Outcome::Answered);
            if origin_persists {
                lent.give_back();
            }
            client_persists
        }
        Ok((Ending::Upgraded, mut lent)) => {
            ledger.settle(Outcome::Answered);
            let mut tunnel = Tunnel::new(exchange.plan.settings.timeouts.tunnel_idle, &client.deadline);
            poll_fn(|cx| tunnel.poll(&mut client.wire, &mut lent.wire, &client.deadline, cx)).await;
            false
        }
        Err(Failure::Truncated) => {
            ledger.settle(Outcome::OriginTruncated);
            false
        }
        Err(Failure::ClientLeft) => false,
        Err(Failure::Refused { refusal, .. }) => client.refuse(refusal, &order.reply, &mut ledger),
    };
    drop(sent);
    client.worker.buffers.give_back(order.head);
    persists
}

struct Exchange<'a> {
    client: &'a mut Client,
    order: &'a Order,
    plan: &'a PoolPlan,
    routing: &'a Routing,
    /// Counts the request as its origin's load.
    sent: Option<InFlight>,
}

impl Exchange<'_> {
    async fn try_origins(&mut self) -> Result<(Ending, Lent), Failure> {
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
    async fn attempt(&mut self, origin: usize) -> Result<(Ending, Lent), Failure> {
        let Some(address) = self.order.view.origin(self.order.case.pool, origin) else {
            return Err(Failure::Refused { refusal: Refusal::NoHealthyOrigin, may_repeat: false });
        };
        let worker = self.client.worker.clone();
        if let Some(kept) = worker.connections.take(address, &self.plan.settings) {
            match self.talk(kept).await {
                Err(Failure::Refused { refusal: Refusal::BadResponse, may_repeat: true }) => {}
                settled => return settled,
            }
        }
        let opened = open(address, self.plan, &worker, &self.client.deadline).await;
        let fresh = opened.map_err(|refusal| Failure::Refused { refusal, may_repeat: true })?;
        self.talk(fresh).await
    }

    async fn talk(&mut self, mut lent: Lent) -> Result<(Ending, Lent), Failure> {
        let timeouts = self.plan.settings.timeouts;
        let patience = Patience {
            client_body: self.routing.settings.body_timeout,
            response_head: timeouts.response_head,
            between_bytes: timeouts.between_bytes,
            max_head_size: self.routing.settings.max_head_size,
        };
        let mut talk = Talk::new(self.order, patience, &mut lent.wire);
        let Client { wire, deadline, .. } = &mut *self.client;
        let ending = poll_fn(|cx| talk.poll(wire, &mut lent.wire, deadline, cx)).await?;
        Ok((ending, lent))
    }
}
