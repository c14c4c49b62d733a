//! The act: sends a request where its plan says, tries again where nothing was left behind, streams the answer.
//!
//! A request is tried again, at another origin, when it was provably not sent, or when it is idempotent, has no body, and none of
//! the answer came. Tries are bounded by the pool's `retries`.

use std::{net::IpAddr, rc::Rc};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Uri, Version, request::Parts, uri::PathAndQuery};
use http_body_util::Full;
use hyper::body::Incoming;

use super::{
    Refusal,
    body::{Download, Progress, Stream, Upload, UploadState},
    connections::{Lent, open},
    decide::{Case, Plan, classify},
    headers,
    observe::{Ledger, Outcome, RouteMetrics},
    route::Routing,
    worker::{View, Worker},
};

/// Answers one request, always.
pub(super) async fn handle(worker: Rc<Worker>, client: IpAddr, request: Request<Incoming>) -> Response<Download> {
    let view = worker.view();
    let Some(routing) = view.routing() else {
        let request_id = HeaderValue::from_static("none");
        return text(Refusal::NoRoute.response(&request_id));
    };
    let (mut head, body) = request.into_parts();
    let trusted = &routing.settings.trusted_proxies;
    let request_id = worker.random(|random| headers::request_id(&head.headers, client, trusted, random));
    let case = match classify(routing, &head) {
        Ok(case) => case,
        Err(refusal) => return refuse(Ledger::open(&routing.unrouted, &worker.clock), refusal, &request_id),
    };
    headers::remove_hop_by_hop(&mut head.headers);
    headers::add_identity(&mut head.headers, client, trusted);
    head.headers.insert(headers::REQUEST_ID, request_id.clone());

    let metrics: &RouteMetrics = &routing.route(case.route).metrics;
    let ledger = Ledger::open(metrics, &worker.clock);
    let upload = Upload::new(body, &worker.clock);
    let exchange = Exchange { worker: &worker, view: &view, routing, case, progress: upload.progress() };
    match exchange.run(head, upload).await {
        Ok((plan, connection, response)) => exchange.stream(plan, connection, response, ledger, &request_id),
        Err(refusal) => refuse(ledger, refusal, &request_id),
    }
}

fn refuse(mut ledger: Ledger, refusal: Refusal, request_id: &HeaderValue) -> Response<Download> {
    ledger.settle(Outcome::Refused(refusal));
    tracing::debug!(refusal = refusal.as_str(), ?request_id, "refused");
    let mut response = refusal.response(request_id);
    response.headers_mut().insert(headers::REQUEST_ID, request_id.clone());
    text(response)
}

fn text(response: Response<Bytes>) -> Response<Download> {
    response.map(|bytes| Download::Text(Full::new(bytes)))
}

/// One request on its way to an answer.
struct Exchange<'a> {
    worker: &'a Rc<Worker>,
    view: &'a View,
    routing: &'a Routing,
    case: Case,
    progress: Rc<Progress>,
}

/// A try that failed, and the request if it may be sent again.
struct Failure {
    refusal: Refusal,
    request: Option<Request<Upload>>,
}

impl Exchange<'_> {
    async fn run(&self, head: Parts, upload: Upload) -> Result<(Plan, Lent, Response<Incoming>), Refusal> {
        let pool = self.routing.pool(self.case.pool);
        let mut request = outgoing(head, upload)?;
        let mut tried = Vec::new();
        let mut last_refusal = None;
        for attempt in 0..=pool.settings.retries {
            let picked = self.worker.pick(&self.case, self.view, self.routing, &tried);
            // Where nobody is left to try, what the last try ran into says more.
            let plan = picked.map_err(|refusal| last_refusal.unwrap_or(refusal))?;
            if attempt > 0 {
                pool.metrics.retries.increment(1);
            }
            pool.metrics.climbed(plan.rung);
            tried.push(plan.origin);
            match self.attempt(&plan, request).await {
                Ok((connection, response)) => return Ok((plan, connection, response)),
                Err(Failure { refusal, request: Some(again) }) => {
                    (last_refusal, request) = (Some(refusal), again);
                }
                Err(Failure { refusal, request: None }) => return Err(refusal),
            }
        }
        Err(last_refusal.unwrap_or(Refusal::NoHealthyOrigin))
    }

    /// One try at one origin. A kept connection may have been closed by its origin a moment ago; that says nothing about the
    /// origin, so the same try goes on over a fresh one.
    async fn attempt(&self, plan: &Plan, request: Request<Upload>) -> Result<(Lent, Response<Incoming>), Failure> {
        let pool = self.routing.pool(self.case.pool);
        let Some(address) = self.view.origin(self.case.pool, plan.origin) else {
            return Err(Failure { refusal: Refusal::NoHealthyOrigin, request: None });
        };
        let request = match self.worker.connections.take(address, &pool.settings) {
            None => request,
            Some(kept) => match self.send(kept, request).await {
                Err(Failure { refusal: Refusal::BadResponse, request: Some(again) }) => again,
                settled => return settled,
            },
        };
        match open(address, pool.settings.timeouts.connect, &pool.metrics).await {
            Ok(sender) => self.send(self.worker.connections.lend(sender, address, &pool.settings), request).await,
            Err(refusal) => Err(Failure { refusal, request: Some(request) }),
        }
    }

    /// Sends over one connection and waits for the answer's head.
    async fn send(&self, mut over: Lent, request: Request<Upload>) -> Result<(Lent, Response<Incoming>), Failure> {
        let replay = is_repeatable(&request).then(|| request.clone_head(&self.progress));
        self.progress.restart();
        let sent = over.sender.try_send_request(request);
        match self.within_patience(sent).await {
            Ok(Ok(response)) => Ok((over, response)),
            Ok(Err(mut failed)) => {
                let unsent = failed.take_message();
                tracing::debug!(error = %failed.error(), was_sent = unsent.is_none(), "try failed");
                let is_clients_fault = self.progress.state() == UploadState::Broken;
                let refusal = if is_clients_fault { Refusal::ClientGone } else { Refusal::BadResponse };
                Err(Failure { refusal, request: unsent.or(replay) })
            }
            Err(refusal) => Err(Failure { refusal, request: None }),
        }
    }

    /// Waits for the answer's head: the limit runs from the last byte of the request that moved.
    async fn within_patience<T>(&self, answer: impl Future<Output = T>) -> Result<T, Refusal> {
        let limit = self.routing.pool(self.case.pool).settings.timeouts.response_head;
        let mut answer = std::pin::pin!(answer);
        loop {
            let silent = self.worker.clock.now().saturating_sub(self.progress.moved_at());
            let left = limit.saturating_sub(silent);
            if left.is_zero() {
                let is_clients_turn = self.progress.state() == UploadState::Sending;
                return Err(if is_clients_turn { Refusal::ClientTooSlow } else { Refusal::ResponseTimeout });
            }
            if let Ok(answer) = tokio::time::timeout(left, &mut answer).await {
                return Ok(answer);
            }
        }
    }

    /// The answer as clients see it.
    fn stream(
        &self,
        plan: Plan,
        connection: Lent,
        response: Response<Incoming>,
        ledger: Ledger,
        request_id: &HeaderValue,
    ) -> Response<Download> {
        let (mut head, body) = response.into_parts();
        headers::remove_hop_by_hop(&mut head.headers);
        head.headers.insert(headers::REQUEST_ID, request_id.clone());
        let stream = Stream {
            body,
            ledger,
            connection: Some(connection),
            in_flight: plan.in_flight,
            between_bytes: self.routing.pool(self.case.pool).settings.timeouts.between_bytes,
            silence: None,
        };
        Response::from_parts(head, Download::stream(stream))
    }
}

/// The request as origins see it.
fn outgoing(mut head: Parts, upload: Upload) -> Result<Request<Upload>, Refusal> {
    let target = head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    if let (Some(authority), false) = (head.uri.authority(), head.headers.contains_key(http::header::HOST)) {
        let host = HeaderValue::try_from(authority.as_str()).map_err(|_| Refusal::BadHost)?;
        head.headers.insert(http::header::HOST, host);
    }
    head.uri = Uri::from(target);
    head.version = Version::HTTP_11;
    Ok(Request::from_parts(head, upload))
}

/// Whether sending it twice does no harm (RFC 9110 §9.2.2) and there is nothing that could not be sent twice.
fn is_repeatable(request: &Request<Upload>) -> bool {
    let is_idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    );
    is_idempotent && request.body().is_empty()
}

trait CloneHead {
    fn clone_head(&self, progress: &Rc<Progress>) -> Self;
}

impl CloneHead for Request<Upload> {
    fn clone_head(&self, progress: &Rc<Progress>) -> Self {
        let mut copy = Self::new(Upload::empty(progress));
        *copy.method_mut() = self.method().clone();
        *copy.uri_mut() = self.uri().clone();
        *copy.version_mut() = self.version();
        *copy.headers_mut() = self.headers().clone();
        copy
    }
}
