//! The admin listener: bound before anything runs, bounded in connections, on the control runtime.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};

use super::{Surface, Token, api, pages};

/// Scrapers and people at once; a further one waits.
const MAX_CONNECTIONS: usize = 64;
/// Time to send a request's head, and to sit idle.
/// How long one connection may live.
const CONNECTION_AGE: Duration = Duration::from_mins(1);
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The admin address could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for the admin API on {address}: {cause}")]
pub struct BindError {
    address: SocketAddr,
    #[source]
    cause: io::Error,
}

/// The admin listener, bound but not served.
#[derive(Debug)]
pub struct Server {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Binds the address.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn bind(wanted: SocketAddr) -> Result<Self, BindError> {
        let failed = |cause| BindError { address: wanted, cause };
        let listener = std::net::TcpListener::bind(wanted).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Where it listens, with port 0 replaced by what was found.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until dropped. Runs within the control runtime.
    ///
    /// # Errors
    /// When the listener cannot be watched.
    pub async fn run(self, surface: Arc<Surface>, token: Token) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        let service = TowerToHyperService::new(router(surface, token));
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Ok(()) };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "accepting an admin client failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let service = service.clone();
            tokio::spawn(async move {
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
                let serving = builder.serve_connection(TokioIo::new(stream), service);
                // Who does not read its answers must not hold a place for good.
                match tokio::time::timeout(CONNECTION_AGE, serving).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "admin connection ended"),
                    Err(_) => tracing::debug!("admin connection was open for long enough"),
                }
                drop(place);
            });
        }
    }
}

fn router(surface: Arc<Surface>, token: Token) -> Router {
    let guarded = Router::new()
        .route("/v1/status", get(api::status))
        .route("/v1/explain/dns", get(api::explain_dns))
        .route("/v1/explain/route", post(api::explain_route))
        .route("/v1/overrides", get(api::overrides).put(api::set_override).delete(api::clear_override))
        .route_layer(middleware::from_fn_with_state(Arc::new(token), guard));
    Router::new()
        .route("/healthz", get(pages::healthz))
        .route("/readyz", get(pages::readyz))
        .route("/metrics", get(pages::metrics))
        .merge(guarded)
        .with_state(surface)
}

/// Lets only those through who show the token.
async fn guard(State(token): State<Arc<Token>>, request: Request, next: Next) -> Response {
    let said = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match said.and_then(|said| said.strip_prefix("Bearer ")) {
        Some(said) if token.is(said) => next.run(request).await,
        _ => {
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
            (StatusCode::UNAUTHORIZED, challenge, "send the admin token: `Authorization: Bearer …`\n").into_response()
        }
    }
}
