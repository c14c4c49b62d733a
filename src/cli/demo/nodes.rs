//! The demo's nodes: one process per region.

use std::{
    fs::File,
    io,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::{
    signal::unix::{SignalKind, signal},
    time::{sleep, timeout},
};

use super::scene::Scene;
use crate::cli::client;

/// How long a node may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// The running nodes, in the order of the scene's places.
#[derive(Debug)]
pub(super) struct Nodes(Vec<Child>);

/// Starts all nodes; their logs go to files in the demo's directory.
pub(super) fn start(scene: &Scene, directory: &Path) -> Result<Nodes, String> {
    let config = directory.join("meridian.toml");
    std::fs::write(&config, scene.config(directory))
        .map_err(|error| format!("cannot write {}: {error}", config.display()))?;
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut nodes = Nodes(Vec::new());
    for place in scene.places {
        let log = File::create(directory.join(format!("{}.log", place.node))).map_err(|error| error.to_string())?;
        let child = Command::new(&program)
            .args(["serve", "--stop-with-stdin", "--node-name", place.node, "--region", place.region])
            .args(["--listen-http", &scene.http(place).to_string()])
            .args(["--listen-https", &scene.https(place).to_string()])
            .args(["--listen-dns", &scene.dns(place).to_string()])
            .args(["--listen-admin", &scene.admin(place).to_string()])
            .arg("--config")
            .arg(&config)
            .arg("--state-directory")
            .arg(directory.join(place.node))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        nodes.0.push(child.map_err(|error| format!("cannot start node {}: {error}", place.node))?);
    }
    Ok(nodes)
}

impl Nodes {
    pub(super) fn process_id(&self, number: usize) -> u32 {
        self.0[number].id()
    }

    /// Waits until every node has a verdict on everything.
    pub(super) async fn wait_until_ready(&mut self, scene: &Scene, limit: Duration) -> Result<(), String> {
        for (place, child) in scene.places.iter().zip(&mut self.0) {
            let ready = async {
                while client::get(scene.admin(place), "/readyz", None).await.is_none_or(|answer| !answer.is_good()) {
                    if let Ok(Some(status)) = child.try_wait() {
                        return Err(format!("node {} ended at once: {status}", place.node));
                    }
                    sleep(Duration::from_millis(50)).await;
                }
                Ok(())
            };
            timeout(limit, ready).await.map_err(|_| format!("node {} did not become ready", place.node))??;
        }
        Ok(())
    }

    /// Returns when somebody presses Ctrl-C or asks the process to end.
    pub(super) async fn watch_until_interrupted(&self) {
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return drop(tokio::signal::ctrl_c().await) };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }

    /// Ends every node's standard input, which drains it, and waits for all of them.
    pub(super) async fn stop(mut self) {
        for child in &mut self.0 {
            child.stdin.take();
        }
        let all_ended = async {
            while self.0.iter_mut().any(|child| matches!(child.try_wait(), Ok(None))) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        _ = timeout(STOP_WITHIN, all_ended).await;
    }
}

impl Drop for Nodes {
    /// Whatever still runs is killed: the demo leaves nothing behind.
    fn drop(&mut self) {
        for child in &mut self.0 {
            let killed: io::Result<()> = child.kill();
            if killed.is_ok() {
                _ = child.wait();
            }
        }
    }
}
