//! The act: sends a request where its plan says, tries again where nothing was left behind.
//!
//! A request is tried again, at another origin, when not a byte of it was written, or when it is idempotent, what was read of its body was
//! kept, and none of the answer came. Tries are bounded by the pool's `retries` and by its budget.

use std::{cell::Cell, future::poll_fn, time::Duration};

use super::{
    conduct::{Circumstances, Ear, Heard, conduct},
    order::{Errand, Order, OriginHead, Reply},
    question::resolve,
    sides::{ClientEnd, OriginEnd},
    talk::{Ending, Failure, Patience, Talk, Terms},
    tunnel::Tunnel,
};
use crate::{
    balance::InFlight,
    clock::Random,
    config::{PassiveMode, Retry},
    fleet::RegionId,
    govern::Retrying,
    proxy::{
        Refusal,
        answer::OwnAnswer,
        connections::{Carrier, Lent, Opened, open, open_stream},
        decide::Case,
        h1::Length,
        observe::{Ledger, Outcome, Stuck},
        peer::Seat,
        route::{Action, Door, Forward, Limits, Line, Passing, PoolPlan, RoutePlan, Routing},
        serve::Client,
        transfer::Kept,
    },
    resolver::Reach,
};

/// A client that asked for something and waits, whatever it speaks.
pub(in crate::proxy) trait Asker {
    type End: ClientEnd;

    /// Its side of the exchange, and its place.
    fn parts(&mut self) -> (&mut Self::End, &Seat);

    /// Gives it an answer of our own. Says whether its connection may serve another request, which it may not where the rest of this one stays
    /// unread.
    fn say(&mut self, answer: &OwnAnswer, reply: &Reply, may_persist: bool) -> bool;

    /// The answer went out whole. `is_uploaded` says whether all of the request was read.
    fn answered(&mut self, is_uploaded: bool);

    /// The answer broke off: it has to learn that it is incomplete.
    fn cut(&mut self);
}

/// What becomes of a client's connection after a request.
pub(in crate::proxy) enum After {
    /// It may serve another.
    Next,
    /// It ends.
    Close,
    /// It carries another protocol to an origin. It stands apart from the request, which would hold on to a config for as long.
    Tunnel(Box<Through>),
}

impl From<bool> for After {
    fn from(persists: bool) -> Self {
        if persists { Self::Next } else { Self::Close }
    }
}

/// What a tunnel needs.
pub(in crate::proxy) struct Through {
    origin: Box<Lent>,
    idle: Duration,
    /// Counts as under way while it lasts.
    _sent: Option<Sent>,
}

/// A try under way, which is counted as long as it is held.
#[derive(Debug)]
enum Sent {
    /// As its origin's load.
    Straight(InFlight),
    /// Whose load it is, its region knows.
    ByDoor { _passing: Passing },
}

impl Sent {
    /// Where it is to be known how long its answer takes.
    fn timed(&self) -> Option<&InFlight> {
        match self {
            Self::Straight(in_flight) => Some(in_flight).filter(|in_flight| in_flight.is_timed()),
            Self::ByDoor { .. } => None,
        }
    }
}

impl Through {
    /// Carries everything both ways until both sides are done. Says whether they are: it may have broken off.
    pub(in crate::proxy) async fn carry(mut self: Box<Self>, client: &mut Client) -> bool {
        let (end, seat) = client.parts();
        let mut tunnel = Tunnel::new(end, &mut self.origin.end, self.idle, &seat.deadline);
        poll_fn(|cx| tunnel.poll(end, &mut self.origin.end, &seat.deadline, cx)).await
    }
}

/// Carries a request out. Where it was refused, the client has been told.
///
/// What is large is borrowed, or stands in the exchange once: a future has room for everything that is moved into it, and every
/// connection has such a future.
pub(in crate::proxy) async fn run<C: Asker>(client: &mut C, order: &Order, routing: &Routing) -> After {
    let seat = client.parts().1;
    let mut ledger = Ledger::open(&routing.route(order.route).metrics, &seat.worker.clock);
    let is_read = order.length == Length::None;
    let (case, limits, head) = match &order.errand {
        Errand::Ask(case, limits, head) => (case, limits, head),
        Errand::Tell(answer) => {
            ledger.settle(Outcome::AnsweredHere);
            return After::from(client.say(answer, &order.reply, is_read));
        }
        // Boxed, as every connection has room for what its requests may do.
        Errand::Resolve(question) => {
            return After::from(Box::pin(resolve(client, order, question, routing, &mut ledger)).await);
        }
        Errand::Refuse(refusal) => return After::from(refuse(client, *refusal, &order.reply, is_read, &mut ledger)),
    };
    seat.deadline.bound(limits.deadline);
    let plan = routing.pool(case.pool);
    let most_kept =
        if order.is_idempotent && plan.line.settings.retries > 0 { plan.line.settings.retry.max_body } else { 0 };
    let kept = Kept::new(most_kept);
    let mut exchange = Exchange {
        client,
        order,
        case: *case,
        limits,
        head,
        plan,
        routing,
        tried: Vec::new(),
        kept,
        sent: None,
        carrier: None,
        is_kept: false,
        heard: Cell::default(),
        cookie: None,
    };
    let ended = exchange.try_origins().await;
    let Exchange { client, carrier, sent, .. } = exchange;
    let deadline = &client.parts().1.deadline;
    let is_late = deadline.is_bound_over();
    deadline.bound(None);
    let persists = match ended {
        Ok(Ending::Answered { is_uploaded, origin_persists, client_persists }) => {
            ledger.settle(Outcome::Answered);
            client.answered(is_uploaded);
            if let Some(Carrier::H1(lent)) = carrier.filter(|_| origin_persists) {
                lent.give_back();
            }
            client_persists
        }
        Ok(Ending::Upgraded) => {
            ledger.settle(Outcome::Answered);
            let Some(Carrier::H1(origin)) = carrier else { return After::Close };
            let idle = plan.line.settings.timeouts.tunnel_idle;
            return After::Tunnel(Box::new(Through { origin, idle, _sent: sent }));
        }
        Err(Failure::ClientLeft) => false,
        Err(Failure::Truncated) => {
            ledger.settle(Outcome::OriginTruncated);
            client.cut();
            false
        }
        Err(Failure::Refused { refusal, .. }) => {
            let refusal = if is_late { Refusal::DeadlineExceeded } else { refusal };
            // Whatever was read of a body, nobody reads the rest.
            refuse(client, refusal, &order.reply, is_read, &mut ledger)
        }
    };
    After::from(persists)
}

/// Tells a client why not. Says whether its connection may serve another request: only where nothing of this one is unread.
pub(in crate::proxy) fn refuse(
    client: &mut impl Asker,
    refusal: Refusal,
    reply: &Reply,
    is_read: bool,
    ledger: &mut Ledger,
) -> bool {
    ledger.settle(Outcome::Refused(refusal));
    tracing::debug!(refusal = refusal.as_str(), request_id = %reply.id, "refused");
    client.say(&refusal.answer(reply), reply, is_read && !refusal.ends_connection())
}

struct Exchange<'a, C> {
    client: &'a mut C,
    order: &'a Order,
    case: Case,
    limits: &'a Limits,
    head: &'a OriginHead,
    plan: &'a PoolPlan,
    routing: &'a Routing,
    /// Origins that were tried, by position.
    tried: Vec<usize>,
    /// What was read of the body.
    kept: Kept,
    /// Counts the request as under way.
    sent: Option<Sent>,
    /// What carries the try under way.
    carrier: Option<Carrier>,
    /// Whether it was there before.
    is_kept: bool,
    /// What was heard of the answer to it.
    heard: Cell<Heard>,
    /// The cookie that the client is given with the answer.
    cookie: Option<Box<str>>,
}

impl<'a, C: Asker> Exchange<'a, C> {
    async fn try_origins(&mut self) -> Result<Ending, Failure> {
        let refused = |refusal| Failure::Refused { refusal, may_repeat: false };
        let mut last = None;
        let settings = &*self.plan.line.settings;
        for attempt in 0..=settings.retries {
            // Held while the try lasts.
            let _retrying = match attempt.checked_sub(1) {
                Some(before) => Some(
                    Box::pin(self.again(before))
                        .await
                        .ok_or_else(|| refused(last.unwrap_or(Refusal::NoHealthyOrigin)))?,
                ),
                None => None,
            };
            let worker = &self.client.parts().1.worker;
            let picked = worker.pick(&self.case, &self.order.view, self.routing, &self.tried);
            // Where nobody is left to try, what the last try ran into says more.
            let picked = picked.map_err(|refusal| refused(last.unwrap_or(refusal)))?;
            if picked.pool != self.case.pool {
                (self.case.pool, self.plan) = (picked.pool, self.routing.pool(picked.pool));
                self.case.sticky = None;
                self.tried.clear();
            }
            self.plan.line.metrics.climbed(picked.rung);
            self.sent = match self.door(picked.origin) {
                Some((_, door)) => Some(Sent::ByDoor { _passing: door.pass() }),
                None => picked.in_flight.map(Sent::Straight),
            };
            self.cookie = self.cookie_of(picked.origin);
            let unwanted = if attempt < settings.retries { &settings.retry.statuses[..] } else { &[] };
            let ended = self.attempt(picked.origin, unwanted).await;
            self.observe(picked.origin, ended);
            self.count_as_slow(ended);
            match ended {
                Err(Failure::Refused { refusal, may_repeat: true })
                    if !self.client.parts().1.deadline.is_bound_over() =>
                {
                    last = Some(refusal);
                }
                settled => return settled,
            }
            match self.door(picked.origin) {
                // Whoever stands behind a door that failed, it is the door that would be asked again.
                Some((region, _)) => self.tried.extend(self.order.view.origins_in(self.case.pool, region)),
                None => self.tried.push(picked.origin),
            }
        }
        Err(refused(last.unwrap_or(Refusal::NoHealthyOrigin)))
    }

    /// Writes down what a try showed of its origin; nothing where the door of another region was asked.
    fn observe(&mut self, origin: usize, ended: Result<Ending, Failure>) {
        let settings = &self.plan.line.settings.passive;
        if settings.mode == PassiveMode::Off || self.door(origin).is_some() {
            return;
        }
        let heard = self.heard.get();
        let seat = self.client.parts().1;
        let (worker, is_late) = (&seat.worker, seat.deadline.is_bound_over());
        let had = worker.now().saturating_sub(heard.since);
        let with = Circumstances {
            may_be_stale: self.is_kept && matches!(&self.carrier, Some(Carrier::H1(lent)) if lent.end.is_silent()),
            is_late,
            was_hurried: is_late && self.limits.deadline.is_some_and(|limit| had < limit / 2),
        };
        let Some(conduct) = conduct(ended, heard, settings, with) else { return };
        let Some(watched) = self.order.view.watched(self.case.pool, origin) else { return };
        worker.watch.write(watched, conduct, heard.took, settings);
        if let Some(span) = heard.wish {
            worker.watch.write_request(watched, span);
        }
    }

    /// What the client is given so that it comes back: nothing where it can keep what it has, and where another region chooses.
    fn cookie_of(&self, origin: usize) -> Option<Box<str>> {
        let (shown, metrics) = (self.case.sticky?, &self.plan.line.metrics);
        if self.door(origin).is_some() {
            return None;
        }
        let stays = shown.origin == Some(origin);
        metrics.stuck(if stays {
            Stuck::Kept
        } else if shown.origin.is_some() {
            Stuck::Moved
        } else {
            Stuck::Given
        });
        if stays && shown.is_current {
            return None;
        }
        Some(self.order.view.sticky(self.case.pool)?.given(origin, self.case.is_secure)?.into())
    }

    /// A try without an answer counts as a slow one, where somebody wants to know how long answers take.
    fn count_as_slow(&mut self, settled: Result<Ending, Failure>) {
        let is_its_fault = |refusal: Refusal| {
            use Refusal::{BadResponse, ConnectFailed, ConnectTimeout, OriginFailed, ResponseTimeout};
            matches!(refusal, ConnectFailed | ConnectTimeout | ResponseTimeout | BadResponse | OriginFailed)
        };
        if let (Err(Failure::Refused { refusal, .. }), Some(timed)) =
            (settled, self.sent.as_ref().and_then(Sent::timed))
            && is_its_fault(refusal)
        {
            timed.failed(self.client.parts().1.worker.clock.now());
        }
    }

    /// Takes another try from the budget, and waits a little: those who failed together shall not come back together.
    async fn again(&mut self, tries_before: u32) -> Option<Retrying> {
        self.carrier = None;
        let worker = &self.client.parts().1.worker;
        let by_doors = || self.plan.doors.iter().map(Door::under_way).sum::<u64>();
        let under_way = || self.order.view.under_way(self.case.pool) + by_doors();
        let Some(retrying) = self.plan.budget.begin(worker.clock.now(), under_way) else {
            self.plan.line.metrics.retries_refused.increment(1);
            return None;
        };
        // What failed is over, and no load of anybody. It was under way until here: the budget is a share of such requests.
        self.sent = None;
        self.plan.line.metrics.retries.increment(1);
        let Retry { backoff, max_backoff, .. } = self.plan.line.settings.retry;
        let longest = backoff.saturating_mul(1 << tries_before.min(16)).min(max_backoff);
        let wait = longest.mul_f64(worker.random(Random::f64));
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Some(retrying)
    }

    /// One try at one origin. A kept connection may have been closed by its origin a moment ago; that says nothing about the
    /// origin, so the same try goes on over a fresh one.
    async fn attempt(&mut self, origin: usize, unwanted: &[(u16, u16)]) -> Result<Ending, Failure> {
        let mut may_be_stale = true;
        loop {
            may_be_stale = self
                .carry(origin, may_be_stale)
                .await
                .map_err(|refusal| Failure::Refused { refusal, may_repeat: true })?;
            match self.talk(unwanted).await {
                Err(Failure::Refused { refusal: Refusal::BadResponse, may_repeat: true }) if may_be_stale => {
                    may_be_stale = false;
                }
                settled => return settled,
            }
        }
    }

    /// Finds what carries the request to its origin: something kept, if that may be, or something fresh. Says whether it was kept.
    async fn carry(&mut self, origin: usize, may_be_kept: bool) -> Result<bool, Refusal> {
        self.carrier = None;
        let is_measured = self.plan.line.settings.passive.latency.is_some();
        self.heard.set(Heard::nothing(self.client.parts().1.worker.time(is_measured)));
        let order = self.order;
        let (origin, line) = self.way(origin).ok_or(Refusal::NoHealthyOrigin)?;
        let seat = self.client.parts().1;
        let (carrier, is_kept) = match self.head {
            OriginHead::H1(_) => {
                let kept = if may_be_kept { seat.worker.connections.take(&origin, line) } else { None };
                let Opened { lent, is_kept, has_waited } = match kept {
                    Some(lent) => Opened { lent, is_kept: true, has_waited: false },
                    // Boxed, as is whatever few requests do: every connection has room for what its requests may do.
                    None => Box::pin(open(&origin, line, seat, may_be_kept)).await?,
                };
                if has_waited {
                    let now = seat.worker.time(is_measured);
                    self.heard.set(Heard::nothing(now));
                    if let Some(timed) = self.sent.as_ref().and_then(Sent::timed) {
                        timed.asked(now);
                    }
                }
                (Carrier::H1(lent), is_kept)
            }
            OriginHead::H2(head) => {
                let is_end = order.length == Length::None;
                let sending = open_stream(&origin, line, seat, head, is_end, may_be_kept);
                let (stream, is_kept) = Box::pin(sending).await?;
                (Carrier::H2(Box::new(stream)), is_kept)
            }
        };
        (self.carrier, self.is_kept) = (Some(carrier), is_kept);
        Ok(is_kept)
    }

    /// Where an origin's requests go: to itself, or to the front door of its region.
    fn way(&self, origin: usize) -> Option<(Reach, &'a Line)> {
        let view = &self.order.view;
        match self.door(origin) {
            Some((_, door)) => Some((view.reach(door.address(self.tried.len())?)?, &door.line)),
            None => Some((view.origin(self.case.pool, origin)?, &self.plan.line)),
        }
    }

    /// The front door by which an origin is reached, and its region.
    fn door(&self, origin: usize) -> Option<(RegionId, &'a Door)> {
        let region = self.order.view.region(self.case.pool, origin).filter(|region| *region != self.routing.home)?;
        Some((region, self.plan.doors.get(region.index())?))
    }

    async fn talk(&mut self, unwanted: &[(u16, u16)]) -> Result<Ending, Failure> {
        self.kept.rewind();
        let Limits { max_body_size, response_head, between_bytes, .. } = *self.limits;
        let patience = Patience { client_body: self.routing.settings.body_timeout, response_head, between_bytes };
        let RoutePlan { action, response_headers, .. } = self.routing.route(self.order.route);
        let Action::Forward(Forward { headers: request_headers, .. }) = action else {
            return Err(Failure::Refused { refusal: Refusal::NoRoute, may_repeat: false });
        };
        let (cookie, timed) = (self.cookie.as_deref(), self.sent.as_ref().and_then(Sent::timed));
        let (end, seat) = self.client.parts();
        let ear = Ear { settings: &self.plan.line.settings.passive, heard: &self.heard };
        let terms = Terms { max_body_size, request_headers, response_headers, unwanted, ear, cookie, timed };
        let mut talk = Talk::new(self.order, &seat.worker, patience, terms, &mut self.kept);
        match (&mut self.carrier, self.head) {
            (Some(Carrier::H1(lent)), OriginHead::H1(head)) => {
                lent.end.ask(head, self.order.length);
                poll_fn(|cx| talk.poll(end, &mut lent.end, &seat.deadline, cx)).await
            }
            (Some(Carrier::H2(stream)), _) => poll_fn(|cx| talk.poll(end, &mut stream.end, &seat.deadline, cx)).await,
            _ => Err(Failure::Refused { refusal: Refusal::ConnectFailed, may_repeat: false }),
        }
    }
}
