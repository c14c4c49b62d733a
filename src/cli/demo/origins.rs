//! The demo's origins: they say who they are, and can be told to fail.

use std::{
    net::SocketAddr,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::scene::Scene;

/// One origin, as the panel sees it.
#[derive(Clone, Debug)]
struct Switch {
    region: &'static str,
    is_failing: Arc<AtomicBool>,
}

/// Starts all origins, and the panel that makes them fail.
pub(super) fn start(scene: &Scene) -> Result<(), String> {
    let mut switches = Vec::new();
    for (region, name, address) in scene.origins() {
        let switch = Switch { region, is_failing: Arc::default() };
        let (words, is_failing) = (format!("hello from {region}/{name}\n"), Arc::clone(&switch.is_failing));
        serve(address, Arc::clone(&switch.is_failing), move |_| {
            // A crashed origin says nothing: the error closes the connection without an answer.
            if is_failing.load(Ordering::Relaxed) { Err(Crashed) } else { Ok(text(StatusCode::OK, words.clone())) }
        })?;
        switches.push(switch);
    }
    serve(scene.panel(), Arc::default(), move |request| Ok(press(&switches, request.uri().path())))
}

#[derive(Debug, thiserror::Error)]
#[error("this origin was told to fail")]
struct Crashed;

type Answer = Result<Response<Full<Bytes>>, Crashed>;

/// Turns origins off and on: `/fail/REGION`, `/recover/REGION`.
fn press(switches: &[Switch], path: &str) -> Response<Full<Bytes>> {
    let mut parts = path.trim_matches('/').split('/');
    let is_failing = match parts.next() {
        Some("fail") => true,
        Some("recover") => false,
        _ => return text(StatusCode::NOT_FOUND, "try /fail/REGION or /recover/REGION\n".into()),
    };
    let region = parts.next().unwrap_or_default();
    let mut pressed = switches.iter().filter(|switch| switch.region == region).peekable();
    if pressed.peek().is_none() {
        return text(StatusCode::NOT_FOUND, format!("there is no region `{region}`\n"));
    }
    pressed.for_each(|switch| switch.is_failing.store(is_failing, Ordering::Relaxed));
    let state = if is_failing { "failing" } else { "well again" };
    text(StatusCode::OK, format!("the origins of {region} are {state}\n"))
}

fn text(status: StatusCode, words: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(words));
    *response.status_mut() = status;
    response
}

/// Listens, and answers until the process ends. While failing it hangs up on everybody.
fn serve(
    address: SocketAddr,
    is_failing: Arc<AtomicBool>,
    answer: impl Fn(Request<Incoming>) -> Answer + 'static + Send,
) -> Result<(), String> {
    let failed = |error| format!("no origin on {address}: {error}");
    let listener = std::net::TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    // hyper's connections of one origin share its answer without a lock, so each origin keeps to one thread of its own.
    std::thread::Builder::new()
        .name("demo-origin".into())
        .spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            tokio::task::LocalSet::new().block_on(&runtime, async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                let answer = Rc::new(answer);
                while let Ok((stream, _)) = listener.accept().await {
                    if !is_failing.load(Ordering::Relaxed) {
                        tokio::task::spawn_local(converse(stream, Rc::clone(&answer)));
                    }
                }
            });
        })
        .map_err(failed)?;
    Ok(())
}

async fn converse(stream: TcpStream, answer: Rc<impl Fn(Request<Incoming>) -> Answer + 'static>) {
    let service = service_fn(move |request| std::future::ready(answer(request)));
    // A client that breaks off is none of the demo's business.
    _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
